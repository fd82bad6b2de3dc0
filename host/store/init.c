/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5's state in the process: the lock, silence, no plugins, no atexit.                        */
#include "store-internal.h"

static GRecMutex store_mutex;

static gpointer store_init_once(gpointer data) {
  (void)data;
  H5dont_atexit(); /* after a full disk its exit handler visits freed files; before all else */
  H5open();
  H5PLset_loading_state(0); /* no filter of a file may load code */
  return NULL;
}

void store_init(void) {
  static GOnce once = G_ONCE_INIT;

  g_once(&once, store_init_once, NULL);
}

void store_lock(void) {
  store_init();
  g_rec_mutex_lock(&store_mutex);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void store_unlock(void) {
  H5Eclear2(H5E_DEFAULT); /* HDF5 leaks what is on it when the thread ends */
  g_rec_mutex_unlock(&store_mutex);
}

/* A close clears the error stack, but what ends in an error closes on its way out. */
void store_hid_clear(hid_t *id) {
  hid_t stack = H5I_INVALID_HID;

  if (*id < 0) return;
  if (H5Eget_num(H5E_DEFAULT) > 0) stack = H5Eget_current_stack();
  H5Idec_ref(*id);
  if (stack >= 0) H5Eset_current_stack(stack);
  *id = H5I_INVALID_HID;
}
