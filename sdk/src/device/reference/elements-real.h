/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of elements over REAL (float or double), included once for each by elements.c. NAME(f)
 * is the function's name, M(f) the library's function for the type.                             */

static REAL NAME(softplus)(REAL x) {
  return (x > 0 ? x : 0) + M(log1p)(M(exp)(-M(fabs)(x)));
}

static REAL NAME(sigmoid)(REAL x) {
  return 1 / (1 + M(exp)(-x));
}

/* Phi(x), the part of a standard normal distribution below x, and its density */
static REAL NAME(normal_below)(REAL x) {
  return M(erfc)(-x * (REAL)0.70710678118654752440) / 2;
}
static REAL NAME(normal_density)(REAL x) {
  return M(exp)(-x * x / 2) * (REAL)0.39894228040143267794;
}

static REAL NAME(between)(REAL x, REAL low, REAL high) {
  return x < low ? low : x > high ? high : x;
}

/* The tanh form of gelu is x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3). */
static REAL NAME(gelu_argument)(REAL x) {
  return (REAL)0.79788456080286535588 * (x + (REAL)0.044715 * x * x * x);
}

static REAL NAME(apply)(AbUnary f, REAL x, REAL a, REAL b) {
  const REAL scale = (REAL)AB_SELU_SCALE, alpha = (REAL)AB_SELU_ALPHA;
  switch (f) {
  case K_ABS: return M(fabs)(x);
  case K_SQUARE: return x * x;
  case K_SQRT: return M(sqrt)(x);
  case K_EXP: return M(exp)(x);
  case K_LOG: return M(log)(x);
  case K_SIGN: return (REAL)((x > 0) - (x < 0));
  case K_SIGMOID: return NAME(sigmoid)(x);
  case K_TANH: return M(tanh)(x);
  case K_RELU: return x > 0 ? x : x != x ? x : 0;
  case K_SOFTPLUS: return NAME(softplus)(x);
  case K_LOG1P: return M(log1p)(x);
  case K_EXPM1: return M(expm1)(x);
  case K_RSQRT: return 1 / M(sqrt)(x);
  case K_RECIPROCAL: return 1 / x;
  case K_SIN: return M(sin)(x);
  case K_COS: return M(cos)(x);
  case K_TAN: return M(tan)(x);
  case K_ASIN: return M(asin)(x);
  case K_ACOS: return M(acos)(x);
  case K_ATAN: return M(atan)(x);
  case K_SINH: return M(sinh)(x);
  case K_COSH: return M(cosh)(x);
  case K_ERF: return M(erf)(x);
  case K_FLOOR: return M(floor)(x);
  case K_CEIL: return M(ceil)(x);
  case K_ROUND: return M(rint)(x);
  case K_IS_NAN: return x != x;
  case K_IS_FINITE: return x - x == 0;
  case K_CLAMP: return NAME(between)(x, a, b);
  case K_POWER: return M(pow)(x, a);
  case K_LEAKY_RELU: return x > 0 ? x : a * x;
  case K_ELU: return x > 0 ? x : a * M(expm1)(x);
  case K_SELU: return scale * (x > 0 ? x : alpha * M(expm1)(x));
  case K_RELU6: return NAME(between)(x, 0, 6);
  case K_HARD_TANH: return NAME(between)(x, -1, 1);
  case K_HARD_SIGMOID: return NAME(between)(x / 6 + (REAL)0.5, 0, 1);
  case K_HARD_SWISH: return x * NAME(between)(x / 6 + (REAL)0.5, 0, 1);
  case K_GELU: return x * NAME(normal_below)(x);
  case K_GELU_TANH: return x * NAME(sigmoid)(2 * NAME(gelu_argument)(x));
  case K_SWISH: return x * NAME(sigmoid)(x);
  case K_MISH: return x * M(tanh)(NAME(softplus)(x));
  case K_SOFTSIGN: return x / (1 + M(fabs)(x));
  case K_BENT_IDENTITY: return (M(hypot)(x, 1) - 1) / 2 + x;
  case K_GAUSSIAN: return M(exp)(-x * x);
  case K_STEP: return x > 0;
  case K_TANHSHRINK: return x - M(tanh)(x);
  case K_LOG_SIGMOID: return -NAME(softplus)(-x);
  }
  return 0;
}

static void NAME(unary_by)(AbUnary f, int64_t n, REAL *y, const REAL *x, double a, double b) {
  for (int64_t i = 0; i < n; i++) y[i] = NAME(apply)(f, x[i], (REAL)a, (REAL)b);
}

static void NAME(affine)(int64_t n, REAL *y, const REAL *x, double scale, double shift) {
  for (int64_t i = 0; i < n; i++) y[i] = (REAL)scale * x[i] + (REAL)shift;
}

/* a - b floor(a / b), exactly: fmod has the sign of a */
static REAL NAME(remainder)(REAL a, REAL b) {
  REAL rest = M(fmod)(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static REAL NAME(gelu_tanh_slope)(REAL x) {
  REAL s = NAME(sigmoid)(2 * NAME(gelu_argument)(x));
  return s + x * s * (1 - s) * 2 * (REAL)0.79788456080286535588 * (1 + (REAL)0.134145 * x * x);
}

static REAL NAME(mish_slope)(REAL x) {
  REAL t = M(tanh)(NAME(softplus)(x));
  return t + x * (1 - t * t) * NAME(sigmoid)(x);
}

static REAL NAME(combine)(AbBinary f, REAL a, REAL b, REAL p, REAL q) {
  const REAL scale = (REAL)AB_SELU_SCALE, alpha = (REAL)AB_SELU_ALPHA;
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
  case K_NOT_EQUAL: return a != b;
  case K_POW: return M(pow)(a, b);
  case K_ATAN2: return M(atan2)(a, b);
  case K_REMAINDER: return NAME(remainder)(a, b);
  case K_PRELU: return a > 0 ? a : a * b;
  case K_LEAKY_RELU_GRAD: return b > 0 ? a : a * p;
  case K_ELU_GRAD: return b > 0 ? a : a * (b + p);
  case K_SELU_GRAD: return b > 0 ? a * scale : a * (b + scale * alpha);
  case K_RELU6_GRAD: return b > 0 && b < 6 ? a : 0;
  case K_HARD_TANH_GRAD: return b > -1 && b < 1 ? a : 0;
  case K_HARD_SIGMOID_GRAD: return b > 0 && b < 1 ? a / 6 : 0;
  case K_SOFTSIGN_GRAD: return a * (1 - M(fabs)(b)) * (1 - M(fabs)(b));
  case K_LOG_SIGMOID_GRAD: return -a * M(expm1)(b);
  case K_CLAMP_GRAD: return b >= p && b <= q ? a : 0;
  case K_HARD_SWISH_GRAD: return b <= -3 ? 0 : b < 3 ? a * (b / 3 + (REAL)0.5) : a;
  case K_GELU_GRAD: return a * (NAME(normal_below)(b) + b * NAME(normal_density)(b));
  case K_GELU_TANH_GRAD: return a * NAME(gelu_tanh_slope)(b);
  case K_SWISH_GRAD: return a * NAME(sigmoid)(b) * (1 + b * NAME(sigmoid)(-b));
  case K_MISH_GRAD: return a * NAME(mish_slope)(b);
  case K_BENT_IDENTITY_GRAD: return a * (b / (2 * M(hypot)(b, 1)) + 1);
  case K_GAUSSIAN_GRAD: return -2 * a * b * M(exp)(-b * b);
  case K_TANHSHRINK_GRAD: return a * M(tanh)(b) * M(tanh)(b);
  }
  return 0;
}

static void NAME(binary_by)(AbBinary f, const AbLoop *loop, REAL *y, const REAL *a, const REAL *b,
                            double p, double q) {
  if (nothing(loop)) return;
  int64_t index[AB_MAX_RANK] = {0}, at[AB_OPERANDS] = {0};
  do {
    y[at[0]] = NAME(combine)(f, a[at[1]], b[at[2]], (REAL)p, (REAL)q);
  } while (advance(loop, index, at));
}

static void NAME(where)(const AbLoop *loop, REAL *y, AbDtype any, const void *condition,
                        const REAL *a, const REAL *b) {
  if (nothing(loop)) return;
  int64_t index[AB_MAX_RANK] = {0}, at[AB_OPERANDS] = {0};
  do {
    y[at[0]] = load(any, condition, at[1]) != 0 ? a[at[2]] : b[at[3]];
  } while (advance(loop, index, at));
}

static void NAME(bias_activate)(AbActivation f, int64_t rows, int64_t cols, REAL *y,
                                const REAL *b) {
  AbUnary unary = ab_activation_kernels(f).f;
  REAL number = (REAL)preset(unary);
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < cols; j++) {
      REAL *value = &y[i * cols + j];
      if (b) *value += b[j];
      if (f != AB_IDENTITY) *value = NAME(apply)(unary, *value, number, 0);
    }
  }
}
