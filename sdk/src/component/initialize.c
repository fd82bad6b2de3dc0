/* SPDX-License-Identifier: Apache-2.0
 *
 * Initialisations: component.h says which there are. Numbers are drawn in f64 and rounded to the
 * type of the weight, by the weight's path and not in the order of making.                       */
#include "initialize.h"
#include <math.h>

#define PIECE 65536 /* numbers that are drawn at a time */

double ab_gain(int64_t activation) {
  switch (activation) {
  case AB_TANH: return 5.0 / 3;
  case AB_LEAKY_RELU: return sqrt(2 / (1 + AB_LEAKY_SLOPE * AB_LEAKY_SLOPE));
  case AB_SELU: return 0.75;
  case AB_RELU:
  case AB_RELU6:
  case AB_ELU:
  case AB_GELU:
  case AB_GELU_TANH:
  case AB_SWISH:
  case AB_MISH:
  case AB_HARD_SWISH: return sqrt(2);
  default: return 1;
  }
}

AbInit ab_init_for(int64_t activation) {
  switch (activation) {
  case AB_RELU:
  case AB_RELU6:
  case AB_LEAKY_RELU:
  case AB_ELU:
  case AB_GELU:
  case AB_GELU_TANH:
  case AB_SWISH:
  case AB_MISH:
  case AB_HARD_SWISH: return (AbInit){.kind = AB_INIT_KAIMING_NORMAL, .a = ab_gain(activation)};
  /* self-normalising networks want a variance of 1 / in, whatever the gain */
  case AB_SELU: return (AbInit){.kind = AB_INIT_LECUN_NORMAL, .a = 1};
  default: return (AbInit){.kind = AB_INIT_XAVIER_UNIFORM, .a = 1};
  }
}

/* How many numbers an element is computed from, and how many are computed from it. */
static void fans(const AbTensor *w, double *in, double *out) {
  double field = 1;
  for (int32_t i = 2; i < w->rank; i++) field *= (double)w->shape[i];
  double first = w->rank > 0 ? (double)w->shape[0] : 1;
  double second = w->rank > 1 ? (double)w->shape[1] : first;
  *in = w->rank > 2 ? second * field : first;
  *out = w->rank > 2 ? first * field : second;
}

/* w[from ..] := the n numbers at `values`. */
static void put(AbTensor *w, int64_t from, int64_t n, const double *values) {
  AbLoop loop = {.rank = 1, .shape = {n}, .stride = {{1}, {1}}};
  char *data = ab_data_of(w);
  w->ctx->device->copy(&loop, w->dtype, data + (size_t)from * ab_dtype_size(w->dtype), AB_F64,
                       values);
}

/* Each piece is a call of its own of the weight's stream. */
static void draw_pieces(AbTensor *w, uint64_t key, AbRandomKind kind, double a, double b) {
  int64_t count = ab_tensor_count(w), size = count < PIECE ? count : PIECE;
  AbStorage *piece = ab_storage_new(w->ctx, (size_t)size * sizeof(double));
  if (!piece) return;
  for (int64_t from = 0; from < count; from += PIECE) {
    int64_t n = count - from < PIECE ? count - from : PIECE;
    AbDraw draw = {key, (uint32_t)(from / PIECE), 0};
    w->ctx->device->random(kind, AB_F64, n, piece->data, &draw, a, b, NULL);
    put(w, from, n, piece->data);
  }
  ab_storage_unref(w->ctx, piece);
}

static void truncated(AbTensor *w, uint64_t key, double deviation) {
  int64_t count = ab_tensor_count(w);
  AbStorage *values = ab_host_storage_new(w->ctx, (size_t)count * sizeof(double));
  if (!values) return;
  AbStream stream = {key, 0};
  double *x = values->data;
  for (int64_t i = 0; i < count; i++) {
    do x[i] = ab_stream_normal(&stream);
    while (fabs(x[i]) > 2);
    x[i] *= deviation;
  }
  put(w, 0, count, x);
  ab_storage_unref(w->ctx, values);
}

/* The first axis against the others; columns are made orthonormal, or rows where they are fewer. */
static void orthogonal(AbTensor *w, uint64_t key, double gain) {
  int64_t count = ab_tensor_count(w), first = w->shape[0], rest = first > 0 ? count / first : 0;
  if (count == 0) return;
  bool wide = rest > first;
  int64_t rows = wide ? rest : first, cols = wide ? first : rest;
  size_t numbers = (size_t)(2 * count + rows + 3 * cols);
  AbStorage *block = ab_host_storage_new(w->ctx, numbers * sizeof(double));
  if (!block) return;
  double *q = block->data, *turned = q + count, *work = turned + count;
  AbStream stream = {key, 0};
  for (int64_t i = 0; i < count; i++) q[i] = ab_stream_normal(&stream);
  ab_orthonormalize(rows, cols, q, work);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j++)
      turned[wide ? j * rows + i : i * cols + j] = gain * q[i * cols + j];
  put(w, 0, count, turned);
  ab_storage_unref(w->ctx, block);
}

/* The bound of a uniform initialisation or the deviation of a normal one. False if it is neither.
 */
static bool spread_of(const AbTensor *w, AbInit init, AbRandomKind *kind, double *spread) {
  double in, out, a = init.a;
  fans(w, &in, &out);
  *kind = K_NORMAL;
  switch (init.kind) {
  case AB_INIT_UNIFORM: *kind = K_UNIFORM, *spread = a; return true;
  case AB_INIT_NORMAL: *spread = a; return true;
  case AB_INIT_XAVIER_UNIFORM: *kind = K_UNIFORM, *spread = a * sqrt(6 / (in + out)); return true;
  case AB_INIT_XAVIER_NORMAL: *spread = a * sqrt(2 / (in + out)); return true;
  case AB_INIT_LECUN_UNIFORM:
  case AB_INIT_KAIMING_UNIFORM: *kind = K_UNIFORM, *spread = a * sqrt(3 / in); return true;
  case AB_INIT_LECUN_NORMAL:
  case AB_INIT_KAIMING_NORMAL: *spread = a / sqrt(in); return true;
  case AB_INIT_KAIMING_UNIFORM_OUT: *kind = K_UNIFORM, *spread = a * sqrt(3 / out); return true;
  case AB_INIT_KAIMING_NORMAL_OUT: *spread = a / sqrt(out); return true;
  default: return false;
  }
}

void ab_initialize(AbInstance *self, const char *name, AbTensor *w, const char *path, AbInit init) {
  AbContext *ctx = w->ctx;
  uint64_t key = ab_key(ctx, path, AB_PURPOSE_INIT);
  AbRandomKind kind;
  double spread;
  if (init.kind == AB_INIT_CONSTANT)
    ctx->device->fill(w->dtype, ab_tensor_count(w), ab_data_of(w), init.a);
  else if (init.kind == AB_INIT_TRUNCATED_NORMAL)
    truncated(w, key, init.a);
  else if (init.kind == AB_INIT_ORTHOGONAL && w->rank >= 2)
    orthogonal(w, key, init.a);
  else if (spread_of(w, init, &kind, &spread))
    draw_pieces(w, key, kind, kind == K_UNIFORM ? -fabs(spread) : 0, fabs(spread));
  else
    ab_fail(self, AB_INTERNAL, "there is no initialisation %d for weight %s%s", init.kind, name,
            init.kind == AB_INIT_ORTHOGONAL ? ": an orthogonal one has two axes at least" : "");
}
