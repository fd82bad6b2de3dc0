/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers of the cpu device: eight Philox blocks (32 numbers of f32) at a time. The numbers
 * are those of the reference device: uniform ones bit by bit, normal ones within rounding. */
#include "../philox.h"
#include "cpu.h"
#include "vector-math.h"

#define BLOCKS  8
#define NUMBERS (4 * BLOCKS)

typedef struct {
  AbRandomKind kind;
  const AbDraw *draw;
  int64_t n;
  float *y;
  const float *p;
  float a, b;
} Job;

/* Words of blocks first .. first + 7: word[j][i] is word j of block first + i. */
static inline void words(const AbDraw *draw, uint64_t first, uint32_t word[4][BLOCKS]) {
  for (int i = 0; i < BLOCKS; i++) {
    uint32_t out[4];
    philox_block(draw->key, draw->step, draw->call, first + (uint64_t)i, out);
    for (int j = 0; j < 4; j++) word[j][i] = out[j];
  }
}

static inline void normals(uint32_t word[4][BLOCKS], float mean, float std, float *y) {
  for (int pair = 0; pair < 4; pair += 2) {
    for (int i = 0; i < BLOCKS; i++) {
      float u = unit_f32(word[pair][i]), v = unit_f32(word[pair + 1][i]), c, s;
      float radius = sqrtf(-2.f * vector_log(1.f - u));
      vector_cos_sin_turn(v, &c, &s);
      y[4 * i + pair] = mean + std * (radius * c);
      y[4 * i + pair + 1] = mean + std * (radius * s);
    }
  }
}

static inline void units(uint32_t word[4][BLOCKS], float *y) {
  for (int i = 0; i < BLOCKS; i++)
    for (int j = 0; j < 4; j++) y[4 * i + j] = unit_f32(word[j][i]);
}

/* Groups from .. to - 1 of 32 numbers. */
CLONES static void draw_groups(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  for (int64_t group = from; group < to; group++) {
    uint32_t word[4][BLOCKS];
    float number[NUMBERS];
    words(j->draw, (uint64_t)group * BLOCKS, word);
    if (j->kind == K_NORMAL)
      normals(word, j->a, j->b, number);
    else
      units(word, number);
    int64_t first = group * NUMBERS, count = j->n - first < NUMBERS ? j->n - first : NUMBERS;
    float *y = j->y + first;
    if (j->kind == K_BERNOULLI)
      for (int64_t i = 0; i < count; i++) y[i] = number[i] < j->p[first + i] ? 1.f : 0.f;
    else if (j->kind == K_UNIFORM)
      for (int64_t i = 0; i < count; i++) y[i] = j->a + (j->b - j->a) * number[i];
    else
      for (int64_t i = 0; i < count; i++) y[i] = number[i];
  }
}

void cpu_random(AbRandomKind kind, AbDtype dtype, int64_t n, void *y, const AbDraw *draw, double a,
                double b, const void *p) {
  if (dtype != AB_F32) {
    ab_device_reference.random(kind, dtype, n, y, draw, a, b, p);
    return;
  }
  Job job = {kind, draw, n, y, p, (float)a, (float)b};
  cpu_parallel((n + NUMBERS - 1) / NUMBERS, 256, draw_groups, &job);
}
