/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers: checks, and the forward pass. absdk/recurrent.h has the equations.
 *
 * The product x W of all steps is one product; the kernel of the device then goes through the
 * steps.
 */
#include "recurrent.h"
#include <stdio.h>
#include <string.h>

static const AbOp recurrent_ops[] = {
    [K_ELMAN_TANH] = {"elman", ab_recurrent_backward, .once = true},
    [K_ELMAN_RELU] = {"elman", ab_recurrent_backward, .once = true},
    [K_LSTM] = {"lstm", ab_recurrent_backward, .once = true},
    [K_GRU] = {"gru", ab_recurrent_backward, .once = true},
};

/* What a call was given. */
typedef struct {
  const char *name;
  AbCellKind cell;
  AbTensor *x, *lengths;
  AbTensor *inputs[INPUTS]; /* IN_X is made from x */
  bool reverse;
} Call;

/* ---- checks ---------------------------------------------------------------------------------- */

static const char *const input_names[INPUTS] = {"x", "W", "U", "b", "d", "p", "h0", "c0"};

static void describe(const Call *call, char *text, size_t size) {
  size_t used = 0;
  for (int i = 0; i < INPUTS && used < size; i++) {
    const AbTensor *x = i == IN_X ? call->x : call->inputs[i];
    char shape[220];
    if (x == AB_NONE) continue;
    used += (size_t)snprintf(text + used, size - used, "%s%s %s", i ? ", " : "", input_names[i],
                             ab_tensor_text(x, shape, sizeof shape));
  }
}

static bool is(const AbTensor *x, int64_t rows, int64_t cols) {
  return x == AB_NONE || (x->rank == 2 && x->shape[0] == rows && x->shape[1] == cols);
}

static bool is_vector(const AbTensor *x, int64_t count) {
  return x == AB_NONE || (x->rank == 1 && x->shape[0] == count);
}

static bool shapes_fit(const Call *call) {
  AbTensor *const *in = call->inputs;
  const AbTensor *x = call->x, *U = in[IN_U];
  if (x->rank != 3 || U->rank != 2) return false;
  int64_t n = x->shape[1], H = U->shape[0], width;
  if (__builtin_mul_overflow(recurrent_blocks(call->cell), H, &width)) return false;
  return is(in[IN_W], x->shape[2], width) && is(U, H, width) && is_vector(in[IN_B], width) &&
         is_vector(in[IN_D], H) && is(in[IN_P], 3, H) && is(in[IN_H0], n, H) && is(in[IN_C0], n, H);
}

static bool of_one_kind(const Call *call) {
  for (int i = IN_W; i < INPUTS; i++) {
    const AbTensor *x = call->inputs[i];
    if (!x) return false;
    if (x == AB_NONE && i > IN_U) continue;
    if (!ab_belong_together(call->name, call->x, x) || !ab_is_real(x, call->name)) return false;
  }
  return ab_is_real(call->x, call->name);
}

static bool of_one_type(const Call *call) {
  for (int i = IN_W; i < INPUTS; i++)
    if (call->inputs[i] != AB_NONE && call->inputs[i]->dtype != call->x->dtype) return false;
  return true;
}

static bool lengths_fit(Call *call) {
  AbTensor *lengths = call->lengths;
  AbContext *ctx = call->x->ctx;
  char text[220];
  if (lengths == AB_NONE) return true;
  if (!ab_belong_together(call->name, call->x, lengths)) return false;
  if (lengths->dtype != AB_I64 || lengths->rank != 1 || lengths->shape[0] != call->x->shape[1]) {
    ab_error(ctx, AB_CONFIG, "%s: lengths of %s; wanted are i64 [%lld], one for each row of x",
             call->name, ab_tensor_text(lengths, text, sizeof text), (long long)call->x->shape[1]);
    return false;
  }
  if (!lengths->storage) return true;
  if (!(call->lengths = lengths = ab_dense(lengths))) return false;
  const int64_t *steps = ab_data_of(lengths);
  for (int64_t i = 0; i < lengths->shape[0]; i++) {
    if (steps[i] >= 0 && steps[i] <= call->x->shape[0]) continue;
    ab_error(ctx, AB_DATA, "%s: row %lld has a length of %lld, not of 0 to the %lld steps of x",
             call->name, (long long)i, (long long)steps[i], (long long)call->x->shape[0]);
    return false;
  }
  return true;
}

static bool usable(Call *call) {
  if (!call->x || !call->lengths || !of_one_kind(call)) return false;
  if (!shapes_fit(call) || !of_one_type(call)) {
    char text[INPUTS * 240];
    describe(call, text, sizeof text);
    ab_error(call->x->ctx, AB_CONFIG,
             "%s: %s do not fit; wanted are x [t, n, in], W [in, %lld H], U [H, %lld H]%s, first "
             "states [n, H], all of one type",
             call->name, text, (long long)recurrent_blocks(call->cell),
             (long long)recurrent_blocks(call->cell),
             call->cell == K_LSTM  ? ", b [4 H], p [3, H]"
             : call->cell == K_GRU ? ", b [3 H], d [H]"
                                   : ", b [H]");
    return false;
  }
  return lengths_fit(call);
}

/* ---- padding --------------------------------------------------------------------------------- */

static void mask_backward(AbTensor *y, AbTensor *g) {
  ab_accumulate(y, 0, ab_mask_steps(g, y->saved[0]));
}
static const AbOp mask_op = {"mask_steps", mask_backward};

AbTensor *ab_mask_steps(AbTensor *x, AbTensor *lengths) {
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, !x->storage);
  if (!y) return NULL;
  if (y->storage && lengths->storage && ab_tensor_count(y) > 0) {
    const AbDevice *device = x->ctx->device;
    const int64_t *steps = ab_data_of(lengths);
    AbLoop loop = ab_loop(y, x, NULL);
    device->copy(&loop, y->dtype, ab_data_of(y), x->dtype, ab_data_of(x));
    int64_t n = x->shape[1], width = x->shape[2] * (int64_t)ab_dtype_size(x->dtype);
    for (int64_t i = 0; i < n; i++)
      for (int64_t s = steps[i]; s < x->shape[0]; s++)
        device->fill(x->dtype, x->shape[2], (char *)ab_data_of(y) + (s * n + i) * width, 0);
  }
  y = ab_record(y, &mask_op, &x, 1);
  ab_save(y, 0, lengths);
  return y;
}

/* ---- forward --------------------------------------------------------------------------------- */

AbTensor *ab_recurrent_work(AbContext *ctx, AbDtype dtype, const Attributes *a) {
  return ab_tensor_new(ctx, dtype, 1, (int64_t[]){recurrent_work(a->cell, a->units)}, false);
}

static const void *data_or_null(AbTensor *x) {
  return x == AB_NONE ? NULL : ab_data_of(x);
}

AbRecurrent ab_recurrent_job(const Attributes *a, AbTensor *const *inputs, AbTensor *y,
                             AbTensor *gates, AbTensor *c, AbTensor *lengths, AbTensor *work) {
  return (AbRecurrent){
      .cell = a->cell,
      .steps = a->steps,
      .rows = a->rows,
      .units = a->units,
      .reverse = a->reverse,
      .from_zero = inputs[IN_H0] == AB_NONE,
      .lengths = data_or_null(lengths),
      .U = ab_data_of(inputs[IN_U]),
      .b = data_or_null(inputs[IN_B]),
      .d = data_or_null(inputs[IN_D]),
      .p = data_or_null(inputs[IN_P]),
      .gates = ab_data_of(gates),
      .h = ab_data_of(y),
      .c = c == AB_NONE ? NULL : ab_data_of(c),
      .work = ab_data_of(work),
  };
}

/* Puts a first (or takes a last) state: plane `at` of states [., n, H]. */
static AbTensor plane_of(const AbTensor *states, int64_t at) {
  AbTensor plane = *states;
  plane.offset += at * states->stride[0];
  plane.rank = 2;
  for (int i = 0; i < 2; i++) {
    plane.shape[i] = states->shape[i + 1];
    plane.stride[i] = states->stride[i + 1];
  }
  return plane;
}

static void put_first(AbTensor *states, int64_t at, AbTensor *first) {
  AbTensor plane = plane_of(states, at);
  const AbDevice *device = states->ctx->device;
  int64_t count = ab_tensor_count(&plane);
  if (count == 0) return;
  if (first == AB_NONE) {
    device->fill(plane.dtype, count, ab_data_of(&plane), 0);
  } else {
    AbLoop loop = ab_loop(&plane, first, NULL);
    device->copy(&loop, plane.dtype, ab_data_of(&plane), first->dtype, ab_data_of(first));
  }
}

static void run_forward(const Call *call, const Attributes *a, AbTensor *y, AbTensor *gates,
                        AbTensor *c, AbTensor *work) {
  AbTensor *const *in = call->inputs;
  int64_t first = a->reverse ? a->steps : 0;
  put_first(y, first, in[IN_H0]);
  if (a->cell == K_LSTM) put_first(c, first, in[IN_C0]);
  ab_multiply(gates, in[IN_X], in[IN_W], 0);
  AbRecurrent job = ab_recurrent_job(a, in, y, gates, c, call->lengths, work);
  y->ctx->device->recurrent->forward(y->dtype, &job);
  if (a->cell != K_LSTM) return;
  AbTensor last = plane_of(c, a->steps - first);
  put_first(y, a->steps + 1, &last);
}

static bool has_memory(const Call *call) {
  bool memory = call->x->storage && !ab_is_shape_only(call->lengths);
  for (int i = IN_W; i < INPUTS; i++) memory &= !ab_is_shape_only(call->inputs[i]);
  return memory;
}

/* Counts for a dry run, or runs. */
static AbTensor *states_of(Call *call, const Attributes *a) {
  AbContext *ctx = call->x->ctx;
  bool dry = !has_memory(call);
  AbDtype dtype = call->x->dtype;
  int64_t t = a->steps, n = a->rows, H = a->units, width = recurrent_blocks(a->cell) * H;
  bool lstm = a->cell == K_LSTM, gru = a->cell == K_GRU;
  AbTensor *y = ab_tensor_new(ctx, dtype, 3, (int64_t[]){t + 1 + lstm, n, H}, dry);
  if (!y) return NULL;
  AbTensor *gates = ab_tensor_new(ctx, dtype, 2, (int64_t[]){t * n, width}, dry);
  AbTensor *c =
      lstm || gru ? ab_tensor_new(ctx, dtype, 3, (int64_t[]){t + lstm, n, H}, dry) : AB_NONE;
  if (!gates || !c) return NULL;
  if (dry) {
    ctx->multiply_adds += t * n * width * (H + call->x->shape[2]);
  } else {
    AbTensor *work = ab_recurrent_work(ctx, dtype, a);
    if (!work) return NULL;
    run_forward(call, a, y, gates, c, work);
    ab_drop(work);
  }
  if (!(y = ab_record(y, &recurrent_ops[a->cell], call->inputs, INPUTS))) return NULL;
  ab_save(y, KEPT_GATES, c == AB_NONE ? AB_NONE : gates);
  ab_save(y, KEPT_C, c);
  ab_save(y, KEPT_LENGTHS, call->lengths);
  ab_drop(gates);
  ab_drop(c);
  return y;
}

/* x as [t n, in], and what the kernels want dense. */
static bool prepare(Call *call) {
  AbTensor *x = call->x, **in = call->inputs;
  if (call->lengths != AB_NONE && !(x = ab_mask_steps(x, call->lengths))) return false;
  in[IN_X] = ab_reshape(x, AB_SHAPE(x->shape[0] * x->shape[1], x->shape[2]));
  for (int i = IN_U; i <= IN_P; i++)
    if (in[i] != AB_NONE && !(in[i] = ab_dense(in[i]))) return false;
  return in[IN_X];
}

static AbTensor *state_at(AbTensor *states, int64_t at) {
  return ab_reshape(ab_slice(states, 0, at, at + 1),
                    AB_SHAPE(ab_dim(states, 1), ab_dim(states, 2)));
}

static AbRecurrence recur(Call call) {
  AbRecurrence none = {0}, r = {.c = AB_NONE};
  if (!usable(&call) || !prepare(&call)) return none;
  Attributes a = {call.cell, call.x->shape[0], call.x->shape[1], call.inputs[IN_U]->shape[0],
                  call.reverse};
  AbTensor *y = states_of(&call, &a);
  if (!y) return none;
  memcpy(y->ints, (int64_t[]){a.cell, a.steps, a.rows, a.units, a.reverse}, 5 * sizeof *y->ints);
  int64_t from = a.reverse ? 0 : 1;
  r.outputs = ab_slice(y, 0, from, from + a.steps);
  if (r.outputs && call.lengths != AB_NONE) r.outputs = ab_mask_steps(r.outputs, call.lengths);
  r.h = state_at(y, a.reverse ? 0 : a.steps);
  if (a.cell == K_LSTM) r.c = state_at(y, a.steps + 1);
  return r.outputs && r.h && r.c ? r : none;
}

/* ---- public ---------------------------------------------------------------------------------- */

AbRecurrence ab_elman(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *h0,
                      AbTensor *lengths, AbActivation f, bool reverse) {
  if (x && x != AB_NONE && f != AB_TANH && f != AB_RELU) {
    ab_error(x->ctx, AB_CONFIG, "elman: activation %lld; it is AB_TANH or AB_RELU", (long long)f);
    return (AbRecurrence){0};
  }
  return recur((Call){"elman",
                      f == AB_RELU ? K_ELMAN_RELU : K_ELMAN_TANH,
                      x,
                      lengths,
                      {NULL, W, U, b, AB_NONE, AB_NONE, h0, AB_NONE},
                      reverse});
}

AbRecurrence ab_lstm(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *p, AbTensor *h0,
                     AbTensor *c0, AbTensor *lengths, bool reverse) {
  return recur((Call){"lstm", K_LSTM, x, lengths, {NULL, W, U, b, AB_NONE, p, h0, c0}, reverse});
}

AbRecurrence ab_gru(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *d, AbTensor *h0,
                    AbTensor *lengths, bool reverse) {
  return recur((Call){"gru", K_GRU, x, lengths, {NULL, W, U, b, d, AB_NONE, h0, AB_NONE}, reverse});
}

/* ---- one step -------------------------------------------------------------------------------- */

/* [n, in] as a sequence of one step; other ranks are left to the check. */
static AbTensor *one_step(AbTensor *x) {
  if (!x || x == AB_NONE || x->rank != 2) return x;
  return ab_reshape(x, AB_SHAPE(1, x->shape[0], x->shape[1]));
}

static AbRecurrence only_state(AbRecurrence r) {
  r.outputs = r.h;
  return r;
}

AbRecurrence ab_elman_cell(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *h0,
                           AbActivation f) {
  return only_state(ab_elman(one_step(x), W, U, b, h0, AB_NONE, f, false));
}

AbRecurrence ab_lstm_cell(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *p,
                          AbTensor *h0, AbTensor *c0) {
  return only_state(ab_lstm(one_step(x), W, U, b, p, h0, c0, AB_NONE, false));
}

AbRecurrence ab_gru_cell(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *d,
                         AbTensor *h0) {
  return only_state(ab_gru(one_step(x), W, U, b, d, h0, AB_NONE, false));
}
