/* SPDX-License-Identifier: Apache-2.0
 *
 * The losses over REAL (float or double), included once for each by losses.c. NAME(f) is the
 * function's name, M(f) the library's function for the type, LEAST how far p is kept from 0 and 1.
 */

/* ---- of two numbers -------------------------------------------------------------------------- */

#undef LEAST
#define LEAST ((REAL)EDGE(AB_BCE_EDGE))

static REAL NAME(inside)(REAL p) { /* of [LEAST, 1 - LEAST]; NaN where p is no probability */
  if (!(p >= 0 && p <= 1)) return (REAL)NAN;
  return p < LEAST ? LEAST : p > 1 - LEAST ? 1 - LEAST : p;
}

static REAL NAME(above)(REAL p) { /* the same, from below alone */
  return p < LEAST ? LEAST : p;
}

static REAL NAME(log_cosh)(REAL d) { /* without loss for a small d, or overflow for a large one */
  REAL size = M(fabs)(d), sine = M(sinh)(size < 1 ? d / 2 : 0);
  if (size < 1) return M(log1p)(2 * sine * sine);
  return size + M(log1p)(M(exp)(-2 * size)) - (REAL)0.69314718055994530942;
}

static REAL NAME(value)(AbPairLoss f, REAL a, REAL b, REAL p) {
  REAL d = a - b, q, r;
  switch (f) {
  case K_LOSS_L1: return M(fabs)(d);
  case K_LOSS_SQUARED: return d * d;
  case K_LOSS_HUBER: return M(fabs)(d) <= p ? d * d / 2 : p * (M(fabs)(d) - p / 2);
  case K_LOSS_TUKEY:
    r = d / p * (d / p);
    return p * p / 6 * (r < 1 ? r * (3 - r * (3 - r)) : r == r ? 1 : r);
  case K_LOSS_LOG_COSH: return NAME(log_cosh)(d);
  case K_LOSS_HINGE: q = 1 - a * b; return q > 0 ? q : q == q ? 0 : q;
  case K_LOSS_SQUARED_HINGE: q = 1 - a * b; return q > 0 ? q * q : q == q ? 0 : q;
  case K_LOSS_POISSON: return M(exp)(a) - b * a;
  case K_LOSS_KL: return b == 0 ? 0 : b * (M(log)(b) - M(log)(NAME(above)(a)));
  case K_LOSS_KL_LOG: return b == 0 ? 0 : b * (M(log)(b) - a);
  case K_LOSS_KL_NORMAL: return (a * a + (M(expm1)(b) - b)) / 2;
  case K_LOSS_BCE: q = NAME(inside)(a); return -b * M(log)(q) - (1 - b) * M(log1p)(-q);
  case K_LOSS_BCE_LOGITS: return (a > 0 ? a : 0) - a * b + M(log1p)(M(exp)(-M(fabs)(a)));
  case K_LOSS_COUNT: break;
  }
  return 0;
}

static REAL NAME(slope_a)(AbPairLoss f, REAL a, REAL b, REAL p) {
  REAL d = a - b, q, r;
  switch (f) {
  case K_LOSS_L1: return d != d ? d : (REAL)((d > 0) - (d < 0));
  case K_LOSS_SQUARED: return 2 * d;
  case K_LOSS_HUBER: return d > p ? p : d < -p ? -p : d;
  case K_LOSS_TUKEY: r = 1 - d / p * (d / p); return r > 0 ? d * r * r : r == r ? 0 : r;
  case K_LOSS_LOG_COSH: return M(tanh)(d);
  case K_LOSS_HINGE: return 1 - a * b > 0 ? -b : 0;
  case K_LOSS_SQUARED_HINGE: q = 1 - a * b; return q > 0 ? -2 * b * q : 0;
  case K_LOSS_POISSON: return M(exp)(a) - b;
  case K_LOSS_KL: return -b / NAME(above)(a);
  case K_LOSS_KL_LOG: return -b;
  case K_LOSS_KL_NORMAL: return a;
  case K_LOSS_BCE: q = NAME(inside)(a); return (q - b) / (q * (1 - q));
  case K_LOSS_BCE_LOGITS: return 1 / (1 + M(exp)(-a)) - b;
  case K_LOSS_COUNT: break;
  }
  return 0;
}

static REAL NAME(slope_b)(AbPairLoss f, REAL a, REAL b, REAL p) {
  REAL q;
  switch (f) {
  case K_LOSS_HINGE: return 1 - a * b > 0 ? -a : 0;
  case K_LOSS_SQUARED_HINGE: q = 1 - a * b; return q > 0 ? -2 * a * q : 0;
  case K_LOSS_POISSON: return -a;
  case K_LOSS_KL: return b == 0 ? 0 : M(log)(b) - M(log)(NAME(above)(a)) + 1;
  case K_LOSS_KL_LOG: return b == 0 ? 0 : M(log)(b) - a + 1;
  case K_LOSS_KL_NORMAL: return M(expm1)(b) / 2;
  case K_LOSS_BCE: q = NAME(inside)(a); return M(log1p)(-q) - M(log)(q);
  case K_LOSS_BCE_LOGITS: return -a;
  default: return -NAME(slope_a)(f, a, b, p); /* of a - b alone */
  }
}

static void NAME(pair)(AbPairLoss f, const AbPairJob *j) {
  const REAL *a = j->a, *b = j->b;
  REAL *y = j->y;
  for (int64_t i = 0; i < j->n; i++) y[i] = NAME(value)(f, a[i], b[i], (REAL)j->p);
}

static double NAME(pair_sum)(AbPairLoss f, const AbPairJob *j) {
  const REAL *a = j->a, *b = j->b;
  double sum = 0;
  for (int64_t i = 0; i < j->n; i++) sum += (double)NAME(value)(f, a[i], b[i], (REAL)j->p);
  return sum;
}

static void NAME(pair_grad)(AbPairLoss f, const AbPairJob *j) {
  const REAL *a = j->a, *b = j->b, *g = j->g;
  REAL *y = j->y;
  for (int64_t i = 0; i < j->n; i++) {
    REAL slope = j->by_b ? NAME(slope_b)(f, a[i], b[i], (REAL)j->p)
                         : NAME(slope_a)(f, a[i], b[i], (REAL)j->p);
    y[i] = (REAL)j->scale * g[j->each ? i : 0] * slope;
  }
}

/* ---- of classes ------------------------------------------------------------------------------ */

static void NAME(norm)(int64_t cols, const REAL *z, REAL *norm) {
  REAL top = z[0];
  double sum = 0;
  for (int64_t c = 1; c < cols; c++)
    if (z[c] > top) top = z[c];
  for (int64_t c = 0; c < cols; c++) sum += (double)M(exp)(z[c] - top);
  norm[0] = top;
  norm[1] = (REAL)log(sum);
}

static REAL NAME(target)(int64_t cols, int64_t c, int64_t label, const REAL *weights,
                         double smoothing) {
  REAL t = (REAL)(smoothing / (double)cols + (c == label ? 1 - smoothing : 0));
  return weights ? weights[c] * t : t;
}

static void NAME(cross_entropy)(int64_t rows, int64_t cols, REAL *y, REAL *norm, const REAL *z,
                                const int64_t *labels, const REAL *weights, double smoothing) {
  for (int64_t i = 0; i < rows; i++, z += cols, norm += 2) {
    double sum = 0;
    NAME(norm)(cols, z, norm);
    for (int64_t c = 0; c < cols; c++) {
      REAL t = NAME(target)(cols, c, labels[i], weights, smoothing);
      if (t != 0) sum += (double)(t * (norm[1] - (z[c] - norm[0])));
    }
    y[i] = (REAL)sum;
  }
}

static void NAME(cross_entropy_grad)(int64_t rows, int64_t cols, REAL *dz, const REAL *g,
                                     const REAL *norm, const REAL *z, const int64_t *labels,
                                     const REAL *weights, double smoothing) {
  for (int64_t i = 0; i < rows; i++, z += cols, dz += cols, norm += 2) {
    double total = 0;
    for (int64_t c = 0; c < cols; c++)
      total += (double)NAME(target)(cols, c, labels[i], weights, smoothing);
    for (int64_t c = 0; c < cols; c++) {
      REAL t = NAME(target)(cols, c, labels[i], weights, smoothing);
      dz[c] = g[i] * (M(exp)(z[c] - norm[0] - norm[1]) * (REAL)total - t);
    }
  }
}

static void NAME(soft_cross_entropy)(int64_t rows, int64_t cols, REAL *y, REAL *norm, const REAL *z,
                                     const REAL *t) {
  for (int64_t i = 0; i < rows; i++, z += cols, t += cols, norm += 2) {
    double sum = 0;
    NAME(norm)(cols, z, norm);
    for (int64_t c = 0; c < cols; c++)
      if (t[c] != 0) sum += (double)(t[c] * (norm[1] - (z[c] - norm[0])));
    y[i] = (REAL)sum;
  }
}

static void NAME(soft_cross_entropy_grad)(int64_t rows, int64_t cols, REAL *dz, REAL *dt,
                                          const REAL *g, const REAL *norm, const REAL *z,
                                          const REAL *t) {
  for (int64_t i = 0; i < rows; i++, norm += 2) {
    double total = 0;
    for (int64_t c = 0; c < cols; c++) total += (double)t[i * cols + c];
    for (int64_t k = i * cols; k < (i + 1) * cols; k++) {
      REAL log_p = z[k] - norm[0] - norm[1];
      if (dz) dz[k] = g[i] * (M(exp)(log_p) * (REAL)total - t[k]);
      if (dt) dt[k] = -g[i] * log_p;
    }
  }
}

static void NAME(nll)(int64_t rows, int64_t cols, REAL *y, const REAL *log_p,
                      const int64_t *labels) {
  for (int64_t i = 0; i < rows; i++) y[i] = -log_p[i * cols + labels[i]];
}

static void NAME(nll_grad)(int64_t rows, int64_t cols, REAL *d, const REAL *g,
                           const int64_t *labels) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t c = 0; c < cols; c++) d[i * cols + c] = c == labels[i] ? -g[i] : 0;
}

/* ---- of rows --------------------------------------------------------------------------------- */

static void NAME(root_mean_square)(int64_t rows, int64_t cols, REAL *y, const REAL *a,
                                   const REAL *b) {
  for (int64_t i = 0; i < rows; i++, a += cols, b += cols) {
    double sum = 0;
    for (int64_t c = 0; c < cols; c++) {
      double d = (double)a[c] - (double)b[c];
      sum += d * d;
    }
    y[i] = (REAL)sqrt(sum / (double)cols);
  }
}

static void NAME(root_mean_square_grad)(int64_t rows, int64_t cols, REAL *d, const REAL *g,
                                        const REAL *y, const REAL *a, const REAL *b) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = i * cols; k < (i + 1) * cols; k++)
      d[k] = y[i] == 0 ? 0 : g[i] * (a[k] - b[k]) / ((REAL)cols * y[i]);
}

static void NAME(cosine)(int64_t rows, int64_t cols, double epsilon, REAL *y, REAL *norms,
                         const REAL *a, const REAL *b) {
  for (int64_t i = 0; i < rows; i++, a += cols, b += cols, norms += 2) {
    double product = 0, aa = 0, bb = 0;
    for (int64_t c = 0; c < cols; c++) {
      product += (double)a[c] * (double)b[c];
      aa += (double)a[c] * (double)a[c];
      bb += (double)b[c] * (double)b[c];
    }
    aa = sqrt(aa) > epsilon ? 1 / sqrt(aa) : aa == aa ? 1 / epsilon : aa;
    bb = sqrt(bb) > epsilon ? 1 / sqrt(bb) : bb == bb ? 1 / epsilon : bb;
    norms[0] = (REAL)aa;
    norms[1] = (REAL)bb;
    y[i] = (REAL)(product * aa * bb);
  }
}

static void NAME(cosine_grad)(int64_t rows, int64_t cols, double epsilon, bool by_b, REAL *d,
                              const REAL *g, const REAL *y, const REAL *norms, const REAL *a,
                              const REAL *b) {
  const REAL *own = by_b ? b : a, *other = by_b ? a : b;
  for (int64_t i = 0; i < rows; i++, norms += 2) {
    REAL n = norms[by_b], shrink = n < (REAL)(1 / epsilon) ? y[i] * n * n : 0;
    for (int64_t k = i * cols; k < (i + 1) * cols; k++)
      d[k] = g[i] * (other[k] * norms[0] * norms[1] - shrink * own[k]);
  }
}
