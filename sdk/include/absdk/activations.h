/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations: functions of elements between the layers of a network. x is real, of any shape. */
#ifndef ABSDK_ACTIVATIONS_H
#define ABSDK_ACTIVATIONS_H

#include "tensor.h"

AB_BEGIN_DECLS

/* By name, for a parameter of the manifest:
 *     AB_PARAM_CHOICE(Mlp, activation, "relu", ab_activation_names, "...")
 * Where a function has a kink, the gradient there is that of the side towards -infinity, and 0 at
 * both kinks of those that are constant on both sides.                                          */
typedef int64_t AbActivation; /* an index into ab_activation_names */
enum {
  AB_IDENTITY = 0,
  AB_SIGMOID = 1, /* 1 / (1 + exp(-x))                                                */
  AB_TANH = 2,
  AB_RELU = 3,           /* max(x, 0)                                                        */
  AB_SOFTPLUS = 4,       /* log(1 + exp(x)), without overflow                                */
  AB_HARD_TANH = 5,      /* x, clamped to [-1, 1]                                            */
  AB_RELU6 = 6,          /* x, clamped to [0, 6]; Krizhevsky 2010                            */
  AB_LEAKY_RELU = 7,     /* x > 0 ? x : 0.01 x; Maas, Hannun, Ng 2013                        */
  AB_ELU = 8,            /* x > 0 ? x : exp(x) - 1; Clevert, Unterthiner, Hochreiter 2016    */
  AB_SELU = 9,           /* 1.0507 (x > 0 ? x : 1.67326 (exp(x) - 1)); Klambauer et al. 2017 */
  AB_GELU = 10,          /* x Phi(x), Phi of the normal distribution; Hendrycks, Gimpel 2016 */
  AB_GELU_TANH = 11,     /* x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))); the same      */
  AB_SWISH = 12,         /* x sigmoid(x), also known as SiLU; Elfwing et al. 2018            */
  AB_MISH = 13,          /* x tanh(softplus(x)); Misra 2020                                  */
  AB_SOFTSIGN = 14,      /* x / (1 + |x|); Bergstra et al. 2009                              */
  AB_BENT_IDENTITY = 15, /* (sqrt(x^2 + 1) - 1) / 2 + x                                      */
  AB_GAUSSIAN = 16,      /* exp(-x^2)                                                        */
  AB_STEP = 17,          /* x > 0 ? 1 : 0; no gradient: nothing is recorded                  */
  AB_SIGN = 18,          /* no gradient either                                               */
  AB_TANHSHRINK = 19,    /* x - tanh(x)                                                      */
  AB_HARD_SIGMOID = 20,  /* x / 6 + 1 / 2, clamped to [0, 1]; Howard et al. 2019             */
  AB_HARD_SWISH = 21,    /* x hard_sigmoid(x); the same                                      */
  AB_LOG_SIGMOID = 22,   /* log(sigmoid(x)), without overflow                                */
  AB_EXPONENTIAL = 23,   /* exp(x)                                                           */
  AB_ACTIVATIONS = 24,   /* how many there are                                               */
};
AB_EXPORT extern const char *const ab_activation_names[]; /* NULL-terminated */
/* "auto", then the same: of an output whose activation the model chooses unless told. Choice c > 0
 * is activation c - 1.                                                                           */
AB_EXPORT extern const char *const ab_output_activation_names[];
AB_EXPORT AbTensor *ab_activate(AbActivation activation, AbTensor *x);

AB_EXPORT AbTensor *ab_sigmoid(AbTensor *x);
AB_EXPORT AbTensor *ab_tanh(AbTensor *x);
AB_EXPORT AbTensor *ab_relu(AbTensor *x); /* gradient at 0: 0 */
AB_EXPORT AbTensor *ab_softplus(AbTensor *x);

/* ---- with numbers of their own --------------------------------------------------------------- */
AB_EXPORT AbTensor *ab_leaky_relu(AbTensor *x, double slope); /* x > 0 ? x : slope x */
AB_EXPORT AbTensor *ab_elu(AbTensor *x,
                           double alpha); /* x > 0 ? x : alpha (exp(x) - 1); alpha >= 0 */
/* x > 0 ? x : slope x, with a slope that is learned: one number (of any rank), or [c] for an x
 * [n, c, ...]. (He, Zhang, Ren, Sun 2015.)                                                       */
AB_EXPORT AbTensor *ab_prelu(AbTensor *x, AbTensor *slope);
/* In training the slope of each element is drawn from [low, high); else it is their mean. (Xu,
 * Wang, Chen, Li 2015, who take 1/8 and 1/3.) */
AB_EXPORT AbTensor *ab_rrelu(AbTensor *x, double low, double high);
/* 1 with probability p, else 0, with the gradient of p itself: the straight-through estimator of
 * Bengio, Leonard, Courville 2013.                                                               */
AB_EXPORT AbTensor *ab_stochastic_binary(AbTensor *p);

AB_END_DECLS

#endif
