/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of many Philox blocks in their order. */
#ifndef SDK_DEVICE_CPU_PHILOX_WORDS_H
#define SDK_DEVICE_CPU_PHILOX_WORDS_H

#include "../device.h"

/* words[4 i + j] := word j of block first + i, for i < blocks, a multiple of 8 */
void cpu_philox_words(const AbDraw *draw, uint64_t first, int64_t blocks, uint32_t *words);

#endif
