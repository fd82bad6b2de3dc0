/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations of plugins: custom.h says what they are. */
#include "../internal.h"
#include <string.h>

typedef struct {
  const AbCustomOp *op;
  _Alignas(16) char attributes[];
} Kept;

static void custom_backward(AbTensor *y, AbTensor *g) {
  const Kept *kept = y->kept->data;
  int32_t count = y->input_count;
  AbStorage *list = ab_host_storage_new(y->ctx, (size_t)count * sizeof(AbTensor *));
  if (!list) return;
  AbTensor **gradients = list->data;
  memset(gradients, 0, (size_t)count * sizeof *gradients);
  kept->op->backward(g, y, y->inputs, count, kept->attributes, gradients);
  for (int32_t i = 0; i < count; i++)
    if (y->inputs[i] != AB_NONE && gradients[i] != AB_NONE) ab_accumulate(y, i, gradients[i]);
  ab_storage_unref(y->ctx, list);
}
static const AbOp custom_op = {"custom", custom_backward, .once = true};
static const AbOp custom_twice_op = {"custom", custom_backward};

/* The context of the operands, all of one; NULL where one is NULL or after an error. */
static AbContext *context_of(const AbCustomOp *op, AbTensor *const *x, int32_t count) {
  AbContext *ctx = NULL;
  for (int32_t i = 0; i < count; i++) {
    if (!x[i]) return NULL;
    if (x[i] == AB_NONE) continue;
    if (ctx && x[i]->ctx != ctx) {
      ab_error(ctx, AB_INTERNAL, "%s: its operands belong to two contexts", op->name);
      return NULL;
    }
    ctx = x[i]->ctx;
  }
  return ctx;
}

static bool has_numbers(AbTensor *const *x, int32_t count) {
  for (int32_t i = 0; i < count; i++)
    if (x[i] != AB_NONE && !x[i]->storage) return false;
  return true;
}

/* Two AbOps serve every custom operation; the backward pass names it by its table. */
static bool keep(AbTensor *y, const AbCustomOp *op, const void *attributes, size_t size) {
  if (!y->op) return true;
  if (!(y->kept = ab_host_storage_new(y->ctx, sizeof(Kept) + size))) return false;
  Kept *kept = y->kept->data;
  kept->op = op;
  if (size > 0) memcpy(kept->attributes, attributes, size);
  return true;
}

AbTensor *ab_custom(const AbCustomOp *op, AbTensor *const *x, int32_t count, const void *attributes,
                    size_t size) {
  AbContext *ctx = context_of(op, x, count);
  if (!ctx || !ab_ok(ctx)) return NULL;
  AbShape shape = {0};
  if (x[0] == AB_NONE || op->struct_size < sizeof *op) {
    ab_error(ctx, AB_INTERNAL, "%s: %s", op->name,
             x[0] == AB_NONE ? "the first operand gives the type and cannot be AB_NONE"
                             : "its table is of an older SDK; compile the plugin anew");
    return NULL;
  }
  if (!op->shape(x, count, attributes, &shape)) {
    ab_error(ctx, AB_INTERNAL, "%s: its operands do not fit", op->name);
    return NULL;
  }
  bool numbers = has_numbers(x, count);
  AbTensor *y = ab_tensor_new(ctx, x[0]->dtype, shape.rank, shape.dims, !numbers);
  if (!y) return NULL;
  if (numbers) {
    bool recording = ab_set_recording(ctx, false);
    op->forward(y, x, count, attributes);
    ab_set_recording(ctx, recording);
  }
  ctx->custom_name = op->name;
  if (op->backward)
    ab_record(y, op->flags & AB_CUSTOM_TWICE ? &custom_twice_op : &custom_op, x, count);
  ctx->custom_name = NULL;
  return keep(y, op, attributes, size) && ab_ok(ctx) ? y : NULL;
}
