/* SPDX-License-Identifier: Apache-2.0
 *
 * Weight normalisation (Salimans & Kingma 2016), in operations: w = g v / |v|. */
#include "../internal.h"

static bool fits(const AbTensor *v, const AbTensor *gain, int32_t axis) {
  if (gain->rank == 1 && gain->shape[0] == v->shape[axis]) return true;
  char a[220], b[220];
  ab_error(v->ctx, AB_CONFIG,
           "weight_norm: v of %s with units on axis %d and gain of %s; wanted is a gain for each "
           "unit",
           ab_tensor_text(v, a, sizeof a), axis, ab_tensor_text(gain, b, sizeof b));
  return false;
}

AbTensor *ab_weight_norm(AbTensor *v, AbTensor *gain, int32_t axis) {
  if (!ab_fit("weight_norm", v, gain) || !ab_axis("weight_norm", v, &axis) || !fits(v, gain, axis))
    return NULL;
  AbShape along = {.rank = v->rank};
  for (int32_t i = 0; i < v->rank; i++) along.dims[i] = i == axis ? v->shape[i] : 1;
  uint32_t others = ((1u << v->rank) - 1) & ~(1u << axis);
  AbTensor *norm = ab_sqrt(ab_sum_axes(ab_square(v), others, true));
  return ab_mul(v, ab_div(ab_reshape(gain, along), norm));
}
