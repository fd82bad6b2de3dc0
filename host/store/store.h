/* SPDX-License-Identifier: Apache-2.0
 *
 * The HDF5 store: the only code of abhost that calls HDF5. One hardened way to open a file, one
 * atomic way to write one. Safe to call from several threads (one lock inside).
 *
 * A file from elsewhere is hostile until shown otherwise: only hard links are followed; external
 * or virtual storage, foreign filters (all but deflate, shuffle, fletcher32), a declared size over
 * 4 GiB that is also over 1000 times what is stored, absurd ranks, names and counts are refused. */
#ifndef HOST_STORE_H
#define HOST_STORE_H

#include "../error.h"

/* To be called once, first in main: keeps HDF5 from running (and crashing, after a full disk) in
 * atexit, and silences its error stack on stderr.                                               */
void store_init(void);

/* ---- reading ------------------------------------------------------------------------------- */

typedef struct StoreFile StoreFile;

typedef struct {
  AbDtype dtype; /* nearest element type; 0 for texts and other kinds */
  int rank;      /* 0 for a scalar */
  gint64 shape[AB_MAX_RANK];
  gint64 chunk_rows; /* rows of one chunk; 0 if contiguous */
  gboolean compressed;
} StoreInfo;

/* NULL and AB_NO_INPUT (not there), AB_DATA (no HDF5 file, truncated, refused) or AB_IO. */
StoreFile *store_open(const char *path, GError **error);
void store_close(StoreFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreFile, store_close)
const char *store_path(const StoreFile *self);

/* TRUE also for what would be refused on use (a soft link, a damaged group): it must not pass for
 * absent. Names are absolute with or without the leading "/".                                   */
gboolean store_has(StoreFile *self, const char *name);
/* Full names ("/model/encoder/W1") of all datasets below `group`, sorted. Free with
 * g_ptr_array_unref. An absent group gives an empty list. Links other than hard ones are left out.
 */
GPtrArray *store_list(StoreFile *self, const char *group, GError **error);
gboolean store_info(StoreFile *self, const char *dataset, StoreInfo *info, GError **error);
/* Reads `count` rows of the first axis from `first` (for a scalar: 0 and 1) as `dtype`, converted,
 * into `buffer`, which holds count * product(shape[1..]) elements. Values that do not fit the type
 * (300 as u8, 0.5 as i32) are an error, rounding is none. A text or a compound is refused. */
gboolean store_read(StoreFile *self, const char *dataset, AbDtype dtype, gint64 first, gint64 count,
                    void *buffer, GError **error);
/* A text dataset or attribute (UTF-8); free with g_free. HDF5 1.10 crashes on some damaged
 * attributes and texts of varying length, so these are first read in a forked child: the first
 * attribute of an object and every text of varying length cost a fork.                          */
char *store_read_text(StoreFile *self, const char *dataset, GError **error);
gboolean store_read_attr_int(StoreFile *self, const char *object, const char *name, gint64 *value,
                             GError **error);
gboolean store_read_attr_real(StoreFile *self, const char *object, const char *name, double *value,
                              GError **error);
char *store_read_attr_text(StoreFile *self, const char *object, const char *name, GError **error);
/* A list of texts (of fixed length, as store_write_attr_texts writes them), or one text as a list
 * of one; NULL-terminated, free with g_strfreev.                                                 */
char **store_read_attr_texts(StoreFile *self, const char *object, const char *name, GError **error);

/* ---- writing ------------------------------------------------------------------------------- */

/* A new file, written beside its final name and put in place by store_commit alone. Errors are
 * sticky: the first is kept and returned by store_commit, later calls do nothing.               */
typedef struct StoreWriter StoreWriter;

StoreWriter *store_create(const char *path, GError **error);
/* Groups on the way are made. `axes` (may be NULL) names the axes, separated by spaces, and is
 * written as the attribute "axes". Data over 64 KiB is written in slabs of at most 8 MiB; with
 * fletcher32. Rank 0 is a scalar. `data` is row-major in the type of `dtype`; AB_BOOL is 0 or 1. */
void store_write(StoreWriter *self, const char *dataset, AbDtype dtype, int rank,
                 const gint64 *shape, const void *data, const char *axes);
void store_write_text(StoreWriter *self, const char *dataset, const char *text);
/* Makes the group if `object` names nothing yet; replaces an attribute of that name. Texts over
 * 60 KiB are an error: use a dataset. (h5py reads text attributes as bytes: .decode().)         */
void store_write_attr_int(StoreWriter *self, const char *object, const char *name, gint64 value);
void store_write_attr_real(StoreWriter *self, const char *object, const char *name, double value);
void store_write_attr_text(StoreWriter *self, const char *object, const char *name,
                           const char *value);
/* A list of texts, NULL-terminated, at least one: names of axes. */
void store_write_attr_texts(StoreWriter *self, const char *object, const char *name,
                            const char *const *values);
/* Attaches `scale`, a dataset of one axis, to an axis of `dataset` that is as long: a dimension
 * scale (H5DS), which h5py, netCDF and HDFView know. An axis may have several; a scale has none. */
void store_write_scale(StoreWriter *self, const char *dataset, int axis, const char *scale);
/* Names an axis (H5DS), with or without a scale. */
void store_write_label(StoreWriter *self, const char *dataset, int axis, const char *label);
/* For results larger than memory (`apply`): a dataset whose first axis grows. */
void store_append(StoreWriter *self, const char *dataset, AbDtype dtype, int rank,
                  const gint64 *shape, const void *data);
/* Flush, close (checked), fsync, rename onto the final name, fsync of the folder. Frees `self` in
 * any case. After FALSE nothing of it is left, and what stood under the name before still stands,
 * unless it was the last step that failed, the fsync of the folder: the message then says so.    */
gboolean store_commit(StoreWriter *self, GError **error);
/* Drops everything written. */
void store_abandon(StoreWriter *self);

#endif
