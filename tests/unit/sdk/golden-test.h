/* SPDX-License-Identifier: Apache-2.0
 *
 * Values and gradients that PyTorch (or NumPy, from a paper's equations) has computed in f64:
 * tests/golden/README.md. */
#ifndef GOLDEN_TEST_H
#define GOLDEN_TEST_H

#include "sdk-test.h"

typedef struct {
  const char *name; /* of the group in the file */
  SdkFunction f;    /* of all its inputs x0, x1, ... in their order; at most SDK_INPUTS */
  double error;     /* of f32 on the cpu, relative to the largest value; 0: 1e-5 */
} SdkGoldenCase;

/* Checks the cases against tests/golden/<family>.h5: f64 on every device to 1e-9 of the largest
 * value, f32 on every device to the error of the case. Fails too where a group of the file is in no
 * case.                                                                                          */
void sdk_check_golden(const char *family, const SdkGoldenCase *cases, size_t count);

#endif
