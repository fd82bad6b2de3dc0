/* SPDX-License-Identifier: Apache-2.0
 *
 * Timing matrix products: products.h says how. */
#include "products.h"
#include <cblas.h>
#include <dnnl.h>
#include <math.h>
#include <stdlib.h>

#define REPEATS 5

static float *buffers[3];
static int64_t sizes[3];

static float *buffer(int which, int64_t count) {
  if (count > sizes[which]) {
    free(buffers[which]);
    buffers[which] = malloc((size_t)count * sizeof(float));
    if (!buffers[which]) abort();
    for (int64_t i = 0; i < count; i++) buffers[which][i] = (float)(i % 7) * 0.1f;
    sizes[which] = count;
  }
  return buffers[which];
}

static double time_once(const Product *p, bool blas) {
  const float *a = buffer(0, p->m * p->k), *b = buffer(1, p->k * p->n);
  float *c = buffer(2, p->m * p->n);
  int64_t lda = p->ta ? p->m : p->k, ldb = p->tb ? p->k : p->n;
  double began = lab_now();
  if (blas)
    cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans,
                (blasint)p->m, (blasint)p->n, (blasint)p->k, 1, a, (blasint)lda, b, (blasint)ldb, 0,
                c, (blasint)p->n);
  else
    dnnl_sgemm(p->ta ? 'T' : 'N', p->tb ? 'T' : 'N', p->m, p->n, p->k, 1, a, lda, b, ldb, 0, c,
               p->n);
  return lab_now() - began;
}

/* The middle one of a few. */
static double median_time(const Product *p, bool blas) {
  double times[REPEATS];
  for (int i = 0; i < REPEATS; i++) {
    double t = time_once(p, blas);
    int j = i;
    for (; j > 0 && times[j - 1] > t; j--) times[j] = times[j - 1];
    times[j] = t;
  }
  return times[REPEATS / 2];
}

static double best_time(const Product *p) {
  return fmin(median_time(p, false), median_time(p, true));
}

double products_time(const Workload *workload) {
  static const Product large = {false, false, 1024, 1024, 1024, 1};
  double seconds = 0;
  for (const Product *p = workload->products; p && p->count > 0; p++)
    seconds += best_time(p) * (double)p->count;
  double multiply_adds = workload->count ? workload->count() : workload->multiply_adds;
  if (multiply_adds > 0) seconds += multiply_adds / (1024.0 * 1024 * 1024) * best_time(&large);
  return seconds;
}
