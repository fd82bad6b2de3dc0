/* SPDX-License-Identifier: Apache-2.0
 *
 * Slabs of rows: one or more chunks of a compressed dataset, else about SLAB_BYTES. They are in a
 * list, the one used last in front, and each in the index of its dataset.                       */
#include "cache.h"
#include <inttypes.h>
#include <stdlib.h>

#define SLAB_BYTES ((int64_t)64 << 10) /* at least, where there are as many: a read has a price */
#define SLAB_PART  4 /* of the cache that a slab may take, if it has rows enough */

struct Slab {
  Slab *newer, *older;
  Slab **place; /* in the index */
  int64_t bytes;
  uint64_t values[]; /* aligned for any type */
};

/* ---- the dataset ----------------------------------------------------------------------------- */

static bool check_shape(Cache *cache, Source *source) {
  int64_t count = ab_shape_count(source->shape);
  char text[200];

  ab_shape_text(source->shape, text, sizeof text);
  if (source->shape.rank < 1)
    ab_fail(cache->self, AB_DATA, "dataset %s is a single number; its first axis is to be samples",
            source->name);
  else if (count == 0)
    ab_fail(cache->self, AB_DATA, "dataset %s %s is empty", source->name, text);
  else if (count < 0 || count > INT64_MAX / 16)
    ab_fail(cache->self, AB_DATA, "dataset %s %s has more numbers than can be counted",
            source->name, text);
  else
    return true;
  return false;
}

static int64_t at_least_one(int64_t value) {
  return value > 1 ? value : 1;
}

static void plan_slabs(const Cache *cache, Source *source, int64_t chunk_rows) {
  int64_t wanted = at_least_one(SLAB_BYTES / source->row_bytes);
  int64_t most = at_least_one(cache->limit / SLAB_PART / source->row_bytes);

  source->compressed = chunk_rows > 0;
  if (source->compressed) { /* whole chunks, as each is unpacked whole */
    int64_t chunks = chunk_rows < wanted ? (wanted + chunk_rows - 1) / chunk_rows : 1;

    wanted = chunk_rows < source->rows / chunks ? chunks * chunk_rows : source->rows;
  }
  if (wanted > most) wanted = most;
  source->slab_rows = wanted < source->rows ? wanted : source->rows;
}

bool cache_source(Cache *cache, Source *source) {
  int64_t chunk_rows;

  if (!ab_store_info(cache->file, source->name, &source->shape, &source->dtype, &chunk_rows) ||
      !check_shape(cache, source))
    return false;
  source->rows = source->shape.dims[0];
  source->width = ab_shape_count(source->shape) / source->rows;
  source->row_bytes = source->width * (int64_t)ab_dtype_size(source->dtype);
  plan_slabs(cache, source, chunk_rows);
  source->slabs = calloc((size_t)(source->rows / source->slab_rows + 1), sizeof(Slab *));
  if (source->slabs == NULL)
    ab_fail(cache->self, AB_INTERNAL, "no memory for an index of the %" PRId64 " rows of %s",
            source->rows, source->name);
  return source->slabs != NULL;
}

/* ---- the list -------------------------------------------------------------------------------- */

static void link_front(Cache *cache, Slab *slab) {
  slab->newer = NULL;
  slab->older = cache->newest;
  if (cache->newest != NULL)
    cache->newest->newer = slab;
  else
    cache->oldest = slab;
  cache->newest = slab;
}

static void take_out(Cache *cache, Slab *slab) {
  *(slab->newer != NULL ? &slab->newer->older : &cache->newest) = slab->older;
  *(slab->older != NULL ? &slab->older->newer : &cache->oldest) = slab->newer;
}

static void drop_slab(Cache *cache, Slab *slab) {
  take_out(cache, slab);
  *slab->place = NULL;
  cache->used -= slab->bytes;
  free(slab);
}

/* ---- reading --------------------------------------------------------------------------------- */

static Slab *read_slab(Cache *cache, Source *source, int64_t index) {
  int64_t first = index * source->slab_rows;
  int64_t left = source->rows - first;
  int64_t count = left < source->slab_rows ? left : source->slab_rows;
  int64_t bytes = count * source->row_bytes;
  Slab *slab;

  while (cache->oldest != NULL && cache->used + bytes > cache->limit)
    drop_slab(cache, cache->oldest);
  slab = malloc(sizeof(Slab) + (size_t)bytes);
  if (slab == NULL) {
    ab_fail(cache->self, AB_INTERNAL,
            "no memory for %" PRId64 " bytes, %" PRId64 " rows of dataset %s; lower cache", bytes,
            count, source->name);
    return NULL;
  }
  if (!ab_store_read(cache->file, source->name, source->dtype, first, count, slab->values) ||
      (source->check != NULL && !source->check(cache->self, source, first, count, slab->values))) {
    free(slab);
    return NULL;
  }
  slab->bytes = bytes;
  slab->place = &source->slabs[index];
  *slab->place = slab;
  cache->used += bytes;
  link_front(cache, slab);
  return slab;
}

const void *cache_row(Cache *cache, Source *source, int64_t row) {
  int64_t index = row / source->slab_rows;
  Slab *slab = source->slabs[index];

  if (slab == NULL) {
    slab = read_slab(cache, source, index);
    if (slab == NULL) return NULL;
  } else if (slab != cache->newest) {
    take_out(cache, slab);
    link_front(cache, slab);
  }
  return (const char *)slab->values + (row % source->slab_rows) * source->row_bytes;
}

void cache_drop(Cache *cache, Source *source) {
  int64_t slabs = source->slabs != NULL ? source->rows / source->slab_rows + 1 : 0;

  for (int64_t i = 0; i < slabs; i++)
    if (source->slabs[i] != NULL) drop_slab(cache, source->slabs[i]);
  free(source->slabs);
  source->slabs = NULL;
}
