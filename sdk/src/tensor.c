/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors: making, releasing, looking at, reading. */
#include "internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- element types and shapes ---------------------------------------------------------------- */

static const struct {
  const char *name;
  size_t size;
} dtypes[] = {{"?", 0}, {"f32", 4}, {"f64", 8}, {"u8", 1}, {"i32", 4}, {"i64", 8}, {"bool", 1}};

size_t ab_dtype_size(AbDtype dtype) {
  return dtype >= AB_F32 && dtype <= AB_BOOL ? dtypes[dtype].size : 0;
}

const char *ab_dtype_name(AbDtype dtype) {
  return dtypes[dtype >= AB_F32 && dtype <= AB_BOOL ? dtype : 0].name;
}

AbShape ab_scalar_shape(void) {
  return (AbShape){0};
}

const char *ab_shape_text(AbShape shape, char *buffer, size_t size) {
  size_t used = (size_t)snprintf(buffer, size, "[");
  for (int32_t i = 0; i < shape.rank && i < AB_MAX_RANK && used < size; i++)
    used += (size_t)snprintf(buffer + used, size - used, "%s%lld", i ? ", " : "",
                             (long long)shape.dims[i]);
  if (used < size) snprintf(buffer + used, size - used, "]");
  return buffer;
}

int64_t ab_shape_count(AbShape shape) {
  int64_t count = 1;
  bool empty = false;
  if (shape.rank < 0 || shape.rank > AB_MAX_RANK) return -1;
  for (int32_t i = 0; i < shape.rank; i++) {
    if (shape.dims[i] < 0) return -1;
    if (shape.dims[i] == 0)
      empty = true;
    else if (__builtin_mul_overflow(count, shape.dims[i], &count))
      return -1;
  }
  return empty ? 0 : count;
}

const char *ab_tensor_text(const AbTensor *x, char *buffer, size_t size) {
  int used = snprintf(buffer, size, "%s ", ab_dtype_name(x->dtype));
  ab_shape_text(ab_shape(x), buffer + used, size - (size_t)used);
  return buffer;
}

/* ---- life ------------------------------------------------------------------------------------ */

static AbTensor none = {.refs = 1, .permanent = true};
AbTensor *const AB_NONE = &none;

static AbTensor *header_new(AbContext *ctx) {
  AbTensor *tensor = ctx->free_tensors;
  if (tensor) {
    ctx->free_tensors = tensor->next_free;
  } else {
    tensor = malloc(sizeof *tensor);
    if (!tensor) {
      ab_error(ctx, AB_INTERNAL, "out of memory");
      return NULL;
    }
    ctx->allocations++;
  }
  memset(tensor, 0, sizeof *tensor);
  tensor->ctx = ctx;
  tensor->refs = 1;
  tensor->id = ctx->next_id++;
  tensor->memory = tensor->id;
  return tensor;
}

static void let_go(AbContext *ctx, AbTensor *held) {
  if (!held || held->permanent || --held->refs > 0) return;
  held->next_free = ctx->dying;
  ctx->dying = held;
}

/* Releases without recursion, as a long chain must not need a deep stack, and without memory. */
static void tensor_release(AbTensor *tensor) {
  AbContext *ctx = tensor->ctx;
  tensor->next_free = NULL;
  ctx->dying = tensor;
  while ((tensor = ctx->dying)) {
    ctx->dying = tensor->next_free;
    for (int32_t i = 0; i < tensor->input_count; i++) let_go(ctx, tensor->inputs[i]);
    for (int32_t i = 0; i < AB_SAVED; i++) let_go(ctx, tensor->saved[i]);
    let_go(ctx, tensor->grad);
    let_go(ctx, tensor->tied_to);
    ab_storage_unref(ctx, tensor->storage);
    ab_storage_unref(ctx, tensor->block);
    ab_storage_unref(ctx, tensor->kept);
    ab_storage_unref(ctx, tensor->mirror);
    tensor->next_free = ctx->free_tensors;
    ctx->free_tensors = tensor;
  }
}

AbTensor *ab_ref(AbTensor *x) {
  if (x && !x->permanent) x->refs++;
  return x;
}

void ab_unref(AbTensor *x) {
  if (x && !x->permanent && --x->refs == 0) tensor_release(x);
}

static AbTensor *own(AbTensor *tensor) {
  if (tensor && !ab_stack_push(tensor->ctx, &tensor->ctx->owned, tensor)) {
    ab_unref(tensor);
    return NULL;
  }
  return tensor;
}

AbTensor *ab_tensor_new_unowned(AbContext *ctx, AbDtype dtype, int32_t rank, const int64_t *shape,
                                bool shape_only) {
  if (!ctx) return NULL; /* that of a NULL */
  AbShape wanted = {.rank = rank};
  if (rank >= 0 && rank <= AB_MAX_RANK) memcpy(wanted.dims, shape, (size_t)rank * sizeof *shape);
  int64_t count = ab_shape_count(wanted);
  size_t bytes;
  if (count < 0 || !ab_dtype_size(dtype) ||
      __builtin_mul_overflow((size_t)count, ab_dtype_size(dtype), &bytes)) {
    char text[200];
    ab_error(ctx, AB_CONFIG, "a tensor of %s %s cannot be made (rank 0 to %d, no axis below 0)",
             ab_dtype_name(dtype), ab_shape_text(wanted, text, sizeof text), AB_MAX_RANK);
    return NULL;
  }
  AbTensor *tensor = header_new(ctx);
  if (!tensor) return NULL;
  if (!shape_only && !(tensor->storage = ab_storage_new(ctx, bytes))) {
    ab_unref(tensor);
    return NULL;
  }
  tensor->dtype = dtype;
  tensor->rank = rank;
  tensor->bytes = (int64_t)bytes;
  int64_t stride = 1;
  for (int32_t i = rank - 1; i >= 0; i--) {
    tensor->shape[i] = shape[i];
    tensor->stride[i] = stride;
    stride *= shape[i] > 0 ? shape[i] : 1;
  }
  return tensor;
}

AbTensor *ab_tensor_new(AbContext *ctx, AbDtype dtype, int32_t rank, const int64_t *shape,
                        bool shape_only) {
  return own(ab_tensor_new_unowned(ctx, dtype, rank, shape, shape_only));
}

AbTensor *ab_tensor_view(AbTensor *x) {
  AbTensor *view = header_new(x->ctx);
  if (!view) return NULL;
  view->storage = x->storage;
  if (x->storage) x->storage->refs++;
  view->memory = x->memory;
  view->bytes = x->bytes;
  view->state = x->state;
  view->offset = x->offset;
  view->dtype = x->dtype;
  view->rank = x->rank;
  memcpy(view->shape, x->shape, sizeof x->shape);
  memcpy(view->stride, x->stride, sizeof x->stride);
  return own(view);
}

AbTensor *ab_empty(AbContext *ctx, AbDtype dtype, AbShape shape) {
  return ab_tensor_new(ctx, dtype, shape.rank, shape.dims, false);
}

AbTensor *ab_dry_tensor(AbContext *ctx, AbDtype dtype, AbShape shape) {
  return ab_tensor_new(ctx, dtype, shape.rank, shape.dims, true);
}

AbTensor *ab_full(AbContext *ctx, AbDtype dtype, AbShape shape, double value) {
  AbTensor *y = ab_empty(ctx, dtype, shape);
  if (y) ctx->device->fill(dtype, ab_tensor_count(y), ab_data_of(y), value);
  return y;
}

AbTensor *ab_zeros(AbContext *ctx, AbShape shape) {
  return ctx ? ab_full(ctx, ctx->real, shape, 0) : NULL;
}

AbTensor *ab_from(AbContext *ctx, AbDtype dtype, AbShape shape, const void *data) {
  AbTensor *y = ab_empty(ctx, dtype, shape);
  if (y && ab_tensor_count(y) > 0)
    memcpy(ab_data_of(y), data, (size_t)ab_tensor_count(y) * ab_dtype_size(dtype));
  return y;
}

/* ---- looking --------------------------------------------------------------------------------- */

AbContext *ab_context_of(const AbTensor *x) {
  return x ? x->ctx : NULL;
}

AbDtype ab_dtype(const AbTensor *x) {
  return x ? x->dtype : 0;
}

AbShape ab_shape(const AbTensor *x) {
  AbShape shape = {0};
  if (!x) return shape;
  shape.rank = x->rank;
  memcpy(shape.dims, x->shape, (size_t)x->rank * sizeof *x->shape);
  return shape;
}

int32_t ab_rank(const AbTensor *x) {
  return x ? x->rank : 0;
}

int64_t ab_dim(const AbTensor *x, int32_t axis) {
  if (!x) return 0;
  if (axis < 0) axis += x->rank;
  if (axis < 0 || axis >= x->rank) {
    char text[220];
    ab_error(x->ctx, AB_CONFIG, "axis %d asked of a tensor of %s", axis,
             ab_tensor_text(x, text, sizeof text));
    return 0;
  }
  return x->shape[axis];
}

int64_t ab_tensor_count(const AbTensor *x) {
  int64_t count = 1;
  for (int32_t i = 0; i < x->rank; i++) count *= x->shape[i];
  return count;
}

int64_t ab_count(const AbTensor *x) {
  return x ? ab_tensor_count(x) : 0;
}

uint64_t ab_tensor_memory(const AbTensor *x) {
  return x ? x->memory : 0;
}

bool ab_is_none(const AbTensor *x) {
  return x == AB_NONE;
}

bool ab_is_shape_only(const AbTensor *x) {
  return x && x != AB_NONE && !x->storage;
}

bool ab_tensor_dense(const AbTensor *x) {
  int64_t stride = 1;
  for (int32_t i = x->rank - 1; i >= 0; i--) {
    if (x->shape[i] != 1 && x->stride[i] != stride) return ab_tensor_count(x) == 0;
    stride *= x->shape[i];
  }
  return true;
}

bool ab_tensor_packed(const AbTensor *x) {
  int64_t wanted = 1, left = 0;
  for (int32_t i = 0; i < x->rank; i++) {
    if (x->shape[i] == 0) return ab_tensor_dense(x);
    left += x->shape[i] != 1;
  }
  while (left > 0) { /* the axis whose stride is the extent of those found so far */
    int32_t i = 0;
    while (i < x->rank && (x->shape[i] == 1 || x->stride[i] != wanted)) i++;
    if (i == x->rank) return false;
    wanted *= x->shape[i];
    left--;
  }
  return true;
}

AbTensor *ab_tensor_like(AbTensor *x, AbDtype dtype, bool shape_only) {
  AbTensor *y = ab_tensor_new(x->ctx, dtype, x->rank, x->shape, shape_only);
  if (y && ab_tensor_packed(x)) memcpy(y->stride, x->stride, sizeof y->stride);
  return y;
}

AbTensor *ab_channels_last_new(AbContext *ctx, AbDtype dtype, int32_t rank, const int64_t *shape,
                               bool shape_only) {
  AbTensor *y = ab_tensor_new(ctx, dtype, rank, shape, shape_only);
  if (!y || rank < 3) return y;
  int64_t stride = shape[1] > 0 ? shape[1] : 1;
  y->stride[1] = 1;
  for (int32_t i = rank - 1; i >= 2; i--) {
    y->stride[i] = stride;
    stride *= shape[i] > 0 ? shape[i] : 1;
  }
  y->stride[0] = stride;
  return y;
}

void *ab_data_of(const AbTensor *x) {
  return x->storage ? (char *)x->storage->data + x->offset * (int64_t)ab_dtype_size(x->dtype)
                    : NULL;
}

bool ab_same_shape(const AbTensor *a, const AbTensor *b) {
  return a->rank == b->rank && memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0;
}

bool ab_is_real(const AbTensor *x, const char *operation) {
  if (!x) return false;
  if (x == AB_NONE) return false;
  if (x->dtype == AB_F32 || x->dtype == AB_F64) return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG, "%s wants real numbers (f32 or f64), not %s; see ab_cast", operation,
           ab_tensor_text(x, text, sizeof text));
  return false;
}

/* ---- reading and writing --------------------------------------------------------------------- */

static void copy_into(AbTensor *y, const AbTensor *x) {
  AbLoop loop = ab_loop(y, x, NULL);
  y->ctx->device->copy(&loop, y->dtype, ab_data_of(y), x->dtype, ab_data_of(x));
}

/* Gives a result that a device has left in an order of its own (channels last) the order of its
 * axes. Not for views: they share their memory.                                                  */
static bool put_in_order(AbTensor *x) {
  if (x->storage->refs != 1 || x->offset != 0) return false;
  AbTensor *y = ab_tensor_new_unowned(x->ctx, x->dtype, x->rank, x->shape, false);
  if (!y) return false;
  copy_into(y, x);
  y->storage->version = x->storage->version;
  AbStorage *before = x->storage;
  x->storage = y->storage;
  y->storage = before;
  memcpy(x->stride, y->stride, sizeof x->stride);
  ab_unref(y);
  return true;
}

/* The elements of x in the order of its axes, in memory that stays x's own: the tensors that share
 * the storage of x keep theirs. Filled anew each time, as a weight may have been assigned to. */
static void *mirror_of(AbTensor *x) {
  AbTensor *y = ab_tensor_new_unowned(x->ctx, x->dtype, x->rank, x->shape, x->mirror != NULL);
  if (!y) return NULL;
  if (x->mirror)
    y->storage = x->mirror;
  else
    x->mirror = y->storage;
  x->mirror->refs++;
  copy_into(y, x);
  ab_unref(y);
  return x->mirror->data;
}

void *ab_map(AbTensor *x, bool write) {
  if (!x || x == AB_NONE) return NULL;
  char text[220];
  if (!x->storage) {
    ab_error(x->ctx, AB_INTERNAL,
             "a dry run asked for the numbers of a tensor of %s, which has only a shape",
             ab_tensor_text(x, text, sizeof text));
    return NULL;
  }
  if (!ab_tensor_dense(x) && (!ab_tensor_packed(x) || !put_in_order(x))) {
    if (!write) return mirror_of(x);
    ab_error(x->ctx, AB_INTERNAL,
             "a strided view of %s cannot be mapped for writing; see ab_assign, ab_cast",
             ab_tensor_text(x, text, sizeof text));
    return NULL;
  }
  if (write) x->storage->version++;
  return ab_data_of(x);
}

void ab_unmap(AbTensor *x) {
  (void)x; /* memory of these devices is always there; a GPU copies back here */
}

double ab_item(AbTensor *x) {
  if (!x || x == AB_NONE) return NAN;
  if (ab_tensor_count(x) != 1) {
    char text[220];
    ab_error(x->ctx, AB_INTERNAL, "ab_item wants a tensor of one element, not %s",
             ab_tensor_text(x, text, sizeof text));
    return NAN;
  }
  if (!x->storage) return 0;
  double value = 0;
  AbLoop loop = {0};
  x->ctx->device->copy(&loop, AB_F64, &value, x->dtype, ab_data_of(x));
  return value;
}

void ab_assign(AbTensor *target, AbTensor *value) {
  if (!target || !value || target == AB_NONE || value == AB_NONE) return;
  if (!ab_same_shape(target, value)) {
    char a[220], b[220];
    ab_error(target->ctx, AB_INTERNAL, "assign: %s does not fit into %s",
             ab_tensor_text(value, a, sizeof a), ab_tensor_text(target, b, sizeof b));
    return;
  }
  if (!target->storage || !value->storage) return;
  copy_into(target, value);
  target->storage->version++;
}
