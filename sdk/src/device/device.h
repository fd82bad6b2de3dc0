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
  K_BCE,           /* a = p, b = t: clamped cross-entropy */
  K_BCE_LOGITS,    /* a = x, b = t: max(x, 0) - x t + log(1 + exp(-|x|)) */
} AbBinary;

typedef enum { K_SUM, K_REDUCE_MAX } AbReduce;

typedef enum { K_UNIFORM, K_NORMAL, K_BERNOULLI } AbRandomKind;

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
  void (*softmax)(AbDtype dtype, bool log, int64_t rows, int64_t cols, void *y, const void *x);
  void (*argmax)(AbDtype dtype, int64_t rows, int64_t cols, int64_t *y, const void *x);
  /* c [m, n] := op(a) op(b) + beta c, row-major with leading dimensions; beta is 0 or 1. */
  void (*matmul)(AbDtype dtype, bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *a,
                 int64_t lda, const void *b, int64_t ldb, double beta, void *c, int64_t ldc);
  /* y [rows, cols] := activation(y + b); b [cols] or NULL */
  void (*bias_activate)(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *y,
                        const void *b);
  /* losses [rows] from logits [rows, cols] */
  void (*cross_entropy)(AbDtype dtype, int64_t rows, int64_t cols, void *y, const void *logits,
                        const int64_t *labels);
  /* y [rows, cols] := g[row] (softmax(logits) - one_hot(label)) */
  void (*cross_entropy_grad)(AbDtype dtype, int64_t rows, int64_t cols, void *y, const void *g,
                             const void *logits, const int64_t *labels);
  /* K_UNIFORM in [a, b), K_NORMAL mean a, deviation b, K_BERNOULLI by p[i] */
  void (*random)(AbRandomKind kind, AbDtype dtype, int64_t n, void *y, const AbDraw *draw, double a,
                 double b, const void *p);
  double (*sum_squares)(AbDtype dtype, int64_t n, const void *x); /* in f64 */
  void (*clamp)(AbDtype dtype, int64_t n, void *x, double low, double high);
  void (*sgd)(AbDtype dtype, int64_t n, void *w, const void *g, void *v, double lr, double momentum,
              bool nesterov);
  void (*adam)(AbDtype dtype, int64_t n, void *w, const void *g, void *m, void *s, double lr,
               double b1, double b2, double epsilon, double correction1, double correction2);

  const AbIndexKernels *index;
  const AbLinalgKernels *linalg;
  const AbConvolutionKernels *convolution;
  const AbPoolingKernels *pooling;
  const AbNormalizationKernels *normalization;
  const AbRecurrentKernels *recurrent;
  const AbAttentionKernels *attention;
  const AbLossKernels *losses;
  const AbOptimizerKernels *optimizers;
} AbDevice;

extern const AbDevice ab_device_reference;
extern const AbDevice ab_device_cpu;
const AbDevice *ab_device_find(const char *name); /* NULL if there is none */

/* Smallest distance that ab_binary_cross_entropy keeps p from 0 and 1. */
#define AB_BCE_EDGE_F32 1e-7f
#define AB_BCE_EDGE_F64 1e-15

#endif
