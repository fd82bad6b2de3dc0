/* SPDX-License-Identifier: Apache-2.0
 *
 * The small product of every step of a recurrent layer, by a matrix that is packed once for all
 * steps. */
#ifndef SDK_DEVICE_CPU_RECURRENT_PRODUCT_H
#define SDK_DEVICE_CPU_RECURRENT_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

/* A matrix [depth, gates units], or the transpose of such a thing, in panels: of all gates for one
 * vector of units, [depth, gates, lanes]. What is beyond the last unit is 0. */
typedef struct {
  bool transposed; /* U' instead: U [units, depth], one gate */
  int64_t depth, gates, units;
  const float *U;
  float *panels;
} Packed;

int64_t recurrent_lanes(void); /* of a vector; what one thread does begins and ends at multiples */
/* Makes the panels of units [from, to). */
void recurrent_pack(const Packed *m, int64_t from, int64_t to);

/* y[g] [rows, units] := or += a [rows, depth] times gate g of m, for units [from, to). */
typedef struct {
  int64_t rows;
  const float *a;
  int64_t lda;
  float *y[4]; /* to unit 0 of each gate */
  int64_t ldy[4];
  bool add[4];
  bool from_last; /* begins with the last unit, whose panels were used last and are still near */
} PackedProduct;
void recurrent_multiply(const Packed *m, const PackedProduct *p, int64_t from, int64_t to);

#endif
