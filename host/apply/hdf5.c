/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 as a raw file, through the store. */
#include "raw-internal.h"

#include "../store/store.h"
#include <absdk/host.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  StoreFile *file;
  char *dataset;
  AbDtype dtype;
} Hdf5;

/* The signature stands at 0, or behind a block of the user's of 512, 1024, ... bytes (Matlab). */
static gboolean claims(int fd, const guint8 *bytes, gsize count) {
  static const guint8 signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  guint8 there[8];
  if (count == 8 && memcmp(bytes, signature, 8) == 0) return TRUE;
  for (gint64 offset = 512; offset < G_MAXINT64 / 2; offset *= 2) {
    if (pread(fd, there, 8, (off_t)offset) != 8) return FALSE;
    if (memcmp(there, signature, 8) == 0) return TRUE;
  }
  return FALSE;
}

/* ---- which dataset --------------------------------------------------------------------------- */

static gboolean holds_samples(StoreFile *file, const char *dataset) {
  StoreInfo info;
  return store_info(file, dataset, &info, NULL) && info.rank >= 1 && info.dtype != 0;
}

/* Names of all that could be meant; NULL after an error. What is the only one stays, whatever it
 * is: what is wrong with it is then said.                                                        */
static GPtrArray *candidates(StoreFile *file, GError **error) {
  GPtrArray *names = store_list(file, "/", error);
  if (names && names->len == 1) return names;
  for (guint i = names ? names->len : 0; i > 0; i--)
    if (!holds_samples(file, names->pdata[i - 1])) g_ptr_array_remove_index(names, i - 1);
  return names;
}

static char *join(const GPtrArray *names) {
  GString *text = g_string_new(NULL);
  guint shown = MIN(names->len, 20);
  for (guint i = 0; i < shown; i++)
    g_string_append_printf(text, "%s%s", i ? ", " : "", (const char *)names->pdata[i] + 1);
  if (shown < names->len) g_string_append_printf(text, " and %u more", names->len - shown);
  return g_string_free(text, FALSE);
}

static char *find_given(StoreFile *file, const char *dataset, GError **error) {
  if (store_has(file, dataset)) return g_strdup(dataset);
  g_autoptr(GPtrArray) names = candidates(file, error);
  if (!names) return NULL;
  g_autofree char *all = join(names);
  host_fail(error, AB_DATA, "%s has no dataset '%s' (it has: %s)", store_path(file), dataset,
            names->len ? all : "none of numbers with an axis");
  return NULL;
}

static char *find_default(StoreFile *file, GError **error) {
  if (store_has(file, "/x")) return g_strdup("x");
  g_autofree char *signal = store_read_attr_text(file, "/", "signal", NULL);
  if (signal && *signal && store_has(file, signal) && holds_samples(file, signal))
    return g_steal_pointer(&signal);
  g_autoptr(GPtrArray) names = candidates(file, error);
  if (!names) return NULL;
  if (names->len == 1) return g_strdup((const char *)names->pdata[0] + 1);
  g_autofree char *all = join(names);
  if (names->len == 0)
    host_fail(error, AB_DATA, "%s has no dataset of numbers with an axis", store_path(file));
  else
    host_fail(error, AB_DATA, "%s has several datasets and none is x; choose with --dataset (%s)",
              store_path(file), all);
  return NULL;
}

/* ---- open, read, close ----------------------------------------------------------------------- */

static RawType type_of(AbDtype dtype) {
  switch (dtype) {
  case AB_F32: return RAW_F32;
  case AB_F64: return RAW_F64;
  case AB_U8: return RAW_U8;
  case AB_I32: return RAW_I32;
  case AB_BOOL: return RAW_BOOL;
  default: return RAW_I64;
  }
}

static gboolean open_dataset(RawFile *self, Hdf5 *hdf5, const char *dataset, GError **error) {
  StoreInfo info;
  gint64 bytes;
  hdf5->dataset =
      dataset ? find_given(hdf5->file, dataset, error) : find_default(hdf5->file, error);
  if (!hdf5->dataset || !store_info(hdf5->file, hdf5->dataset, &info, error)) return FALSE;
  g_free(self->name);
  self->name = g_strdup_printf("%s, dataset %s", self->path, hdf5->dataset);
  if (info.dtype == 0) return host_fail(error, AB_DATA, "%s does not hold numbers", self->name);
  hdf5->dtype = info.dtype;
  self->type = type_of(info.dtype);
  self->rank = info.rank;
  memcpy(self->shape, info.shape, sizeof self->shape);
  return raw_measure(self, &bytes, error);
}

static gboolean open_hdf5(RawFile *self, int fd, const char *dataset, GError **error) {
  Hdf5 *hdf5 = self->data = g_new0(Hdf5, 1);
  close(fd);
  hdf5->file = store_open(self->path, error);
  return hdf5->file && open_dataset(self, hdf5, dataset, error);
}

static gboolean read_hdf5(RawFile *self, gint64 first, gint64 count, void *values, GError **error) {
  Hdf5 *hdf5 = self->data;
  return store_read(hdf5->file, hdf5->dataset, hdf5->dtype, first, count, values, error);
}

static void close_hdf5(void *data) {
  Hdf5 *hdf5 = data;
  if (!hdf5) return;
  if (hdf5->file) store_close(hdf5->file);
  g_free(hdf5->dataset);
  g_free(hdf5);
}

const RawFormat raw_hdf5 = {"HDF5", claims, open_hdf5, read_hdf5, close_hdf5};
