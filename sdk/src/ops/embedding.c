/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of a table by their numbers, and the positions of Vaswani et al. (2017):
 *   y_i = table[index_i];   dtable[r] = sum of dy_i over index_i = r, in the order of i
 *   position p: sin(p / 10000^(2i / width)) at 2i, cos of the same at 2i + 1 */
#include "../device/attention.h"
#include "matrix.h"
#include <math.h>

/* ---- rows of a table ------------------------------------------------------------------------- */

static AbTensor *scatter_rows(AbTensor *g, AbTensor *index, AbShape table, int64_t padding);

static void add_rows(AbTensor *table, AbTensor *g, const AbTensor *index, int64_t padding) {
  if (!(g = ab_dense(g)) || ab_tensor_count(g) == 0) return;
  table->ctx->device->attention->embed_grad(table->dtype, ab_tensor_count(index), table->shape[1],
                                            ab_data_of(index), padding, ab_data_of(g),
                                            ab_data_of(table));
}

static void embedding_backward(AbTensor *y, AbTensor *g) {
  AbTensor *index = y->saved[0];
  if (y->ctx->differentiable) {
    ab_accumulate(y, 0, scatter_rows(g, index, ab_shape(y->inputs[0]), y->ints[0]));
    return;
  }
  AbTensor *all = ab_gradient_in_place(y, 0);
  if (all && ab_tensor_dense(all))
    add_rows(all, g, index, y->ints[0]);
  else if (all)
    ab_accumulate(y, 0, scatter_rows(g, index, ab_shape(y->inputs[0]), y->ints[0]));
}
static const AbOp embedding_op = {"embedding", embedding_backward};

static void scatter_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_embedding_rows(g, y->saved[0], y->ints[0]));
}
static const AbOp scatter_op = {"embedding", scatter_backward};

static AbTensor *scatter_rows(AbTensor *g, AbTensor *index, AbShape table, int64_t padding) {
  AbTensor *y = ab_full(g->ctx, g->dtype, table, 0);
  if (!y) return NULL;
  add_rows(y, g, index, padding);
  y->ints[0] = padding;
  ab_record(y, &scatter_op, &g, 1);
  ab_save(y, 0, index);
  return y;
}

AbTensor *ab_embedding_rows(AbTensor *table, AbTensor *index, int64_t padding) {
  if (!(table = ab_dense(table))) return NULL;
  AbShape shape = ab_shape(index);
  int64_t width = table->shape[1];
  shape.dims[shape.rank++] = width;
  bool shape_only = !table->storage || !index->storage;
  AbTensor *y = ab_tensor_new(table->ctx, table->dtype, shape.rank, shape.dims, shape_only);
  if (!y) return NULL;
  if (!shape_only && ab_tensor_count(y) > 0)
    y->ctx->device->attention->embed(y->dtype, ab_tensor_count(index), width, ab_data_of(index),
                                     padding, ab_data_of(table), ab_data_of(y));
  y->ints[0] = padding;
  ab_record(y, &embedding_op, &table, 1);
  ab_save(y, 0, index);
  return y;
}

static bool within(const AbTensor *index, int64_t rows, int64_t padding) {
  const int64_t *at = ab_data_of(index);
  for (int64_t i = 0; i < ab_tensor_count(index); i++) {
    if ((at[i] >= 0 && at[i] < rows) || (padding >= 0 && at[i] == padding)) continue;
    AbShape where = ab_shape(index);
    int64_t rest = i;
    for (int32_t axis = where.rank - 1; axis >= 0; axis--) {
      where.dims[axis] = rest % index->shape[axis];
      rest /= index->shape[axis];
    }
    char text[200];
    ab_error(index->ctx, AB_DATA, "embedding: index %lld at %s is not within 0 to %lld",
             (long long)at[i], ab_shape_text(where, text, sizeof text), (long long)rows - 1);
    return false;
  }
  return true;
}

AbTensor *ab_embedding(AbTensor *table, AbTensor *index, int64_t padding) {
  if (!ab_belong_together("embedding", table, index) || !ab_is_real(table, "embedding"))
    return NULL;
  bool integer = index->dtype == AB_I64 || index->dtype == AB_I32 || index->dtype == AB_U8;
  if (table->rank != 2 || !integer || index->rank == AB_MAX_RANK) {
    char left[220], right[220];
    ab_error(
        table->ctx, AB_CONFIG,
        "embedding: a table of %s and an index of %s; wanted are [v, d] and i64, i32 or u8 of rank 0 to %d",
        ab_tensor_text(table, left, sizeof left), ab_tensor_text(index, right, sizeof right),
        AB_MAX_RANK - 1);
    return NULL;
  }
  if (!(index = ab_cast(index, AB_I64))) return NULL;
  if (padding < 0) padding = AB_NO_PADDING;
  if (index->storage && !within(index, table->shape[0], padding)) return NULL;
  return ab_embedding_rows(table, index, padding);
}

/* ---- positions ------------------------------------------------------------------------------- */

AbTensor *ab_sinusoidal_positions(AbContext *ctx, int64_t length, int64_t width) {
  AbTensor *y = ab_empty(ctx, AB_F64, AB_SHAPE(length, width));
  double *to = y ? ab_map(y, true) : NULL;
  if (!to) return NULL;
  for (int64_t p = 0; p < length; p++) {
    for (int64_t i = 0; i < width; i++) {
      double angle = (double)p * pow(10000, -(double)(i & ~INT64_C(1)) / (double)width);
      to[p * width + i] = i & 1 ? cos(angle) : sin(angle);
    }
  }
  ab_unmap(y);
  return ab_cast(y, ctx->real);
}
