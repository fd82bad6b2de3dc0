/* SPDX-License-Identifier: Apache-2.0
 *
 * What a dataset must be before anything of it is read.                                         */
#include "store-internal.h"
#include <string.h>

typedef struct {
  StoreFile *file;
  const char *name;
  hid_t id;
  hid_t list; /* its creation list */
  GError **error;
} Check;

static gboolean refuse(const Check *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean refuse(const Check *self, const char *format, ...) {
  va_list args;
  char *why;

  va_start(args, format);
  why = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(self->error, HOST_ERROR, AB_DATA, "dataset %s of %s is refused: %s", self->name,
              self->file->path, why);
  g_free(why);
  return FALSE;
}

static gboolean damaged(const Check *self) {
  return store_fail_damaged(self->error, self->file->path, self->name);
}

/* External storage once made a plain read return /etc/passwd. */
static gboolean check_layout(const Check *self) {
  H5D_layout_t layout = H5Pget_layout(self->list);
  int external = H5Pget_external_count(self->list);

  if (layout == H5D_LAYOUT_ERROR || external < 0) return damaged(self);
  if (layout == H5D_VIRTUAL)
    return refuse(self, "it is virtual, its values lie elsewhere\ncopy the values themselves");
  if (external != 0)
    return refuse(self, "its values lie in another file\ncopy the values themselves");
  if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
    return refuse(self, "its layout is unknown");
  return TRUE;
}

/* Each filter once: deflate upon deflate unpacks to a million times its size. */
static gboolean check_filters(const Check *self, StoreDataset *dataset) {
  int count = H5Pget_nfilters(self->list);
  guint seen = 0;

  if (count < 0) return damaged(self);
  for (int i = 0; i < count; i++) {
    unsigned flags, config;
    size_t values = 0;
    H5Z_filter_t filter =
        H5Pget_filter2(self->list, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);

    if (filter < 0) return damaged(self);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32)
      return refuse(self,
                    "it is packed by filter %d; only gzip, shuffle and fletcher32 are read\n"
                    "repack it: h5repack -f GZIP=4 OLD NEW",
                    (int)filter);
    if (seen & (1u << filter)) return refuse(self, "it is packed twice by filter %d", (int)filter);
    seen |= 1u << filter;
  }
  dataset->info.compressed = (seen & (1u << H5Z_FILTER_DEFLATE)) != 0;
  dataset->summed = (seen & (1u << H5Z_FILTER_FLETCHER32)) != 0;
  return TRUE;
}

static gboolean check_space(const Check *self, StoreInfo *info) {
  AUTO_HID space = H5Dget_space(self->id);
  hsize_t dims[H5S_MAX_RANK];
  int rank;

  if (space < 0) return damaged(self);
  if (H5Sget_simple_extent_type(space) == H5S_NULL)
    return refuse(self, "it holds no values at all");
  rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0) return damaged(self);
  if (rank > AB_MAX_RANK)
    return refuse(self, "it has %d axes; at most %d are read", rank, AB_MAX_RANK);
  if (rank > 0 && H5Sget_simple_extent_dims(space, dims, NULL) < 0) return damaged(self);
  info->rank = rank;
  for (int i = 0; i < rank; i++) {
    if (dims[i] > G_MAXINT64) return refuse(self, "axis %d has an absurd length", i);
    info->shape[i] = (gint64)dims[i];
  }
  return TRUE;
}

/* Bytes of all elements. Axes of length 0 count as 1, so that no product of a part of the shape
 * can overflow either; 16 bytes are the largest element here and in memory.                     */
static gboolean declared_bytes(const Check *self, const StoreInfo *info, gsize element,
                               guint64 *bytes) {
  guint64 elements = 1;
  gboolean empty = FALSE;

  for (int i = 0; i < info->rank; i++) {
    guint64 length = (guint64)info->shape[i];

    if (length == 0) empty = TRUE;
    if (!g_uint64_checked_mul(&elements, elements, MAX(length, 1))) goto absurd;
  }
  if (!g_uint64_checked_mul(bytes, elements, MAX(element, 16)) || *bytes > G_MAXINT64) goto absurd;
  *bytes = empty ? 0 : elements * element;
  return TRUE;

absurd:
  return refuse(self, "it declares an absurd number of values");
}

static gboolean check_size(const Check *self, guint64 declared) {
  guint64 stored = H5Dget_storage_size(self->id);
  haddr_t offset = H5Dget_offset(self->id);

  stored = MIN(stored, self->file->size); /* what a damaged index says */
  if (declared > STORE_MAX_DECLARED && declared / STORE_MAX_RATIO > stored)
    return refuse(self,
                  "it declares %" G_GUINT64_FORMAT " bytes where %" G_GUINT64_FORMAT " are stored",
                  declared, stored);
  if (H5Pget_layout(self->list) == H5D_CONTIGUOUS && offset != HADDR_UNDEF &&
      (offset > self->file->size || declared > self->file->size - offset)) {
    g_set_error(self->error, HOST_ERROR, AB_DATA,
                "dataset %s of %s is damaged: its %" G_GUINT64_FORMAT
                " bytes reach beyond the end of the file\n"
                "restore the file from a copy or make it anew",
                self->name, self->file->path, declared);
    return FALSE;
  }
  return TRUE;
}

static gboolean check_chunks(const Check *self, gsize element, StoreDataset *dataset,
                             gint64 *bytes) {
  hsize_t dims[H5S_MAX_RANK];
  guint64 product = element;
  int rank;

  *bytes = 0;
  if (H5Pget_layout(self->list) != H5D_CHUNKED) return TRUE;
  rank = H5Pget_chunk(self->list, H5S_MAX_RANK, dims);
  if (rank < 0) return damaged(self);
  if (rank != dataset->info.rank) return refuse(self, "its chunks have %d axes", rank);
  for (int i = 0; i < rank; i++)
    if (dims[i] == 0 || !g_uint64_checked_mul(&product, product, dims[i]) ||
        product > STORE_MAX_CHUNK)
      return refuse(self, "its chunks are larger than 1 GiB\n"
                          "repack it: h5repack -l CHUNK=... OLD NEW");
  memcpy(dataset->chunk, dims, (gsize)rank * sizeof dims[0]);
  dataset->info.chunk_rows = (gint64)dims[0];
  *bytes = (gint64)product;
  return TRUE;
}

gboolean store_dataset_check(StoreFile *self, const char *name, hid_t id, StoreDataset *dataset,
                             gint64 *chunk_bytes, GError **error) {
  Check check = {.file = self, .name = name, .id = id, .error = error};
  AUTO_HID list = H5Dget_create_plist(id);
  AUTO_HID type = H5I_INVALID_HID;
  StoreInfo *info = &dataset->info;
  guint64 declared = 0;
  gsize element;

  memset(info, 0, sizeof *info);
  check.list = list;
  if (list < 0) return damaged(&check);
  /* The layout before all else: to ask a virtual dataset for its space opens its sources. */
  if (!check_layout(&check) || !check_filters(&check, dataset)) return FALSE;
  type = H5Dget_type(id);
  if (type < 0 || (element = H5Tget_size(type)) == 0) return damaged(&check);
  dataset->kind = store_type_kind(type, &info->dtype);
  return check_space(&check, info) && declared_bytes(&check, info, element, &declared) &&
         check_size(&check, declared) && check_chunks(&check, element, dataset, chunk_bytes);
}
