/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers of the cpu device: first the words of a batch, then what is made of them. Uniform
 * numbers and what is compared with them are those of the reference device bit by bit; normal,
 * exponential and Gumbel ones within rounding.                                                  */
#include "cpu.h"
#include "philox-words.h"
#include "unary.h"
#include "vector-math.h"

#define BATCH  512 /* numbers: their words stay in the nearest cache */
#define BLOCKS (BATCH / 4)

typedef struct {
  AbRandomKind kind;
  const AbDraw *draw;
  int64_t n;
  float *y;
  const float *x; /* probabilities, or arguments */
  float *mean;
  float a, b;
} Job;

static inline float unit(uint32_t word) {
  return (float)(int32_t)(word >> 8) * 0x1p-24f;
}

/* To [a, b): what rounding takes to b becomes the number before it, `last`. */
CLONES static void uniforms(int64_t n, float *restrict y, const uint32_t *restrict word, float a,
                            float b) {
  float width = b - a, last = nextafterf(b, a);
  for (int64_t i = 0; i < n; i++) {
    float value = a + width * unit(word[i]);
    y[i] = value < last ? value : last;
  }
}

CLONES static void bernoullis(int64_t n, float *restrict y, const uint32_t *restrict word,
                              const float *restrict p) {
  for (int64_t i = 0; i < n; i++) y[i] = unit(word[i]) < p[i] ? 1.f : 0.f;
}

CLONES static void keeps(int64_t n, float *restrict y, const uint32_t *restrict word,
                         const float *restrict x, float keep, float scale) {
  for (int64_t i = 0; i < n; i++) y[i] = unit(word[i]) < keep ? x[i] * scale : 0.f;
}

/* Box and Muller, by pairs; y has room for the second of the last. */
CLONES static void normals(int64_t n, float *restrict y, const uint32_t *restrict word, float mean,
                           float std) {
  float u[BATCH / 2], v[BATCH / 2];
  int64_t pairs = (n + 1) / 2;
  for (int64_t i = 0; i < pairs; i++) {
    u[i] = 1.f - unit(word[2 * i]);
    v[i] = unit(word[2 * i + 1]);
  }
  for (int64_t i = 0; i < pairs; i++) {
    float radius = sqrtf(-2.f * vector_log(u[i])), c, s;
    vector_cos_sin_turn(v[i], &c, &s);
    u[i] = mean + std * (radius * c);
    v[i] = mean + std * (radius * s);
  }
  for (int64_t i = 0; i < pairs; i++) {
    y[2 * i] = u[i];
    y[2 * i + 1] = v[i];
  }
}

CLONES static void logarithms(bool twice, int64_t n, float *restrict y,
                              const uint32_t *restrict word, float a, float b) {
  for (int64_t i = 0; i < n; i++) {
    float u = unit(word[i]);
    float e = -vector_log1p(-(twice && u == 0.f ? 0x1p-25f : u));
    y[i] = a + b * (twice ? -vector_log(e) : e);
  }
}

static void draw_batch(const Job *j, int64_t first, int64_t n) {
  uint32_t word[BATCH];
  float pairs[BATCH];
  float *y = j->y + first;
  cpu_philox_words(j->draw, (uint64_t)first / 4, (n + 31) / 32 * 8, word);
  switch (j->kind) {
  case K_UNIFORM: uniforms(n, y, word, j->a, j->b); break;
  case K_BERNOULLI: bernoullis(n, y, word, j->x + first); break;
  case K_EXPONENTIAL: logarithms(false, n, y, word, j->a, j->b); break;
  case K_GUMBEL: logarithms(true, n, y, word, j->a, j->b); break;
  case K_NORMAL:
    normals(n, n % 2 ? pairs : y, word, j->a, j->b);
    for (int64_t i = 0; n % 2 && i < n; i++) y[i] = pairs[i];
    break;
  }
}

static void drop_batch(const Job *j, int64_t first, int64_t n) {
  uint32_t word[BATCH];
  cpu_philox_words(j->draw, (uint64_t)first / 4, (n + 31) / 32 * 8, word);
  keeps(n, j->y + first, word, j->x + first, j->a, j->b);
}

static void sample_batch(const Job *j, int64_t first, int64_t n) {
  uint32_t word[BATCH];
  float p[BATCH], *mean = j->mean ? j->mean + first : p;
  cpu_philox_words(j->draw, (uint64_t)first / 4, (n + 31) / 32 * 8, word);
  cpu_elements(K_SIGMOID, n, mean, j->x + first, 0, 0);
  bernoullis(n, j->y + first, word, mean);
}

/* Batches from .. to - 1. */
static inline void in_batches(int64_t from, int64_t to, const Job *job,
                              void (*batch)(const Job *j, int64_t first, int64_t n)) {
  for (int64_t i = from; i < to; i++) {
    int64_t left = job->n - i * BATCH;
    batch(job, i * BATCH, left < BATCH ? left : BATCH);
  }
}
static void draw_batches(int64_t from, int64_t to, void *job) {
  in_batches(from, to, job, draw_batch);
}
static void drop_batches(int64_t from, int64_t to, void *job) {
  in_batches(from, to, job, drop_batch);
}
static void sample_batches(int64_t from, int64_t to, void *job) {
  in_batches(from, to, job, sample_batch);
}

#define GRAIN 32 /* batches from which a second thread pays */

static void run(Job *job, CpuRange batches) {
  cpu_parallel((job->n + BATCH - 1) / BATCH, GRAIN, batches, job);
}

void cpu_random(AbRandomKind kind, AbDtype dtype, int64_t n, void *y, const AbDraw *draw, double a,
                double b, const void *p) {
  if (dtype != AB_F32) {
    ab_device_reference.random(kind, dtype, n, y, draw, a, b, p);
    return;
  }
  Job job = {.kind = kind, .draw = draw, .n = n, .y = y, .x = p, .a = (float)a, .b = (float)b};
  run(&job, draw_batches);
}

void cpu_dropout(AbDtype dtype, int64_t n, void *y, const void *x, const AbDraw *draw, double keep,
                 double scale) {
  if (dtype != AB_F32) {
    ab_device_reference.dropout(dtype, n, y, x, draw, keep, scale);
    return;
  }
  Job job = {.draw = draw, .n = n, .y = y, .x = x, .a = (float)keep, .b = (float)scale};
  run(&job, drop_batches);
}

void cpu_sample_sigmoid(AbDtype dtype, int64_t n, void *y, void *mean, const AbDraw *draw,
                        const void *x) {
  if (dtype != AB_F32) {
    ab_device_reference.sample_sigmoid(dtype, n, y, mean, draw, x);
    return;
  }
  Job job = {.draw = draw, .n = n, .y = y, .x = x, .mean = mean};
  run(&job, sample_batches);
}

void cpu_categorical(AbDtype dtype, int64_t rows, int64_t cols, int64_t *y, const AbDraw *draw,
                     const void *weights) {
  ab_device_reference.categorical(dtype, rows, cols, y, draw, weights);
}
