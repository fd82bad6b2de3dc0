/* SPDX-License-Identifier: Apache-2.0
 *
 * The cpu device: what its files share.
 *
 * f32 has kernels of its own here (threads of OpenMP, loops that the compiler vectorises, in a
 * version for each level of x86-64 that is chosen at load time). f64 is for checking: products go
 * to OpenBLAS, the rest to the loops of the reference device.
 *
 * Every kernel gives the same bits on any number of threads: work is cut in pieces whose size does
 * not depend on that number, and partial sums are added in their order.                          */
#ifndef SDK_DEVICE_CPU_H
#define SDK_DEVICE_CPU_H

#include "../device.h"

/* The loader chooses among clones before a sanitizer is ready, so there they are left out. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif

/* Work on [from, to) of a job. */
typedef void (*CpuRange)(int64_t from, int64_t to, void *job);
/* Cuts [0, n) among the threads, at multiples of 64 if it is large, unless n is below `grain`, the
 * size from which a second thread pays. */
void cpu_parallel(int64_t n, int64_t grain, CpuRange range, void *job);

void cpu_unary(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x);
void cpu_unary_by(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x, double a, double b);
void cpu_affine(AbDtype dtype, int64_t n, void *y, const void *x, double scale, double shift);
void cpu_binary(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                const void *b);
void cpu_binary_by(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                   const void *b, double p, double q);
void cpu_where(AbDtype dtype, const AbLoop *loop, void *y, AbDtype any, const void *condition,
               const void *a, const void *b);
void cpu_fill(AbDtype dtype, int64_t n, void *y, double value);
void cpu_copy(const AbLoop *loop, AbDtype to, void *y, AbDtype from, const void *x);
void cpu_reduce(AbReduce f, AbDtype dtype, int64_t outer, int64_t middle, int64_t inner, void *y,
                const void *x);
double cpu_sum_squares(AbDtype dtype, int64_t n, const void *x);
void cpu_bias_activate(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *y,
                       const void *b);
void cpu_matmul(AbDtype dtype, bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *a,
                int64_t lda, const void *b, int64_t ldb, double beta, void *c, int64_t ldc);
void cpu_random(AbRandomKind kind, AbDtype dtype, int64_t n, void *y, const AbDraw *draw, double a,
                double b, const void *p);
void cpu_dropout(AbDtype dtype, int64_t n, void *y, const void *x, const AbDraw *draw, double keep,
                 double scale);
void cpu_sample_sigmoid(AbDtype dtype, int64_t n, void *y, void *mean, const AbDraw *draw,
                        const void *x);
void cpu_categorical(AbDtype dtype, int64_t rows, int64_t cols, int64_t *y, const AbDraw *draw,
                     const void *weights);

#endif
