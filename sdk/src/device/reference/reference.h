/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference device: what its files share. */
#ifndef SDK_DEVICE_REFERENCE_H
#define SDK_DEVICE_REFERENCE_H

#include "../device.h"

/* ---- numbers of any type --------------------------------------------------------------------- */

static inline double load(AbDtype dtype, const void *x, int64_t i) {
  switch (dtype) {
  case AB_F32: return (double)((const float *)x)[i];
  case AB_F64: return ((const double *)x)[i];
  case AB_I32: return ((const int32_t *)x)[i];
  case AB_I64: return (double)((const int64_t *)x)[i];
  default: return ((const uint8_t *)x)[i];
  }
}

static inline void save(AbDtype dtype, void *y, int64_t i, double value) {
  switch (dtype) {
  case AB_F32: ((float *)y)[i] = (float)value; break;
  case AB_F64: ((double *)y)[i] = value; break;
  case AB_I32: ((int32_t *)y)[i] = (int32_t)value; break;
  case AB_I64: ((int64_t *)y)[i] = (int64_t)value; break;
  case AB_BOOL: ((uint8_t *)y)[i] = value != 0; break;
  default: ((uint8_t *)y)[i] = (uint8_t)value;
  }
}

/* ---- loops ----------------------------------------------------------------------------------- */

/* Counts through the shape of a loop: the offsets of its operands. False after the last. */
static inline bool advance(const AbLoop *loop, int64_t *index, int64_t *at) {
  for (int32_t i = loop->rank - 1; i >= 0; i--) {
    for (int k = 0; k < AB_OPERANDS; k++) at[k] += loop->stride[k][i];
    if (++index[i] < loop->shape[i]) return true;
    for (int k = 0; k < AB_OPERANDS; k++) at[k] -= loop->stride[k][i] * loop->shape[i];
    index[i] = 0;
  }
  return false;
}

static inline bool nothing(const AbLoop *loop) {
  for (int32_t i = 0; i < loop->rank; i++)
    if (loop->shape[i] == 0) return true;
  return false;
}

/* ---- kernels --------------------------------------------------------------------------------- */

void reference_unary(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x);
void reference_unary_by(AbUnary f, AbDtype dtype, int64_t n, void *y, const void *x, double a,
                        double b);
void reference_affine(AbDtype dtype, int64_t n, void *y, const void *x, double scale, double shift);
void reference_binary(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                      const void *b);
void reference_binary_by(AbBinary f, AbDtype dtype, const AbLoop *loop, void *y, const void *a,
                         const void *b, double p, double q);
void reference_where(AbDtype dtype, const AbLoop *loop, void *y, AbDtype any, const void *condition,
                     const void *a, const void *b);
void reference_bias_activate(AbDtype dtype, AbActivation f, int64_t rows, int64_t cols, void *y,
                             const void *b);
void reference_random(AbRandomKind kind, AbDtype dtype, int64_t n, void *y, const AbDraw *draw,
                      double a, double b, const void *p);
void reference_dropout(AbDtype dtype, int64_t n, void *y, const void *x, const AbDraw *draw,
                       double keep, double scale);
void reference_sample_sigmoid(AbDtype dtype, int64_t n, void *y, void *mean, const AbDraw *draw,
                              const void *x);
void reference_categorical(AbDtype dtype, int64_t rows, int64_t cols, int64_t *y,
                           const AbDraw *draw, const void *weights);

#endif
