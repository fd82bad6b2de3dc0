/* SPDX-License-Identifier: Apache-2.0
 *
 * From GErrors to codes and messages that a plain C library can take.                           */
#include "service.h"
#include "store.h"
#include <string.h>

/* Hands `error` over: the message is for free(). Takes ownership. */
static void hand_over(GError *error, AbCode *code, char **message) {
  *code = error->domain == HOST_ERROR ? error->code : AB_INTERNAL;
  *message = strdup(error->message);
  g_error_free(error);
}

static void *service_open(const char *path, AbCode *code, char **message) {
  GError *error = NULL;
  StoreFile *file = store_open(path, &error);

  if (file == NULL) hand_over(error, code, message);
  return file;
}

static void service_close(void *file) {
  store_close(file);
}

static int32_t service_info(void *file, const char *dataset, AbShape *shape, AbDtype *dtype,
                            int64_t *chunk_rows, AbCode *code, char **message) {
  GError *error = NULL;
  StoreInfo info;

  if (!store_has(file, dataset)) return 0;
  if (store_info(file, dataset, &info, &error) && info.dtype == 0)
    g_set_error(&error, HOST_ERROR, AB_DATA, "dataset %s of %s does not hold numbers", dataset,
                store_path(file));
  if (error != NULL) {
    hand_over(error, code, message);
    return -1;
  }
  *shape = (AbShape){.rank = info.rank};
  for (int i = 0; i < info.rank; i++) shape->dims[i] = info.shape[i];
  *dtype = info.dtype;
  *chunk_rows = info.compressed ? info.chunk_rows : 0;
  return 1;
}

static bool service_read(void *file, const char *dataset, AbDtype dtype, int64_t first,
                         int64_t count, void *buffer, AbCode *code, char **message) {
  GError *error = NULL;
  bool done = store_read(file, dataset, dtype, first, count, buffer, &error);

  if (!done) hand_over(error, code, message);
  return done;
}

const AbStoreService *store_service(void) {
  static const AbStoreService service = {
      .open = service_open,
      .close = service_close,
      .info = service_info,
      .read = service_read,
  };

  return &service;
}
