/* SPDX-License-Identifier: Apache-2.0
 *
 * Data: random access to samples. The host shuffles, batches, prefetches and resumes.
 *
 * Life: open -> (load) -> fetch, fetch, ... -> close. Errors go through ab_fail.                 */
#ifndef ABSDK_DATA_H
#define ABSDK_DATA_H

#include "component.h"

AB_BEGIN_DECLS

typedef int32_t AbSplit;
enum {
  AB_TRAIN = 0,
  AB_VALIDATION = 1,
  AB_TEST = 2,
  AB_SPLIT_COUNT = 3,
};
AB_EXPORT const char *ab_split_name(AbSplit split); /* "train", "validation", "test" */

enum {
  /* fetch waits for a disk or a network: it is then called from a thread of its own, one call at a
   * time, and must not use tensors, OpenMP or BLAS.                                              */
  AB_DATA_BLOCKING = 1,
};

typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  /* Finds the files, reads their headers, declares fields and lengths (below). Reads no bulk. */
  void (*open)(AbData *self);
  /* Brings what belongs into memory there. Optional. */
  void (*load)(AbData *self);
  /* Writes `count` samples of `split` into fields[i], row-major, in the type declared for field i
   * (in the order of declaration). rows[] are in 0..length-1.                                    */
  void (*fetch)(AbData *self, AbSplit split, const int64_t *rows, int64_t count,
                void *const *fields);
  void (*close)(AbData *self); /* optional; also called after a failed open */
} AbDataVtable;

/* Declares a field, from `open`. "x" is what models see; "y" is the label or target. Fields of
 * AB_RANGE_CLASS are AB_I64; the host converts others to the real type of the run.               */
AB_EXPORT void ab_data_field(AbData *self, const char *name, const AbSpec *spec);
/* What the classes of a field that was declared are called, for people: as many texts as it has
 * classes, UTF-8, which are copied. Optional.                                                    */
AB_EXPORT void ab_data_class_names(AbData *self, const char *field, const char *const *names);
/* Declares how many samples a split has; splits not declared have none. */
AB_EXPORT void ab_data_length(AbData *self, AbSplit split, int64_t samples);
/* Declares that rows are stored in slabs of that many: shuffling then keeps to slabs inside a
 * window, as a slab costs as much as a row.                                                     */
AB_EXPORT void ab_data_locality(AbData *self, int64_t rows);
/* The place of a sample for messages ("heart.csv:17"); optional, set by components that know. */
AB_EXPORT void ab_data_origin(AbData *self, void (*origin)(AbData *self, AbSplit split, int64_t row,
                                                           char *text, size_t size));

/* ---- data made from other data ----------------------------------------------------------------
 * A component with a slot of kind data opens, loads and fetches from what is in it (a subset, a
 * mixture); it is closed by the host.                                                           */
typedef struct {
  const char *name; /* lives as long as the data, as `classes` does */
  AbSpec spec;
  const char *const *classes; /* spec.classes texts; NULL: they have no names */
} AbField;
AB_EXPORT void ab_data_open(AbData *self);
AB_EXPORT void ab_data_load(AbData *self);
AB_EXPORT void ab_data_fetch(AbData *self, AbSplit split, const int64_t *rows, int64_t count,
                             void *const *fields);
AB_EXPORT int32_t ab_data_field_count(const AbData *self);
AB_EXPORT AbField ab_data_field_at(const AbData *self, int32_t index);
AB_EXPORT int64_t ab_data_samples(const AbData *self, AbSplit split);
AB_EXPORT int64_t ab_data_slab(const AbData *self); /* rows stored together; 0: any */
/* "heart.csv:17", or "sample 16 of train" */
AB_EXPORT void ab_data_place(AbData *self, AbSplit split, int64_t row, char *text, size_t size);
/* Declares, from `open`, a further field with samples of the same kind as x (samples without
 * labels, a second view): of the spec of x, with every transform of x but its augmentation. */
AB_EXPORT void ab_data_another_x(AbData *self, const char *name);
AB_EXPORT bool ab_data_is_another_x(const AbData *self, int32_t index); /* whether a field is one */

/* HDF5 through the host's hardened store. The file is closed with the instance. Any thread. */
typedef struct AbStoreFile AbStoreFile;
AB_EXPORT AbStoreFile *ab_store_open(AbInstance *self, const char *path);
/* Shape (first axis: rows), nearest type, rows of a compressed chunk (0: none). FALSE and no error
 * where the dataset is absent.                                                                  */
AB_EXPORT bool ab_store_info(AbStoreFile *file, const char *dataset, AbShape *shape, AbDtype *dtype,
                             int64_t *chunk_rows);
AB_EXPORT bool ab_store_read(AbStoreFile *file, const char *dataset, AbDtype dtype, int64_t first,
                             int64_t count, void *buffer);

AB_END_DECLS

#endif
