/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of normalisation share. */
#ifndef SDK_OPS_NORMS_H
#define SDK_OPS_NORMS_H

#include "../device/normalization.h"
#include "../internal.h"

/* Whether epsilon is a number above 0; else an error. */
bool ab_norm_epsilon(const char *operation, const AbTensor *x, double epsilon);
/* Whether gain and bias are AB_NONE, or of the type of x and of this shape; else an error. */
bool ab_norm_affine(const char *operation, const AbTensor *x, const AbTensor *gain,
                    const AbTensor *bias, AbShape wanted);
/* A vector of f64 for statistics or work, of at least one number. */
AbTensor *ab_norm_doubles(AbContext *ctx, int64_t count, bool shape_only);
/* Where the gradient of an optional input goes: its memory, or NULL where nobody wants it. Such an
 * input is in the record only if it is there. */
AbTensor *ab_norm_target(AbTensor *y, int32_t i);
void *ab_norm_data(AbTensor *x); /* of an optional tensor: NULL for NULL and AB_NONE */

/* In operations: (x - mean) / sqrt(variance + epsilon), the statistics over the axes of the mask.
 */
AbTensor *ab_norm_plain(AbTensor *x, uint32_t axes, bool centred, double epsilon);

/* Inputs as they are recorded: x, then gain and bias where they are there. */
typedef struct {
  AbTensor *list[3];
  int32_t count;
} AbNormInputs;
AbNormInputs ab_norm_inputs(AbTensor *x, AbTensor *gain, AbTensor *bias);
/* gain and bias among the inputs of y; AB_NONE where they are not. ints[15] of y says which are. */
AbTensor *ab_norm_gain(AbTensor *y);
AbTensor *ab_norm_bias(AbTensor *y);
#define AB_NORM_HAS      15
#define AB_NORM_HAS_GAIN 1
#define AB_NORM_HAS_BIAS 2

#endif
