/* SPDX-License-Identifier: Apache-2.0
 *
 * What a recorded graph holds in memory. */
#include "internal.h"
#include <stdlib.h>

/* Puts x on the list of what the graph holds, once. */
static void find(AbStack *found, AbTensor *x, uint64_t walk) {
  if (!x || x->permanent || x->walk == walk) return;
  x->walk = walk;
  ab_stack_push(x->ctx, found, x);
}

static int by_memory(const void *a, const void *b) {
  const AbTensor *x = *(AbTensor *const *)a, *y = *(AbTensor *const *)b;
  return (x->memory > y->memory) - (x->memory < y->memory);
}

static int64_t sum_of(AbStack *found) {
  int64_t bytes = 0;
  uint64_t before = 0; /* no memory has this number */
  if (found->count > 0) qsort(found->items, (size_t)found->count, sizeof *found->items, by_memory);
  for (int64_t i = 0; i < found->count; i++) {
    const AbTensor *x = found->items[i];
    if (x->kept) bytes += (int64_t)x->kept->bytes;
    if (x->memory != before && !x->state) bytes += x->bytes;
    before = x->memory;
  }
  return bytes;
}

int64_t ab_graph_bytes(AbTensor *y) {
  AbStack found = {0};
  if (!y || !y->op) return 0;
  uint64_t walk = ++y->ctx->walks;
  find(&found, y, walk);
  for (int64_t i = 0; i < found.count; i++) { /* which grows meanwhile */
    const AbTensor *x = found.items[i];
    for (int32_t j = 0; j < x->input_count; j++) find(&found, x->inputs[j], walk);
    for (int32_t j = 0; j < AB_SAVED; j++) find(&found, x->saved[j], walk);
  }
  int64_t bytes = sum_of(&found);
  free(found.items);
  return bytes;
}
