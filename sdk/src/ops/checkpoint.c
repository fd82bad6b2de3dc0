/* SPDX-License-Identifier: Apache-2.0
 *
 * Gradient checkpointing (Chen, Xu, Zhang, Guestrin: Training deep nets with sublinear memory cost,
 * 2016): a piece of the graph is not recorded, but run again within the backward pass. */
#include "../internal.h"
#include <string.h>

typedef AbTensor *(*Function)(void *data, AbTensor *const *x, int32_t count);

typedef struct {
  Function f;
  void *data;
  AbInstance *current; /* the component that was at work */
  int64_t count;       /* of the draws */
  AbDraw draws[];
} Kept;

/* The operands anew, as leaves of the repeated piece. */
static void as_leaves(AbTensor *y, AbTensor **leaves) {
  for (int32_t i = 0; i < y->input_count; i++) {
    leaves[i] = ab_detach(y->inputs[i]);
    if (leaves[i] && y->inputs[i] != AB_NONE) leaves[i]->needs_grad = ab_wants(y, i);
  }
}

static AbTensor *repeat(AbTensor *y, AbTensor **leaves) {
  AbContext *ctx = y->ctx;
  const Kept *kept = y->kept->data;
  AbDrawLog log = {.draws = kept->draws, .count = kept->count, .outer = ctx->logs};
  AbInstance *before = ctx->current;
  bool recording = ab_set_recording(ctx, true);
  ctx->logs = &log;
  ctx->current = kept->current;
  AbTensor *again = kept->f(kept->data, leaves, y->input_count);
  ctx->current = before;
  ctx->logs = log.outer;
  ab_set_recording(ctx, recording);
  return again;
}

static void checkpoint_backward(AbTensor *y, AbTensor *g) {
  AbContext *ctx = y->ctx;
  AbStorage *list = ab_host_storage_new(ctx, (size_t)y->input_count * sizeof(AbTensor *));
  if (!list) return;
  AbTensor **leaves = list->data;
  uint64_t first_id = ctx->next_id;
  as_leaves(y, leaves);
  AbTensor *again = ab_ok(ctx) ? repeat(y, leaves) : NULL;
  if (again && !ab_same_shape(again, y))
    ab_error(ctx, AB_INTERNAL, "checkpoint: the function gave another shape the second time");
  else
    ab_backward_from(again, g, first_id);
  for (int32_t i = 0; i < y->input_count; i++)
    if (leaves[i] && leaves[i] != AB_NONE && leaves[i]->grad) ab_accumulate(y, i, leaves[i]->grad);
  ab_storage_unref(ctx, list);
}
static const AbOp checkpoint_op = {"checkpoint", checkpoint_backward, .once = true};

static AbContext *context_of(AbTensor *const *x, int32_t count) {
  AbContext *ctx = NULL;
  for (int32_t i = 0; i < count; i++) {
    if (!x[i]) return NULL;
    if (x[i] != AB_NONE) ctx = x[i]->ctx;
  }
  return ctx;
}

/* Runs f without a record, noting its draws. */
static AbTensor *run_unrecorded(AbContext *ctx, Function f, void *data, AbTensor *const *x,
                                int32_t count, AbDrawLog *log) {
  *log = (AbDrawLog){.replayed = -1, .outer = ctx->logs};
  ctx->logs = log;
  bool recording = ab_set_recording(ctx, false);
  AbScope scope = ab_scope_begin(ctx);
  AbTensor *y = f(data, x, count);
  ab_scope_end(ctx, scope, &y, 1);
  ab_set_recording(ctx, recording);
  ctx->logs = log->outer;
  return y;
}

static bool keep(AbTensor *y, Function f, void *data, const AbDrawLog *log) {
  AbContext *ctx = y->ctx;
  size_t bytes = (size_t)log->count * sizeof *log->draws;
  if (!(y->kept = ab_host_storage_new(ctx, sizeof(Kept) + bytes))) return false;
  Kept *kept = y->kept->data;
  *kept = (Kept){f, data, ctx->current, log->count};
  if (bytes > 0) memcpy(kept->draws, log->draws, bytes);
  return true;
}

/* The piece may depend on weights that are none of its operands, so it is always recorded. */
AbTensor *ab_checkpoint(Function f, void *data, AbTensor *const *x, int32_t count) {
  AbContext *ctx = context_of(x, count);
  if (!ctx || !ab_ok(ctx)) return NULL;
  if (!ctx->recording || ctx->shape_only) return f(data, x, count);
  AbDrawLog log;
  AbTensor *y = run_unrecorded(ctx, f, data, x, count, &log);
  AbTensor *view = y ? ab_tensor_view(y) : NULL;
  if (view) ab_record_always(view, &checkpoint_op, x, count);
  bool kept = view && view->op && keep(view, f, data, &log);
  ab_storage_unref(ctx, log.block);
  return kept ? view : NULL;
}
