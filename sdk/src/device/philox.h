/* SPDX-License-Identifier: Apache-2.0
 *
 * Philox 4x32-10: ten rounds of two 32 x 32 -> 64 bit products over a counter of four words, with a
 * key of two. Salmon et al. 2011, table 2 gives the constants. One definition for all devices:
 * their uniform bits are equal. */
#ifndef SDK_DEVICE_PHILOX_H
#define SDK_DEVICE_PHILOX_H

#include <stdint.h>

static inline void philox(uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
                          uint32_t out[4]) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)c0 * 0xD2511F53u, p1 = (uint64_t)c2 * 0xCD9E8D57u;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/* The counter of a tensor's numbers: block b of call `call` in step `step`. A block is four numbers
 * of f32, or two of f64. Steps are kept to 48 bits, blocks to 48: enough for either.             */
static inline void philox_block(uint64_t key, uint64_t step, uint32_t call, uint64_t block,
                                uint32_t out[4]) {
  philox(key, (uint32_t)block, call, (uint32_t)step,
         (uint32_t)(step >> 32) << 16 | (uint32_t)(block >> 32), out);
}

/* 24 bits to [0, 1), 53 bits to [0, 1). */
static inline float unit_f32(uint32_t word) {
  return (float)(word >> 8) * 0x1p-24f;
}
static inline double unit_f64(uint32_t high, uint32_t low) {
  return (double)(((uint64_t)high << 32 | low) >> 11) * 0x1p-53;
}

#endif
