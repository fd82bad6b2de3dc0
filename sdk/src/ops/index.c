/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving by index. What is moved may be of any type; sums are of real numbers. The backward of a
 * gather is a scatter and the other way round. */
#include "../device/index.h"
#include "along.h"
#include <string.h>

/* ---- checks ---------------------------------------------------------------------------------- */

static bool complain(const char *operation, const AbTensor *x, const AbTensor *index,
                     const char *wanted) {
  char of[220], by[220];
  ab_error(x->ctx, AB_CONFIG, "%s of %s by an index of %s; %s", operation,
           ab_tensor_text(x, of, sizeof of), ab_tensor_text(index, by, sizeof by), wanted);
  return false;
}

static void report(const char *operation, const AbTensor *index, int64_t at, int64_t value,
                   int64_t limit) {
  AbShape position = {.rank = index->rank};
  for (int32_t i = index->rank - 1; i >= 0; i--) {
    position.dims[i] = at % index->shape[i];
    at /= index->shape[i];
  }
  char text[220];
  ab_error(index->ctx, AB_DATA, "%s: the index %lld at %s is not within 0 to %lld", operation,
           (long long)value, ab_shape_text(position, text, sizeof text), (long long)limit - 1);
}

/* An index of integers as a dense AB_I64 tensor, every one of it below `limit`. */
static AbTensor *checked(const char *operation, AbTensor *index, int64_t limit) {
  if (!(index = ab_cast(index, AB_I64)) || !index->storage) return index;
  const int64_t *value = ab_data_of(index);
  int64_t count = ab_tensor_count(index);
  for (int64_t i = 0; i < count; i++) {
    if (value[i] >= 0 && value[i] < limit) continue;
    report(operation, index, i, value[i], limit);
    return NULL;
  }
  return index;
}

static bool is_index(const char *operation, const AbTensor *x, const AbTensor *index) {
  if (!ab_belong_together(operation, x, index)) return false;
  if (index->dtype == AB_I64 || index->dtype == AB_I32 || index->dtype == AB_U8) return true;
  return complain(operation, x, index, "wanted i64 (or i32, u8)");
}

/* x [outer, n, inner] around an axis, dense or to be made so. */
static AbExtent around(const AbTensor *x, int32_t axis) {
  AbExtent e = {1, x->shape[axis], 1};
  for (int32_t i = 0; i < axis; i++) e.outer *= x->shape[i];
  for (int32_t i = axis + 1; i < x->rank; i++) e.inner *= x->shape[i];
  return e;
}

static AbTensor *unrecorded_dense(AbTensor *x) {
  bool recording = ab_set_recording(x->ctx, false);
  AbTensor *dense = ab_dense(x);
  ab_set_recording(x->ctx, recording);
  return dense;
}

static AbTensor *zeros_of(AbTensor *x) {
  return ab_full(x->ctx, x->dtype, ab_shape(x), 0);
}

/* ---- element by element ---------------------------------------------------------------------- */

/* all[... index ...] += source */
static void scatter_into(AbTensor *all, int32_t axis, AbTensor *index, AbTensor *source) {
  if (ab_tensor_count(source) == 0) return;
  AbTensor window = *all;
  memcpy(window.shape, source->shape, sizeof window.shape);
  window.stride[axis] = 0;
  AbLoop loop = ab_loop3(source, &window, index, NULL);
  all->ctx->device->index->scatter_add(all->dtype, &loop, all->stride[axis], ab_data_of(all),
                                       ab_data_of(source), ab_data_of(index));
}

static void gather_backward(AbTensor *y, AbTensor *g) {
  int32_t axis = (int32_t)y->ints[0];
  if (y->ctx->differentiable) {
    ab_accumulate(y, 0, ab_scatter_add(zeros_of(y->inputs[0]), axis, y->saved[0], g));
    return;
  }
  /* dense: the order of the terms is then that of the axes */
  AbTensor *all = ab_gradient_in_place(y, 0), *dense = ab_dense(g);
  if (all && dense) scatter_into(all, axis, y->saved[0], dense);
}
static const AbOp gather_op = {"gather", gather_backward};

/* Whether the index has the rank of x and is no longer along the other axes. */
static bool within(const char *operation, const AbTensor *x, const AbTensor *index, int32_t axis) {
  bool fits = index->rank == x->rank;
  for (int32_t i = 0; fits && i < x->rank; i++) fits = i == axis || index->shape[i] <= x->shape[i];
  return fits || complain(operation, x, index, "wanted the same rank and no longer other axes");
}

AbTensor *ab_gather(AbTensor *x, int32_t axis, AbTensor *index) {
  if (!is_index("gather", x, index) || !ab_axis("gather", x, &axis) ||
      !within("gather", x, index, axis) || !(index = checked("gather", index, x->shape[axis])))
    return NULL;
  bool shape_only = !x->storage || !index->storage;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, index->rank, index->shape, shape_only);
  if (!y) return NULL;
  if (!shape_only && ab_tensor_count(y) > 0) {
    AbTensor window = *x;
    memcpy(window.shape, y->shape, sizeof window.shape);
    window.stride[axis] = 0;
    AbLoop loop = ab_loop(y, &window, index);
    x->ctx->device->index->gather(x->dtype, &loop, x->stride[axis], ab_data_of(y), ab_data_of(x),
                                  ab_data_of(index));
  }
  y->ints[0] = axis;
  ab_record(y, &gather_op, &x, 1);
  ab_save(y, 0, index);
  return y;
}

static void scatter_backward(AbTensor *y, AbTensor *g) {
  if (ab_wants(y, 0)) ab_accumulate(y, 0, g);
  if (ab_wants(y, 1)) ab_accumulate(y, 1, ab_gather(g, (int32_t)y->ints[0], y->saved[0]));
}
static const AbOp scatter_op = {"scatter_add", scatter_backward};

AbTensor *ab_scatter_add(AbTensor *x, int32_t axis, AbTensor *index, AbTensor *source) {
  if (!ab_fit("scatter_add", x, source) || !is_index("scatter_add", x, index) ||
      !ab_axis("scatter_add", x, &axis) || !within("scatter_add", x, index, axis))
    return NULL;
  bool covers = source->rank == index->rank;
  for (int32_t i = 0; covers && i < index->rank; i++) covers = index->shape[i] <= source->shape[i];
  if (!covers) {
    complain("scatter_add", source, index, "wanted a source of at least the index's shape");
    return NULL;
  }
  if (!(index = checked("scatter_add", index, x->shape[axis]))) return NULL;
  for (int32_t i = 0; source && i < index->rank; i++)
    if (index->shape[i] < source->shape[i]) source = ab_slice(source, i, 0, index->shape[i]);
  if (!source) return NULL;
  bool shape_only = !x->storage || !index->storage || !source->storage;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, shape_only);
  if (!y) return NULL;
  if (!shape_only && ab_tensor_count(y) > 0) {
    AbLoop loop = ab_loop(y, x, NULL);
    x->ctx->device->copy(&loop, y->dtype, ab_data_of(y), x->dtype, ab_data_of(x));
    AbTensor *dense = unrecorded_dense(source);
    if (!dense) return NULL;
    scatter_into(y, axis, index, dense);
  }
  y->ints[0] = axis;
  ab_record(y, &scatter_op, (AbTensor *[]){x, source}, 2);
  ab_save(y, 0, index);
  return y;
}

AbTensor *ab_pick(AbTensor *x, AbTensor *index) {
  if (!is_index("pick", x, index)) return NULL;
  bool fits = x->rank > 0 && index->rank == x->rank - 1;
  for (int32_t i = 0; fits && i < index->rank; i++) fits = index->shape[i] == x->shape[i];
  if (!fits) {
    complain("pick", x, index, "wanted the shape without the last axis");
    return NULL;
  }
  return ab_squeeze(ab_gather(x, -1, ab_unsqueeze(index, -1)), -1);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Dense `all` += source at rows of the axis */
static void add_into(AbTensor *all, int32_t axis, AbTensor *index, AbTensor *source) {
  AbExtent e = around(all, axis);
  if (ab_tensor_count(source) > 0)
    all->ctx->device->index->add_rows(all->dtype, e.outer, e.middle, index->shape[0], e.inner,
                                      ab_data_of(all), ab_data_of(source), ab_data_of(index));
}

static void select_backward(AbTensor *y, AbTensor *g) {
  int32_t axis = (int32_t)y->ints[0];
  AbTensor *x = y->inputs[0], *index = y->saved[0];
  if (y->ctx->differentiable) {
    ab_accumulate(y, 0, ab_index_add(zeros_of(x), axis, index, g));
    return;
  }
  AbTensor *all = ab_gradient_in_place(y, 0), *dense = ab_dense(g);
  if (!all || !dense) return;
  if (ab_tensor_dense(all)) {
    add_into(all, axis, index, dense);
    return;
  }
  AbTensor *sum = zeros_of(x); /* the gradient lies in another order */
  if (!sum) return;
  add_into(sum, axis, index, dense);
  AbLoop loop = ab_loop(all, all, sum);
  all->ctx->device->binary(K_ADD, all->dtype, &loop, ab_data_of(all), ab_data_of(all),
                           ab_data_of(sum));
}
static const AbOp select_op = {"index_select", select_backward};

AbTensor *ab_index_select(AbTensor *x, int32_t axis, AbTensor *index) {
  if (!is_index("index_select", x, index) || !ab_axis("index_select", x, &axis)) return NULL;
  if (index->rank != 1) {
    complain("index_select", x, index, "wanted rank 1");
    return NULL;
  }
  if (!(index = checked("index_select", index, x->shape[axis]))) return NULL;
  AbShape shape = ab_shape(x);
  shape.dims[axis] = index->shape[0];
  bool shape_only = !x->storage || !index->storage;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, shape.rank, shape.dims, shape_only);
  if (!y) return NULL;
  if (!shape_only && ab_tensor_count(y) > 0) {
    AbTensor *dense = unrecorded_dense(x);
    if (!dense) return NULL;
    AbExtent e = around(x, axis);
    x->ctx->device->index->take_rows(x->dtype, e.outer, e.middle, index->shape[0], e.inner,
                                     ab_data_of(y), ab_data_of(dense), ab_data_of(index));
  }
  y->ints[0] = axis;
  ab_record(y, &select_op, &x, 1);
  ab_save(y, 0, index);
  return y;
}

static void index_add_backward(AbTensor *y, AbTensor *g) {
  if (ab_wants(y, 0)) ab_accumulate(y, 0, g);
  if (ab_wants(y, 1)) ab_accumulate(y, 1, ab_index_select(g, (int32_t)y->ints[0], y->saved[0]));
}
static const AbOp index_add_op = {"index_add", index_add_backward};

AbTensor *ab_index_add(AbTensor *x, int32_t axis, AbTensor *index, AbTensor *source) {
  if (!ab_fit("index_add", x, source) || !is_index("index_add", x, index) ||
      !ab_axis("index_add", x, &axis))
    return NULL;
  bool fits = index->rank == 1 && source->rank == x->rank;
  for (int32_t i = 0; fits && i < x->rank; i++)
    fits = source->shape[i] == (i == axis ? index->shape[0] : x->shape[i]);
  if (!fits) {
    char from[220], to[220];
    ab_error(x->ctx, AB_CONFIG, "index_add: %s to %s along axis %d, at %d places",
             ab_tensor_text(source, from, sizeof from), ab_tensor_text(x, to, sizeof to), axis,
             index->rank == 1 ? (int)index->shape[0] : -1);
    return NULL;
  }
  if (!(index = checked("index_add", index, x->shape[axis]))) return NULL;
  bool shape_only = !x->storage || !index->storage || !source->storage;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, shape_only);
  if (!y) return NULL;
  if (!shape_only && ab_tensor_count(y) > 0) {
    AbLoop loop = ab_loop(y, x, NULL);
    x->ctx->device->copy(&loop, y->dtype, ab_data_of(y), x->dtype, ab_data_of(x));
    AbTensor *dense = unrecorded_dense(source);
    if (!dense) return NULL;
    add_into(y, axis, index, dense);
  }
  y->ints[0] = axis;
  ab_record(y, &index_add_op, (AbTensor *[]){x, source}, 2);
  ab_save(y, 0, index);
  return y;
}
