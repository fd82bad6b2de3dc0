/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches: named tensors. */
#include "../internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 20

struct AbBatch {
  AbContext *ctx;
  int64_t samples;
  int32_t count;
  char names[MAX_FIELDS][64];
  AbTensor *tensors[MAX_FIELDS];
};

AbBatch *ab_batch_new(AbContext *ctx, int64_t count) {
  AbBatch *batch = calloc(1, sizeof *batch);
  if (!batch) {
    ab_error(ctx, AB_INTERNAL, "out of memory");
    return NULL;
  }
  batch->ctx = ctx;
  batch->samples = count;
  return batch;
}

void ab_batch_free(AbBatch *batch) {
  if (!batch) return;
  for (int32_t i = 0; i < batch->count; i++) ab_unref(batch->tensors[i]);
  free(batch);
}

void ab_batch_put(AbBatch *batch, const char *name, AbTensor *value) {
  if (!value) return;
  int32_t i = 0;
  while (i < batch->count && strcmp(batch->names[i], name) != 0) i++;
  if (i == MAX_FIELDS) {
    ab_error(batch->ctx, AB_INTERNAL, "a batch holds at most %d fields", MAX_FIELDS);
    return;
  }
  ab_ref(value);
  if (i < batch->count)
    ab_unref(batch->tensors[i]);
  else
    snprintf(batch->names[batch->count++], sizeof batch->names[i], "%s", name);
  batch->tensors[i] = value;
}

AbTensor *ab_batch_find(const AbBatch *batch, const char *name) {
  for (int32_t i = 0; i < batch->count; i++)
    if (strcmp(batch->names[i], name) == 0) return batch->tensors[i];
  return NULL;
}

const AbBatch *ab_set_batch(AbContext *ctx, const AbBatch *batch) {
  const AbBatch *before = ctx->batch;
  ctx->batch = batch;
  return before;
}

AbTensor *ab_given(const AbModel *self, const char *field, int64_t samples) {
  const AbBatch *batch = self->state->ctx->batch;
  AbTensor *found = batch ? ab_batch_find(batch, field) : NULL;
  return found && found->rank > 0 && found->shape[0] == samples ? found : AB_NONE;
}

bool ab_batch_has(const AbBatch *batch, const char *name) {
  return ab_batch_find(batch, name) != NULL;
}

AbTensor *ab_batch_get(const AbBatch *batch, const char *name) {
  AbTensor *found = ab_batch_find(batch, name);
  if (found) return found;
  char known[400] = "nothing";
  size_t used = 0;
  for (int32_t i = 0; i < batch->count && used < sizeof known; i++)
    used +=
        (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", batch->names[i]);
  ab_error(batch->ctx, AB_CONFIG, "the data has no field '%s'; it has: %s", name, known);
  return NULL;
}

int64_t ab_batch_count(const AbBatch *batch) {
  return batch->samples;
}
