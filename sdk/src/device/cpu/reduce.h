/* SPDX-License-Identifier: Apache-2.0
 *
 * What the reductions of the cpu device share. */
#ifndef SDK_DEVICE_CPU_REDUCE_H
#define SDK_DEVICE_CPU_REDUCE_H

#include "../reductions.h"

double cpu_row_sum(int64_t n, const float *x); /* the same bits on any number of threads */
void cpu_norm(AbDtype dtype, double p, AbExtent e, void *y, const void *x);
void cpu_variance(AbDtype dtype, double correction, AbExtent e, void *y, void *mean, const void *x);
void cpu_extreme(AbDtype dtype, bool largest, AbExtent e, void *y, int64_t *index, const void *x);
void cpu_cumulative_sum(AbDtype dtype, bool reverse, AbExtent e, void *y, const void *x);

#endif
