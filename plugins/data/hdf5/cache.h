/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of datasets, read in slabs, of which those used last are kept. One thread at a time.      */
#ifndef HDF5_CACHE_H
#define HDF5_CACHE_H

#include <absdk/absdk.h>

typedef struct Slab Slab;
typedef struct Source Source;

typedef struct {
  AbData *self;
  AbStoreFile *file;
  int64_t limit, used;   /* bytes; the slab in use is kept even if it is larger */
  Slab *newest, *oldest; /* of all sources */
} Cache;

/* One dataset. */
struct Source {
  const char *name;
  AbDtype dtype;
  AbShape shape;                  /* rank at least 1, no axis empty */
  int64_t rows, width, row_bytes; /* width: elements of a row */
  bool compressed;
  int64_t slab_rows;
  Slab **slabs; /* [slabs of the dataset]: those in memory */
  /* Optional: looks at rows that were just read; false after an error, which it reports. */
  bool (*check)(AbData *self, const Source *source, int64_t first, int64_t count,
                const void *values);
};

/* Fills in all but `name` and `check`. False if there is no such dataset, and after an error
 * (AB_DATA: empty, a scalar, too large; AB_INTERNAL).                                           */
bool cache_source(Cache *cache, Source *source);
/* The numbers of a row, in the type of the dataset, until the next call; NULL after an error. */
const void *cache_row(Cache *cache, Source *source, int64_t row);
/* Drops the slabs of `source` and all that cache_source made. */
void cache_drop(Cache *cache, Source *source);

#endif
