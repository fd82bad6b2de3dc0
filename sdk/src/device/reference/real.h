/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of the reference device over REAL (float or double), included once for each by
 * reference.c. NAME(f) is the function's name, M(f) the library's function for the type.        */

static REAL NAME(softplus)(REAL x) {
  return (x > 0 ? x : 0) + M(log1p)(M(exp)(-M(fabs)(x)));
}

static REAL NAME(apply)(AbUnary f, REAL x) {
  switch (f) {
  case K_ABS: return M(fabs)(x);
  case K_SQUARE: return x * x;
  case K_SQRT: return M(sqrt)(x);
  case K_EXP: return M(exp)(x);
  case K_LOG: return M(log)(x);
  case K_SIGN: return (REAL)((x > 0) - (x < 0));
  case K_SIGMOID: return 1 / (1 + M(exp)(-x));
  case K_TANH: return M(tanh)(x);
  case K_RELU: return x > 0 ? x : x != x ? x : 0;
  case K_SOFTPLUS: return NAME(softplus)(x);
  }
  return 0;
}

static void NAME(unary)(AbUnary f, int64_t n, REAL *y, const REAL *x) {
  for (int64_t i = 0; i < n; i++) y[i] = NAME(apply)(f, x[i]);
}

static void NAME(affine)(int64_t n, REAL *y, const REAL *x, double scale, double shift) {
  for (int64_t i = 0; i < n; i++) y[i] = (REAL)scale * x[i] + (REAL)shift;
}

static REAL NAME(bce)(REAL p, REAL t) {
  REAL q = p < (REAL)EDGE ? (REAL)EDGE : p > 1 - (REAL)EDGE ? 1 - (REAL)EDGE : p;
  return -t * M(log)(q) - (1 - t) * M(log1p)(-q);
}

static REAL NAME(combine)(AbBinary f, REAL a, REAL b) {
  switch (f) {
  case K_ADD: return a + b;
  case K_SUB: return a - b;
  case K_MUL: return a * b;
  case K_DIV: return a / b;
  case K_MIN: return b < a ? b : a;
  case K_MAX: return b > a ? b : a;
  case K_EQUAL: return a == b;
  case K_GREATER: return a > b;
  case K_NOT_GREATER: return a <= b;
  case K_SIGMOID_GRAD: return a * b * (1 - b);
  case K_TANH_GRAD: return a * (1 - b * b);
  case K_RELU_GRAD: return b > 0 ? a : 0;
  case K_SOFTPLUS_GRAD: return -a * M(expm1)(-b);
  case K_BCE: return NAME(bce)(a, b);
  case K_BCE_LOGITS: return (a > 0 ? a : 0) - a * b + M(log1p)(M(exp)(-M(fabs)(a)));
  }
  return 0;
}

static void NAME(binary)(AbBinary f, const AbLoop *loop, REAL *y, const REAL *a, const REAL *b) {
  if (nothing(loop)) return;
  int64_t index[AB_MAX_RANK] = {0}, at[AB_OPERANDS] = {0};
  do {
    y[at[0]] = NAME(combine)(f, a[at[1]], b[at[2]]);
  } while (advance(loop, index, at));
}

static void NAME(reduce)(AbReduce f, int64_t outer, int64_t middle, int64_t inner, REAL *y,
                         const REAL *x) {
  for (int64_t o = 0; o < outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      double sum = f == K_SUM ? 0 : -INFINITY;
      for (int64_t m = 0; m < middle; m++) {
        double value = (double)x[(o * middle + m) * inner + i];
        if (f == K_SUM)
          sum += value;
        else if (value > sum || value != value)
          sum = value;
      }
      y[o * inner + i] = (REAL)sum;
    }
  }
}

/* log sum_j exp(x_j), with the maximum taken out */
static REAL NAME(log_sum_exp)(int64_t n, const REAL *x, REAL *maximum) {
  REAL top = x[0], sum = 0;
  for (int64_t j = 1; j < n; j++)
    if (x[j] > top) top = x[j];
  for (int64_t j = 0; j < n; j++) sum += M(exp)(x[j] - top);
  *maximum = top;
  return M(log)(sum);
}

static void NAME(softmax)(bool log, int64_t rows, int64_t cols, REAL *y, const REAL *x) {
  for (int64_t i = 0; i < rows; i++, x += cols, y += cols) {
    REAL top, total = NAME(log_sum_exp)(cols, x, &top);
    for (int64_t j = 0; j < cols; j++) {
      REAL value = x[j] - top - total;
      y[j] = log ? value : M(exp)(value);
    }
  }
}

static void NAME(argmax)(int64_t rows, int64_t cols, int64_t *y, const REAL *x) {
  for (int64_t i = 0; i < rows; i++, x += cols) {
    y[i] = 0;
    for (int64_t j = 1; j < cols; j++)
      if (x[j] > x[y[i]]) y[i] = j;
  }
}

static void NAME(matmul)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const REAL *a,
                         int64_t lda, const REAL *b, int64_t ldb, double beta, REAL *c,
                         int64_t ldc) {
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t l = 0; l < k; l++)
        sum += (double)(ta ? a[l * lda + i] : a[i * lda + l]) *
               (double)(tb ? b[j * ldb + l] : b[l * ldb + j]);
      c[i * ldc + j] = (REAL)(beta != 0 ? sum + (double)c[i * ldc + j] : sum);
    }
  }
}

static void NAME(bias_activate)(AbActivation f, int64_t rows, int64_t cols, REAL *y,
                                const REAL *b) {
  static const AbUnary unary[] = {
      [AB_SIGMOID] = K_SIGMOID, [AB_TANH] = K_TANH, [AB_RELU] = K_RELU, [AB_SOFTPLUS] = K_SOFTPLUS};
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < cols; j++) {
      REAL *value = &y[i * cols + j];
      if (b) *value += b[j];
      if (f != AB_IDENTITY) *value = NAME(apply)(unary[f], *value);
    }
  }
}

static void NAME(cross_entropy)(int64_t rows, int64_t cols, REAL *y, const REAL *logits,
                                const int64_t *labels) {
  for (int64_t i = 0; i < rows; i++, logits += cols) {
    REAL top, total = NAME(log_sum_exp)(cols, logits, &top);
    y[i] = total - (logits[labels[i]] - top);
  }
}

static void NAME(cross_entropy_grad)(int64_t rows, int64_t cols, REAL *y, const REAL *g,
                                     const REAL *logits, const int64_t *labels) {
  NAME(softmax)(false, rows, cols, y, logits);
  for (int64_t i = 0; i < rows; i++, y += cols) {
    y[labels[i]] -= 1;
    for (int64_t j = 0; j < cols; j++) y[j] *= g[i];
  }
}

static void NAME(sgd)(int64_t n, REAL *w, const REAL *g, REAL *v, double lr, double momentum,
                      bool nesterov) {
  for (int64_t i = 0; i < n; i++) {
    REAL step = g[i];
    if (v) {
      v[i] = (REAL)momentum * v[i] + g[i];
      step = nesterov ? g[i] + (REAL)momentum * v[i] : v[i];
    }
    w[i] -= (REAL)lr * step;
  }
}

static void NAME(adam)(int64_t n, REAL *w, const REAL *g, REAL *m, REAL *s, double lr, double b1,
                       double b2, double epsilon, double correction1, double correction2) {
  REAL rate = (REAL)(lr / correction1), root = (REAL)(1 / sqrt(correction2));
  for (int64_t i = 0; i < n; i++) {
    m[i] = (REAL)b1 * m[i] + (REAL)(1 - b1) * g[i];
    s[i] = (REAL)b2 * s[i] + (REAL)(1 - b2) * g[i] * g[i];
    w[i] -= rate * m[i] / (M(sqrt)(s[i]) * root + (REAL)epsilon);
  }
}
