/* SPDX-License-Identifier: Apache-2.0
 *
 * What a device is to the rest of the SDK: a table of kernels. Nothing outside a device looks
 * behind it. Kernels get checked arguments and cannot fail; `alloc` can.
 *
 * Pointers are to the first element. "Dense" is row-major without gaps. A dtype is AB_F32 or
 * AB_F64 unless said otherwise. Outputs do not overlap inputs, except where `y` may be `x`.      */
#ifndef SDK_DEVICE_DEVICE_H
#define SDK_DEVICE_DEVICE_H

#include <absdk/ops.h>

typedef enum {
  K_ABS,
  K_SQUARE,
  K_SQRT,
  K_EXP,
  K_LOG,
  K_SIGN,
  K_SIGMOID,
  K_TANH,
  K_RELU,
  K_SOFTPLUS,
  K_LOG1P,
  K_EXPM1,
  K_RSQRT,
  K_RECIPROCAL,
  K_SIN,
  K_COS,
  K_TAN,
  K_ASIN,
  K_ACOS,
  K_ATAN,
  K_SINH,
  K_COSH,
  K_ERF,
  K_FLOOR,
  K_CEIL,
  K_ROUND, /* half to even */
  K_IS_NAN,
  K_IS_FINITE,
  K_CLAMP,      /* to [a, b]; of unary_by */
  K_POWER,      /* x^a; of unary_by */
  K_LEAKY_RELU, /* x > 0 ? x : a x; a = AB_LEAKY_SLOPE for unary */
  K_ELU,        /* x > 0 ? x : a (exp(x) - 1); a = 1 for unary */
  K_SELU,
  K_RELU6,
  K_HARD_TANH,
  K_HARD_SIGMOID, /* x / 6 + 1/2, clamped to [0, 1] */
  K_HARD_SWISH,   /* x hard_sigmoid(x) */
  K_GELU,         /* x Phi(x) */
  K_GELU_TANH,
  K_SWISH,    /* x sigmoid(x) */
  K_MISH,     /* x tanh(softplus(x)) */
  K_SOFTSIGN, /* x / (1 + |x|) */
  K_BENT_IDENTITY,
  K_GAUSSIAN, /* exp(-x^2) */
  K_STEP,     /* x > 0 */
  K_TANHSHRINK,
  K_LOG_SIGMOID,
} AbUnary;

typedef enum {
  K_ADD,
  K_SUB,
  K_MUL,
  K_DIV,
  K_MIN,
  K_MAX,
  K_EQUAL,         /* 1 or 0 */
  K_GREATER,       /* a > b */
  K_NOT_GREATER,   /* a <= b */
  K_SIGMOID_GRAD,  /* a = gradient, b = sigmoid(x): a b (1 - b) */
  K_TANH_GRAD,     /* a = gradient, b = tanh(x): a (1 - b^2) */
  K_RELU_GRAD,     /* a = gradient, b = relu(x): b > 0 ? a : 0 */
  K_SOFTPLUS_GRAD, /* a = gradient, b = softplus(x): a (1 - exp(-b)) */
  K_NOT_EQUAL,
  K_POW,
  K_ATAN2,
  K_REMAINDER, /* with the sign of b */
  K_PRELU,     /* a > 0 ? a : a b */
  /* a = gradient, b = the result of the activation */
  K_LEAKY_RELU_GRAD, /* of the argument too; p = slope, AB_LEAKY_SLOPE for binary */
  K_ELU_GRAD,        /* p = alpha, 1 for binary */
  K_SELU_GRAD,
  K_RELU6_GRAD,
  K_HARD_TANH_GRAD,
  K_HARD_SIGMOID_GRAD,
  K_SOFTSIGN_GRAD,
  K_LOG_SIGMOID_GRAD,
  /* a = gradient, b = the argument */
  K_CLAMP_GRAD, /* p <= b <= q ? a : 0 */
  K_HARD_SWISH_GRAD,
  K_GELU_GRAD,
  K_GELU_TANH_GRAD,
  K_SWISH_GRAD,
  K_MISH_GRAD,
  K_BENT_IDENTITY_GRAD,
  K_GAUSSIAN_GRAD,
  K_TANHSHRINK_GRAD,
} AbBinary;

/* Numbers of activations. */
#define AB_LEAKY_SLOPE 0.01
#define AB_SELU_SCALE  1.0507009873554804934193349852946
#define AB_SELU_ALPHA  1.6732632423543772848170429916717

typedef enum { K_SUM, K_REDUCE_MAX } AbReduce;

typedef enum { K_UNIFORM, K_NORMAL, K_BERNOULLI, K_EXPONENTIAL, K_GUMBEL } AbRandomKind;

/* A loop nest over a broadcast shape; strides count elements, 0 repeats. [0] is the output. */
#define AB_OPERANDS 4
typedef struct {
  int32_t rank;
  int64_t shape[AB_MAX_RANK];
  int64_t stride[AB_OPERANDS][AB_MAX_RANK];
} AbLoop;

/* Where random numbers come from: see random.h. */
typedef struct {
  uint64_t key;
  uint32_t call;
  uint64_t step;
} AbDraw;

/* The kernels of a family of operations; each has a header beside this one. */
typedef struct AbIndexKernels AbIndexKernels;
typedef struct AbReductionKernels AbReductionKernels;
typedef struct AbLinalgKernels AbLinalgKernels;
typedef struct AbConvolutionKernels AbConvolutionKernels;
typedef struct AbPoolingKernels AbPoolingKernels;
typedef struct AbNormalizationKernels AbNormalizationKernels;
typedef struct AbRecurrentKernels AbRecurrentKernels;
typedef struct AbAttentionKernels AbAttentionKernels;
typedef struct AbLossKernels AbLossKernels;
typedef struct AbOptimizerKernels AbOptimizerKernels;

typedef struct AbDevice {
  const char *name;
  void *(*alloc)(size_t bytes); /* 64-byte aligned; NULL if there is no memory */
  void (*release)(void *data, size_t bytes);

  void (*fill)(AbDtype any, int64_t n, void *y, double value);
  /* y := x, strided ([0] y, [1] x), converted between any two types. */
  void (*copy)(const AbLoop *loop, AbDtype to, void *y, AbDtype from, const void *x);
  void (*unary)(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x); /* dense */
  void (*affine)(AbDtype dtype, int64_t n, void *y, const void *x, double scale, double shift);
  void (*binary)(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                 const void *b);
  /* x [outer, middle, inner], dense -> y [outer, inner]. The sum over nothing is 0, the maximum
   * -inf.                                                                                       */
  void (*reduce)(AbReduce f, AbDtype dtype, int64_t outer, int64_t middle, int64_t inner, void *y,
                 const void *x);
  /* c [m, n] := op(a) op(b) + beta c, row-major with leading dimensions; beta is 0 or 1. */
  void (*matmul)(AbDtype dtype, bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *a,
                 int64_t lda, const void *b, int64_t ldb, double beta, void *c, int64_t ldc);
  /* y [rows, cols] := activation(y + b); b [cols] or NULL */
  void (*bias_activate)(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *y,
                        const void *b);
  /* K_UNIFORM in [a, b), K_NORMAL mean a, deviation b, K_BERNOULLI by p[i], K_EXPONENTIAL of rate 1
   * and K_GUMBEL of location 0, each times b plus a                                              */
  void (*random)(AbRandomKind kind, AbDtype dtype, int64_t n, void *y, const AbDraw *draw, double a,
                 double b, const void *p);
  double (*sum_squares)(AbDtype dtype, int64_t n, const void *x); /* in f64 */
  void (*clamp)(AbDtype dtype, int64_t n, void *x, double low, double high);

  const AbIndexKernels *index;
  const AbLinalgKernels *linalg;
  const AbConvolutionKernels *convolution;
  const AbPoolingKernels *pooling;
  const AbNormalizationKernels *normalization;
  const AbRecurrentKernels *recurrent;
  const AbAttentionKernels *attention;
  const AbLossKernels *losses;
  const AbOptimizerKernels *optimizers;
  const AbReductionKernels *reductions;

  /* unary and binary with numbers: K_CLAMP, K_POWER, K_LEAKY_RELU, K_ELU and their gradients */
  void (*unary_by)(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x, double a, double b);
  void (*binary_by)(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                    const void *b, double p, double q);
  /* y := condition != 0 ? a : b; the operands of the loop are y, condition, a, b */
  void (*where)(AbDtype dtype, const AbLoop *loop, void *y, AbDtype any, const void *condition,
                const void *a, const void *b);
  /* y := u < keep ? x * scale : 0, for the uniform numbers u of the draw; dense */
  void (*dropout)(AbDtype dtype, int64_t n, void *y, const void *x, const AbDraw *draw, double keep,
                  double scale);
  /* y := u < sigmoid(x); mean := sigmoid(x) unless it is NULL; dense */
  void (*sample_sigmoid)(AbDtype dtype, int64_t n, void *y, void *mean, const AbDraw *draw,
                         const void *x);
  /* y [rows]: the first j with u total < w_0 + ... + w_j, for weights w [rows, cols]; sums in f64.
   * Only a w_j > 0 is taken; 0 where there is none.                                              */
  void (*categorical)(AbDtype dtype, int64_t rows, int64_t cols, int64_t *y, const AbDraw *draw,
                      const void *weights);
} AbDevice;

extern const AbDevice ab_device_reference;
extern const AbDevice ab_device_cpu;
const AbDevice *ab_device_find(const char *name); /* NULL if there is none */

/* Smallest distance that ab_binary_cross_entropy keeps p from 0 and 1. */
#define AB_BCE_EDGE_F32 1e-7f
#define AB_BCE_EDGE_F64 1e-15

#endif
