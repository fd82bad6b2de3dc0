/* SPDX-License-Identifier: Apache-2.0
 *
 * Principal component analysis (Pearson 1901). With the centred points as the rows of X [n, d]:
 *
 *   X'X v = l v,   projection X v,   explained l / trace X'X
 *
 * Where there are fewer points than dimensions the smaller X X' has the same l: X X' u = l u and
 * X v = sqrt(l) u. The eigenvectors are LAPACK's. */
#include "pca.h"

#include <absdk/host.h>
#include <math.h>
#include <string.h>

/* LAPACK, in OpenBLAS: eigenvectors `first` to `last` of a symmetric matrix, by rising values. */
typedef int blasint;
void dsyevr_(const char *vectors, const char *range, const char *triangle, const blasint *n,
             double *a, const blasint *lda, const double *low, const double *high,
             const blasint *first, const blasint *last, const double *tolerance, blasint *found,
             double *values, double *z, const blasint *ldz, blasint *support, double *work,
             const blasint *work_size, blasint *integers, const blasint *integer_size,
             blasint *info);

/* The last `count` eigenvalues of gram [n, n], which is used up, and their vectors [count, n]. */
static gboolean eigenvectors(double *gram, gint64 n, gint64 count, double *values,
                             double *vectors) {
  blasint size = (blasint)n, first = (blasint)(n - count + 1), found = 0, info = 0;
  blasint work_size = 26 * size, integer_size = 10 * size; /* the least that it asks for */
  double none = 0;
  g_autofree double *all = g_new(double, (gsize)n);
  g_autofree double *work = g_new(double, (gsize)work_size);
  g_autofree blasint *integers = g_new(blasint, (gsize)integer_size);
  blasint support[2 * PCA_COMPONENTS];
  dsyevr_("V", "I", "U", &size, gram, &size, &none, &none, &first, &size, &none, &found, all,
          vectors, &size, support, work, &work_size, integers, &integer_size, &info);
  for (gint64 j = 0; j < count; j++) values[j] = all[j];
  return info == 0 && found == count;
}

/* ---- points ---------------------------------------------------------------------------------- */

static gboolean centre(double *values, gint64 count, gint64 width) {
  for (gint64 j = 0; j < width; j++) {
    double sum = 0;
    for (gint64 i = 0; i < count; i++) sum += values[i * width + j];
    if (!isfinite(sum)) return FALSE;
    for (gint64 i = 0; i < count; i++) values[i * width + j] -= sum / (double)count;
  }
  return TRUE;
}

/* X'X or X X', the smaller. */
static double *gram_of(AbContext *ctx, const double *values, gint64 count, gint64 width) {
  gint64 length = MIN(count, width);
  double *gram = g_try_malloc_n((gsize)(length * length), sizeof *gram);
  AbScope scope = ab_scope_begin(ctx);
  bool recording = ab_set_recording(ctx, false);
  AbTensor *x = ab_from(ctx, AB_F64, AB_SHAPE(count, width), values);
  AbTensor *turned = ab_transpose(x, 0, 1);
  AbTensor *y = width <= count ? ab_matmul(turned, x) : ab_matmul(x, turned);
  const double *from = y ? ab_map(y, false) : NULL;
  if (gram && from) memcpy(gram, from, (gsize)(length * length) * sizeof *gram);
  if (!from) g_clear_pointer(&gram, g_free);
  if (from) ab_unmap(y);
  ab_set_recording(ctx, recording);
  ab_scope_end(ctx, scope, NULL, 0);
  return gram;
}

/* The first of those that lie farthest out, but for rounding, is on the positive side. */
static void set_sign(double *projection, gint64 count) {
  double farthest = 0;
  for (gint64 i = 0; i < count; i++) farthest = MAX(farthest, fabs(projection[i * PCA_COMPONENTS]));
  gint64 first = 0;
  while (fabs(projection[first * PCA_COMPONENTS]) < (1 - 1e-9) * farthest) first++;
  if (projection[first * PCA_COMPONENTS] >= 0) return;
  for (gint64 i = 0; i < count; i++) projection[i * PCA_COMPONENTS] *= -1;
}

/* Along the eigenvector u, [width], or of X X', [count]. */
static void project(const double *values, gint64 count, gint64 width, const double *u,
                    double eigenvalue, double *projection) {
  for (gint64 i = 0; i < count; i++) {
    double at = width > count ? sqrt(MAX(eigenvalue, 0)) * u[i] : 0;
    for (gint64 j = 0; width <= count && j < width; j++) at += values[i * width + j] * u[j];
    projection[i * PCA_COMPONENTS] = at;
  }
  set_sign(projection, count);
}

static gboolean solve(double *gram, const double *values, gint64 count, gint64 width,
                      double *projection, double *explained) {
  gint64 length = MIN(count, width), wanted = MIN(length, PCA_COMPONENTS);
  double eigenvalues[PCA_COMPONENTS] = {0}, trace = 0;
  g_autofree double *vectors = g_new(double, (gsize)(length * wanted));
  for (gint64 i = 0; i < length; i++) trace += gram[i * length + i];
  if (!(trace > 0)) return TRUE;
  if (!eigenvectors(gram, length, wanted, eigenvalues, vectors)) return FALSE;
  for (gint64 j = 0; j < wanted; j++) { /* the largest is the last */
    gint64 from = wanted - 1 - j;
    project(values, count, width, vectors + from * length, eigenvalues[from], projection + j);
    explained[j] = MAX(eigenvalues[from], 0) / trace;
  }
  return TRUE;
}

gboolean pca(AbContext *ctx, double *values, gint64 count, gint64 width, double *projection,
             double explained[PCA_COMPONENTS], GError **error) {
  memset(projection, 0, (gsize)(count * PCA_COMPONENTS) * sizeof *projection);
  memset(explained, 0, PCA_COMPONENTS * sizeof *explained);
  if (width == 0) return TRUE;
  if (!centre(values, count, width))
    return host_fail(error, AB_DATA, "some of the numbers are not finite");
  g_autofree double *gram = gram_of(ctx, values, count, width);
  if (!gram) return host_fail(error, AB_CONFIG, "no memory for %" G_GINT64_FORMAT " points", count);
  return solve(gram, values, count, width, projection, explained) ||
         host_fail(error, AB_INTERNAL, "the eigenvectors were not found");
}
