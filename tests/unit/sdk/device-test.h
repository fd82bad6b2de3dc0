/* SPDX-License-Identifier: Apache-2.0
 *
 * f32 on the cpu against f64 on the reference device, forward and backward, and the same bits on
 * any number of threads.
 *
 * Errors are in units of 2^-23 times the larger of the exact value and a floor that the case
 * states: 0 where every value is to be good to so many ulp, more where the operation cancels. A
 * gradient is that of sum_i c_i y_i, c in [0.5, 1.5). Run a test with --verbose to see what is
 * measured. */
#ifndef DEVICE_TEST_H
#define DEVICE_TEST_H

#include "sdk-test.h"

typedef struct {
  const char *name;
  SdkFunction f;
  int32_t count;    /* of its inputs, at most SDK_INPUTS */
  double low, high; /* of all inputs */
  double forward, forward_floor, backward, backward_floor;
  uint32_t unit; /* bit i: input i is from [0, 1) instead */
} SdkDeviceCase;

/* `shapes` of the inputs, one each. */
void sdk_compare_devices(const SdkDeviceCase *c, const AbShape *shapes);
void sdk_compare_results(const SdkDeviceCase *c, const AbShape *shapes); /* forward only */
/* Results and gradients of the cases on 1, 2, 3 and 7 threads: bit by bit. */
void sdk_check_threads(const SdkDeviceCase *cases, size_t count, const AbShape *shapes);
/* The same for anything that can be had as bytes. */
void sdk_same_bits(const char *name, GByteArray *(*bits_of)(void));

/* The largest error, in the units above; NaN if one of them is. */
double sdk_worst_error(AbTensor *given, AbTensor *exact, double least);
GByteArray *sdk_bits_of(AbTensor *x, GByteArray *bits); /* appends the bytes of x; returns bits */

#endif
