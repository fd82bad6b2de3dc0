/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of the cpu device, its memory and its threads. */
#include "cpu.h"
#include "../attention.h"
#include "../convolution.h"
#include "../index.h"
#include "../linalg.h"
#include "../losses.h"
#include "../normalization.h"
#include "../optimizers.h"
#include "../pooling.h"
#include "../recurrent.h"
#include "../reductions.h"
#include <omp.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

/* Blocks of several huge pages are aligned to them: fewer misses of the address cache. */
static void *cpu_alloc(size_t bytes) {
  if (bytes < 2 * HUGE_PAGE) return aligned_alloc(64, (bytes + 63) / 64 * 64);
  size_t rounded = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  void *data = aligned_alloc(HUGE_PAGE, rounded);
  if (data) madvise(data, rounded, MADV_HUGEPAGE);
  return data;
}

static void cpu_release(void *data, size_t bytes) {
  (void)bytes;
  free(data);
}

void cpu_parallel(int64_t n, int64_t grain, CpuRange range, void *job) {
  if (n < grain || omp_get_max_threads() == 1 || omp_get_level() > 0) {
    if (n > 0) range(0, n, job);
    return;
  }
#pragma omp parallel
  {
    int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
    int64_t whole = n < 64 * 64 ? 1 : 64; /* few are rows, many are numbers: whole vectors */
    int64_t piece = (n / threads + whole - 1) / whole * whole;
    int64_t from = me * piece, to = me + 1 == threads ? n : from + piece;
    if (to > n) to = n;
    if (from < to) range(from, to, job);
  }
}

static void cpu_clamp(AbDtype dtype, int64_t n, void *x, double low, double high) {
  ab_device_reference.clamp(dtype, n, x, low, high);
}

const AbDevice ab_device_cpu = {
    .name = "cpu",
    .alloc = cpu_alloc,
    .release = cpu_release,
    .fill = cpu_fill,
    .copy = cpu_copy,
    .unary = cpu_unary,
    .affine = cpu_affine,
    .binary = cpu_binary,
    .reduce = cpu_reduce,
    .matmul = cpu_matmul,
    .bias_activate = cpu_bias_activate,
    .random = cpu_random,
    .sum_squares = cpu_sum_squares,
    .clamp = cpu_clamp,
    .index = &cpu_index,
    .linalg = &cpu_linalg,
    .convolution = &cpu_convolution,
    .pooling = &cpu_pooling,
    .normalization = &cpu_normalization,
    .recurrent = &cpu_recurrent,
    .attention = &cpu_attention,
    .losses = &cpu_losses,
    .optimizers = &cpu_optimizers,
    .reductions = &cpu_reductions,
    .unary_by = cpu_unary_by,
    .binary_by = cpu_binary_by,
    .where = cpu_where,
    .dropout = cpu_dropout,
    .sample_sigmoid = cpu_sample_sigmoid,
    .categorical = cpu_categorical,
};
