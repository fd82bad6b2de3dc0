/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers: Philox 4x32-10, by Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011. Here: which numbers belong to whom. The generator itself is in philox.h. */
#include "device/philox.h"
#include "internal.h"
#include <math.h>

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

AbDraw ab_next_draw(AbContext *ctx) {
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

static AbTensor *drawn(AbContext *ctx, AbRandomKind kind, AbDtype dtype, AbShape shape, double a,
                       double b, AbTensor *p) {
  AbTensor *y =
      ab_tensor_new(ctx, dtype, shape.rank, shape.dims, ctx->shape_only || (p && !p->storage));
  if (!y || !y->storage) return y;
  AbDraw draw = ab_next_draw(ctx);
  ctx->device->random(kind, dtype, ab_tensor_count(y), ab_data_of(y), &draw, a, b,
                      p ? ab_data_of(p) : NULL);
  return y;
}

AbTensor *ab_uniform(AbContext *ctx, AbShape shape, double low, double high) {
  return drawn(ctx, K_UNIFORM, ctx->real, shape, low, high, NULL);
}

AbTensor *ab_normal(AbContext *ctx, AbShape shape, double mean, double std) {
  return drawn(ctx, K_NORMAL, ctx->real, shape, mean, std, NULL);
}

AbTensor *ab_bernoulli(AbTensor *p) {
  if (!ab_is_real(p, "bernoulli")) return NULL;
  bool recording = ab_set_recording(p->ctx, false);
  AbContext *ctx = p->ctx;
  p = ab_dense(p);
  ab_set_recording(ctx, recording);
  return p ? drawn(p->ctx, K_BERNOULLI, p->dtype, ab_shape(p), 0, 0, p) : NULL;
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
