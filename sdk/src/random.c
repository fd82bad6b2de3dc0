/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers: Philox 4x32-10, by Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011. Here: which numbers belong to whom. The generator itself is in philox.h. */
#include "device/philox.h"
#include "internal.h"
#include <math.h>
#include <string.h>

/* FNV-1a over the text, then the finaliser of SplitMix64 over it and the seed. */
uint64_t ab_hash(uint64_t seed, const char *text) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (const char *c = text; *c; c++) h = (h ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
  h += seed * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x9e3779b97f4a7c15);
  h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
  return h ^ (h >> 31);
}

/* ---- tensors --------------------------------------------------------------------------------- */

uint64_t ab_key(const AbContext *ctx, const char *path, AbPurpose purpose) {
  return ab_hash(ab_hash(ctx->seed, path), (const char[]){(char)('a' + purpose), 0});
}

static AbDraw fresh_draw(AbContext *ctx) {
  AbInstance *self = ctx->current;
  AbPurpose purpose = ctx->purpose;
  if (!self) /* nobody at work: a stream of the context, for tests and tools */
    return (AbDraw){ab_key(ctx, "", purpose), (uint32_t)ctx->next_id, (uint64_t)ctx->step};
  struct AbInstanceState *state = self->state;
  if (!state->keys[purpose]) state->keys[purpose] = ab_key(ctx, state->path, purpose);
  if (state->begun[purpose] != ctx->begun[purpose]) {
    state->begun[purpose] = ctx->begun[purpose];
    state->calls[purpose] = 0;
  }
  return (AbDraw){state->keys[purpose], state->calls[purpose]++, (uint64_t)ctx->step};
}

static void note(AbContext *ctx, AbDrawLog *log, const AbDraw *draw) {
  size_t needed = (size_t)(log->count + 1) * sizeof *draw;
  if (!log->block || log->block->bytes < needed) {
    AbStorage *longer = ab_host_storage_new(ctx, 2 * needed);
    if (!longer) return;
    if (log->count > 0) memcpy(longer->data, log->draws, needed - sizeof *draw);
    ab_storage_unref(ctx, log->block);
    log->block = longer;
    log->draws = longer->data;
  }
  ((AbDraw *)log->block->data)[log->count++] = *draw;
}

/* From the innermost log that is replayed, if there is one; every log further in takes note. */
AbDraw ab_next_draw(AbContext *ctx) {
  AbDrawLog *source = ctx->logs;
  while (source && source->replayed < 0) source = source->outer;
  AbDraw draw = source && source->replayed < source->count ? source->draws[source->replayed++]
                                                           : fresh_draw(ctx);
  for (AbDrawLog *log = ctx->logs; log != source; log = log->outer) note(ctx, log, &draw);
  return draw;
}

/* A context of NULL is that of a NULL: an error that passes through. */
static AbDtype real_of(const AbContext *ctx) {
  return ctx ? ctx->real : 0;
}

AbTensor *ab_drawn(AbContext *ctx, AbRandomKind kind, AbDtype dtype, AbShape shape, double a,
                   double b, AbTensor *p) {
  if (!ctx) return NULL;
  AbTensor *y =
      ab_tensor_new(ctx, dtype, shape.rank, shape.dims, ctx->shape_only || (p && !p->storage));
  if (!y || !y->storage) return y;
  AbDraw draw = ab_next_draw(ctx);
  ctx->device->random(kind, dtype, ab_tensor_count(y), ab_data_of(y), &draw, a, b,
                      p ? ab_data_of(p) : NULL);
  return y;
}

AbTensor *ab_uniform(AbContext *ctx, AbShape shape, double low, double high) {
  if (!(low <= high) || isinf(low) || isinf(high)) {
    ab_error(ctx, AB_CONFIG, "uniform: the bounds %g and %g are not finite or not in order", low,
             high);
    return NULL;
  }
  return ab_drawn(ctx, K_UNIFORM, real_of(ctx), shape, low, high, NULL);
}

AbTensor *ab_normal(AbContext *ctx, AbShape shape, double mean, double std) {
  return ab_drawn(ctx, K_NORMAL, real_of(ctx), shape, mean, std, NULL);
}

AbTensor *ab_exponential(AbContext *ctx, AbShape shape, double rate) {
  if (!(rate > 0)) {
    ab_error(ctx, AB_CONFIG, "exponential: a rate of %g; wanted is one above 0", rate);
    return NULL;
  }
  return ab_drawn(ctx, K_EXPONENTIAL, real_of(ctx), shape, 0, 1 / rate, NULL);
}

AbTensor *ab_gumbel(AbContext *ctx, AbShape shape) {
  return ab_drawn(ctx, K_GUMBEL, real_of(ctx), shape, 0, 1, NULL);
}

/* x without a history, row-major: numbers are drawn in the order of the elements. */
static AbTensor *plain(AbTensor *x) {
  AbContext *ctx = x->ctx;
  bool recording = ab_set_recording(ctx, false);
  x = ab_dense(x);
  ab_set_recording(ctx, recording);
  return x;
}

AbTensor *ab_bernoulli(AbTensor *p) {
  if (!ab_is_real(p, "bernoulli") || !(p = plain(p))) return NULL;
  return ab_drawn(p->ctx, K_BERNOULLI, p->dtype, ab_shape(p), 0, 0, p);
}

AbTensor *ab_sample_sigmoid(AbTensor *x, AbTensor **mean) {
  if (mean) *mean = NULL;
  if (!ab_is_real(x, "sample_sigmoid") || !(x = plain(x))) return NULL;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, !x->storage);
  AbTensor *p = mean ? ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, !x->storage) : NULL;
  if (!y || (mean && !p)) return NULL;
  if (mean) *mean = p;
  if (!x->storage) return y;
  AbDraw draw = ab_next_draw(x->ctx);
  x->ctx->device->sample_sigmoid(x->dtype, ab_tensor_count(x), ab_data_of(y),
                                 p ? ab_data_of(p) : NULL, &draw, ab_data_of(x));
  return y;
}

static bool has_classes(const char *operation, const AbTensor *p) {
  if (!ab_is_real(p, operation)) return false;
  if (p->rank == 2 && p->shape[1] > 0) return true;
  char text[220];
  ab_error(p->ctx, AB_CONFIG, "%s: of %s; wanted is [n, classes], with a class at least", operation,
           ab_tensor_text(p, text, sizeof text));
  return false;
}

AbTensor *ab_categorical(AbTensor *p) {
  if (!has_classes("categorical", p) || !(p = plain(p))) return NULL;
  AbTensor *y = ab_tensor_new(p->ctx, AB_I64, 1, p->shape, !p->storage);
  if (!y || !p->storage) return y;
  AbDraw draw = ab_next_draw(p->ctx);
  p->ctx->device->categorical(p->dtype, p->shape[0], p->shape[1], ab_data_of(y), &draw,
                              ab_data_of(p));
  return y;
}

AbTensor *ab_categorical_logits(AbTensor *logits) {
  if (!has_classes("categorical_logits", logits)) return NULL;
  bool recording = ab_set_recording(logits->ctx, false);
  AbTensor *p = ab_softmax(logits), *y = p ? ab_categorical(p) : NULL;
  ab_set_recording(logits->ctx, recording);
  return y;
}

/* A plain stream whose key is made of all that identifies the draw. */
AbTensor *ab_permutation(AbContext *ctx, int64_t n) {
  AbTensor *y = ctx ? ab_tensor_new(ctx, AB_I64, 1, &n, ctx->shape_only) : NULL;
  if (!y || !y->storage) return y;
  AbDraw draw = ab_next_draw(ctx);
  AbStream stream = {ab_hash(ab_hash(draw.key + draw.step, "step") + draw.call, "permutation"), 0};
  ab_stream_permutation(&stream, ab_data_of(y), n);
  return y;
}

/* ---- plain streams --------------------------------------------------------------------------- */

AbStream ab_stream(uint64_t seed, const char *name) {
  return (AbStream){ab_hash(seed, name), 0};
}

/* One block of four words for each number: simple, and still 40 million numbers a second. */
static void next_block(AbStream *stream, uint32_t word[4]) {
  uint64_t n = stream->position++;
  philox(stream->key, (uint32_t)n, (uint32_t)(n >> 32), 0, 0, word);
}

double ab_stream_uniform(AbStream *stream) {
  uint32_t word[4];
  next_block(stream, word);
  uint64_t bits = (uint64_t)word[0] << 32 | word[1];
  return (double)(bits >> 11) * 0x1p-53;
}

/* Box and Muller 1958; the second of the pair is not used. */
double ab_stream_normal(AbStream *stream) {
  uint32_t word[4];
  next_block(stream, word);
  double u = ((double)(((uint64_t)word[0] << 32 | word[1]) >> 11) + 0.5) * 0x1p-53;
  double v = (double)(((uint64_t)word[2] << 32 | word[3]) >> 11) * 0x1p-53;
  return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

/* Lemire 2019: multiply, and reject the few that would be too frequent. */
int64_t ab_stream_below(AbStream *stream, int64_t bound) {
  uint64_t n = bound > 0 ? (uint64_t)bound : 1;
  for (;;) {
    uint32_t word[4];
    next_block(stream, word);
    __uint128_t product = (__uint128_t)((uint64_t)word[0] << 32 | word[1]) * n;
    if ((uint64_t)product >= (0 - n) % n) return (int64_t)(product >> 64);
  }
}

void ab_stream_permutation(AbStream *stream, int64_t *items, int64_t count) {
  for (int64_t i = 0; i < count; i++) items[i] = i;
  for (int64_t i = count - 1; i > 0; i--) {
    int64_t j = ab_stream_below(stream, i + 1), item = items[i];
    items[i] = items[j];
    items[j] = item;
  }
}
