/* SPDX-License-Identifier: Apache-2.0
 *
 * Principal component analysis (Pearson 1901). With the centred points as the rows of X [n, d]:
 *
 *   X'X v = l v,   projection X v,   explained l / trace X'X
 *
 * Where there are fewer points than dimensions the smaller X X' has the same l: X X' u = l u and
 * X v = sqrt(l) u. Its first eigenvectors by orthogonal iteration on a few vectors more, with the
 * procedure of Rayleigh and Ritz (Golub & Van Loan, Matrix computations, 8.2.4); the small
 * eigenproblem of that by Jacobi's rotations (ibid., 8.5). */
#include "pca.h"

#include <absdk/host.h>
#include <math.h>
#include <string.h>

#define BLOCK      8 /* vectors that are iterated together */
#define ITERATIONS 300
#define SWEEPS     50
#define TOLERANCE  1e-11

/* ---- the eigenvectors of a small symmetric matrix -------------------------------------------- */

/* One rotation that makes a_pq zero. */
static void rotate(double a[BLOCK][BLOCK], double q[BLOCK][BLOCK], int size, int i, int j) {
  double theta = (a[j][j] - a[i][i]) / (2 * a[i][j]);
  double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
  double c = 1 / sqrt(t * t + 1), s = t * c;
  for (int k = 0; k < size; k++) {
    double x = a[k][i], y = a[k][j];
    a[k][i] = c * x - s * y;
    a[k][j] = s * x + c * y;
  }
  for (int k = 0; k < size; k++) {
    double x = a[i][k], y = a[j][k];
    a[i][k] = c * x - s * y;
    a[j][k] = s * x + c * y;
    x = q[k][i];
    y = q[k][j];
    q[k][i] = c * x - s * y;
    q[k][j] = s * x + c * y;
  }
}

/* The columns of q become the eigenvectors, the diagonal of a the eigenvalues. */
static void jacobi(double a[BLOCK][BLOCK], double q[BLOCK][BLOCK], int size) {
  for (int i = 0; i < size; i++)
    for (int j = 0; j < size; j++) q[i][j] = i == j;
  for (int sweep = 0, rotated = 1; rotated && sweep < SWEEPS; sweep++) {
    rotated = 0;
    for (int i = 0; i < size; i++)
      for (int j = i + 1; j < size; j++) {
        if (fabs(a[i][j]) <= 1e-16 * sqrt(fabs(a[i][i] * a[j][j])) || a[i][j] == 0) continue;
        rotate(a, q, size, i, j);
        rotated = 1;
      }
  }
}

/* The columns of q in the order of falling eigenvalues, which are put into `values`. */
static void sort_pairs(double a[BLOCK][BLOCK], double q[BLOCK][BLOCK], int size, double *values) {
  for (int i = 0; i < size; i++) values[i] = a[i][i];
  for (int i = 0; i < size; i++) {
    int best = i;
    for (int j = i + 1; j < size; j++)
      if (values[j] > values[best]) best = j;
    for (int k = 0; k < size; k++) {
      double kept = q[k][i];
      q[k][i] = q[k][best];
      q[k][best] = kept;
    }
    double kept = values[i];
    values[i] = values[best];
    values[best] = kept;
  }
}

/* ---- orthogonal iteration -------------------------------------------------------------------- */

/* `size` vectors of `length`, side by side: [length, size]. */
typedef struct {
  gint64 length;
  int size;
  double *gram;          /* [length, length] */
  double *v, *w, *u, *r; /* orthonormal; gram v; v q; w q */
} Iteration;

static double dot(const double *a, const double *b, gint64 length, int stride) {
  double sum = 0;
  for (gint64 i = 0; i < length; i++) sum += a[i * stride] * b[i * stride];
  return sum;
}

/* Gram and Schmidt, twice: what is left of a vector that depends on others is made orthogonal too.
 */
static void orthonormalise(double *v, gint64 length, int size) {
  for (int j = 0; j < size; j++)
    for (int again = 0; again < 2; again++) {
      for (int i = 0; i < j; i++) {
        double along = dot(v + i, v + j, length, size);
        for (gint64 k = 0; k < length; k++) v[k * size + j] -= along * v[k * size + i];
      }
      double norm = sqrt(dot(v + j, v + j, length, size));
      for (gint64 k = 0; k < length; k++) v[k * size + j] = norm > 0 ? v[k * size + j] / norm : 0;
    }
}

static void multiply(const Iteration *self) {
  int size = self->size;
  memset(self->w, 0, (gsize)(self->length * size) * sizeof *self->w);
  for (gint64 i = 0; i < self->length; i++)
    for (gint64 k = 0; k < self->length; k++) {
      double g = self->gram[i * self->length + k];
      for (int j = 0; j < size; j++) self->w[i * size + j] += g * self->v[k * size + j];
    }
}

/* to = from q */
static void mix(const Iteration *self, const double *from, double q[BLOCK][BLOCK], double *to) {
  int size = self->size;
  for (gint64 i = 0; i < self->length; i++)
    for (int j = 0; j < size; j++) {
      double sum = 0;
      for (int k = 0; k < size; k++) sum += from[i * size + k] * q[k][j];
      to[i * size + j] = sum;
    }
}

/* Whether gram u = l u, for those that are wanted. */
static gboolean converged(const Iteration *self, const double *values) {
  int size = self->size;
  for (int j = 0; j < MIN(size, PCA_COMPONENTS); j++) {
    double worst = 0;
    for (gint64 i = 0; i < self->length; i++)
      worst = MAX(worst, fabs(self->r[i * size + j] - values[j] * self->u[i * size + j]));
    if (worst > TOLERANCE * values[0]) return FALSE;
  }
  return TRUE;
}

/* Leaves the eigenvectors in u. */
static void iterate(Iteration *self, double *values) {
  double h[BLOCK][BLOCK], q[BLOCK][BLOCK];
  gsize bytes = (gsize)(self->length * self->size) * sizeof(double);
  AbStream stream = ab_stream(0, "pca");
  for (gint64 i = 0; i < self->length * self->size; i++) self->v[i] = ab_stream_normal(&stream);
  for (int round = 0; round < ITERATIONS; round++) {
    orthonormalise(self->v, self->length, self->size);
    multiply(self);
    for (int i = 0; i < self->size; i++)
      for (int j = 0; j < self->size; j++)
        h[i][j] = dot(self->v + MIN(i, j), self->w + MAX(i, j), self->length, self->size);
    jacobi(h, q, self->size);
    sort_pairs(h, q, self->size, values);
    mix(self, self->v, q, self->u);
    mix(self, self->w, q, self->r);
    if (converged(self, values)) return;
    memcpy(self->v, self->r, bytes);
  }
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

static void project(const Iteration *self, const double *values, gint64 count, gint64 width,
                    int component, double eigenvalue, double *projection) {
  const double *u = self->u + component;
  for (gint64 i = 0; i < count; i++) {
    double at = 0;
    if (width > count) at = sqrt(MAX(eigenvalue, 0)) * u[i * self->size];
    for (gint64 j = 0; width <= count && j < width; j++)
      at += values[i * width + j] * u[j * self->size];
    projection[i * PCA_COMPONENTS + component] = at;
  }
  set_sign(projection + component, count);
}

static void solve(Iteration *self, const double *values, gint64 count, gint64 width,
                  double *projection, double *explained) {
  double eigenvalues[BLOCK] = {0}, trace = 0;
  for (gint64 i = 0; i < self->length; i++) trace += self->gram[i * self->length + i];
  if (!(trace > 0)) return;
  iterate(self, eigenvalues);
  for (int j = 0; j < MIN(self->size, PCA_COMPONENTS); j++) {
    project(self, values, count, width, j, eigenvalues[j], projection);
    explained[j] = MAX(eigenvalues[j], 0) / trace;
  }
}

gboolean pca(AbContext *ctx, double *values, gint64 count, gint64 width, double *projection,
             double explained[PCA_COMPONENTS], GError **error) {
  memset(projection, 0, (gsize)(count * PCA_COMPONENTS) * sizeof *projection);
  memset(explained, 0, PCA_COMPONENTS * sizeof *explained);
  if (width == 0) return TRUE;
  if (!centre(values, count, width))
    return host_fail(error, AB_DATA, "some of the numbers are not finite");
  gint64 length = MIN(count, width);
  g_autofree double *gram = gram_of(ctx, values, count, width);
  if (!gram) return host_fail(error, AB_CONFIG, "no memory for %" G_GINT64_FORMAT " points", count);
  gint64 block = length * MIN(length, BLOCK);
  g_autofree double *scratch = g_new(double, (gsize)(4 * block));
  Iteration iteration = {.length = length,
                         .size = (int)MIN(length, BLOCK),
                         .gram = gram,
                         .v = scratch,
                         .w = scratch + block,
                         .u = scratch + 2 * block,
                         .r = scratch + 3 * block};
  solve(&iteration, values, count, width, projection, explained);
  return TRUE;
}
