/* SPDX-License-Identifier: Apache-2.0
 *
 * Philox on vectors. A word of a counter lies in the low half of 64 bits, whose high half is never
 * looked at: vpmuludq multiplies low halves, so that a round of four blocks is two products, two
 * shifts and four exclusive ors. Two such groups take turns, for their latency.                  */
#include "philox-words.h"
#include "../philox.h"

static void words_portable(const AbDraw *draw, uint64_t first, int64_t blocks, uint32_t *words) {
  for (int64_t i = 0; i < blocks; i++)
    philox_block(draw->key, draw->step, draw->call, first + (uint64_t)i, words + 4 * i);
}

#ifdef __x86_64__
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

typedef struct {
  __m256i c[4]; /* words of the counters of four blocks */
} Counters;

AVX2 static inline void round_of(Counters *x, __m256i m0, __m256i m1, __m256i k0, __m256i k1) {
  __m256i p0 = _mm256_mul_epu32(x->c[0], m0), p1 = _mm256_mul_epu32(x->c[2], m1);
  x->c[0] = _mm256_xor_si256(_mm256_srli_epi64(p1, 32), _mm256_xor_si256(x->c[1], k0));
  x->c[2] = _mm256_xor_si256(_mm256_srli_epi64(p0, 32), _mm256_xor_si256(x->c[3], k1));
  x->c[1] = p1;
  x->c[3] = p0;
}

/* The lanes hold blocks 0, 2, 1, 3, so that the words come out in their order. */
AVX2 static inline void store(const Counters *x, uint32_t *words) {
  __m256i low = _mm256_blend_epi32(x->c[0], _mm256_slli_epi64(x->c[1], 32), 0xaa);
  __m256i high = _mm256_blend_epi32(x->c[2], _mm256_slli_epi64(x->c[3], 32), 0xaa);
  _mm256_storeu_si256((__m256i *)words, _mm256_unpacklo_epi64(low, high));
  _mm256_storeu_si256((__m256i *)words + 1, _mm256_unpackhi_epi64(low, high));
}

AVX2 static void words_avx2(const AbDraw *draw, uint64_t first, int64_t blocks, uint32_t *words) {
  const __m256i m0 = _mm256_set1_epi64x(0xD2511F53), m1 = _mm256_set1_epi64x(0xCD9E8D57);
  const __m256i call = _mm256_set1_epi64x(draw->call);
  const __m256i step = _mm256_set1_epi64x((int64_t)(draw->step & 0xffffffff));
  const uint32_t upper = (uint32_t)(draw->step >> 32) << 16;
  __m256i key0[10], key1[10];
  for (uint32_t i = 0; i < 10; i++) {
    key0[i] = _mm256_set1_epi64x((uint32_t)draw->key + i * 0x9E3779B9u);
    key1[i] = _mm256_set1_epi64x((uint32_t)(draw->key >> 32) + i * 0xBB67AE85u);
  }
  for (int64_t i = 0; i < blocks; i += 8) {
    uint64_t block = first + (uint64_t)i;
    __m256i base = _mm256_set1_epi64x((int64_t)block);
    __m256i four = _mm256_add_epi64(base, _mm256_set_epi64x(3, 1, 2, 0));
    __m256i next = _mm256_add_epi64(four, _mm256_set1_epi64x(4));
    __m256i high = _mm256_set1_epi64x(upper);
    Counters a = {{four, call, step, _mm256_or_si256(high, _mm256_srli_epi64(four, 32))}};
    Counters b = {{next, call, step, _mm256_or_si256(high, _mm256_srli_epi64(next, 32))}};
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
      round_of(&a, m0, m1, key0[round], key1[round]);
      round_of(&b, m0, m1, key0[round], key1[round]);
    }
    store(&a, words + 4 * i);
    store(&b, words + 4 * i + 16);
  }
}

void cpu_philox_words(const AbDraw *draw, uint64_t first, int64_t blocks, uint32_t *words) {
  if (__builtin_cpu_supports("avx2"))
    words_avx2(draw, first, blocks, words);
  else
    words_portable(draw, first, blocks, words);
}
#else
void cpu_philox_words(const AbDraw *draw, uint64_t first, int64_t blocks, uint32_t *words) {
  words_portable(draw, first, blocks, words);
}
#endif
