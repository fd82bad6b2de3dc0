/* SPDX-License-Identifier: Apache-2.0
 *
 * Derivatives of an operation against differences. */
#ifndef GRADIENT_TEST_H
#define GRADIENT_TEST_H

#include "sdk-test.h"

typedef struct {
  const char *name;
  SdkFunction f;
  int32_t count; /* of its inputs, at most SDK_INPUTS */
  AbShape shapes[SDK_INPUTS];
  double low, high; /* of all inputs */
  bool once;        /* it has no second derivative */
  bool plain_only;  /* many inputs or slow: views of them are tested elsewhere */
} SdkGradientCase;

/* To 1e-7 of the largest derivative (or of 1 where that is less). */
void sdk_check_gradients(const char *device, const SdkGradientCase *cases, size_t count);
void sdk_check_second(const char *device, const SdkGradientCase *cases, size_t count);

#endif
