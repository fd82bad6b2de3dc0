/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of one element on the cpu device: what other kernels take from there. */
#ifndef SDK_DEVICE_CPU_UNARY_H
#define SDK_DEVICE_CPU_UNARY_H

#include "cpu.h"

/* On the calling thread; y may be x. Element by element the bits are those of cpu_unary, if pieces
 * begin at multiples of 64.                                                                      */
void cpu_elements(AbUnary f, int64_t n, float *y, const float *x, float a, float b);

#endif
