/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the SDK share. */
#include "sdk-test.h"
#include <stdarg.h>
#include <string.h>

AbContext *sdk_context(const char *device, AbDtype real) {
  AbContext *ctx = ab_context_new(device, real, 1);
  g_assert_nonnull(ctx);
  return ctx;
}

void sdk_assert_ok(const AbContext *ctx) {
  if (!ab_ok(ctx)) g_error("unexpected error: %s", ab_error_message(ctx));
}

void sdk_finish(AbContext *ctx) {
  sdk_assert_ok(ctx);
  ab_context_free(ctx);
}

void sdk_assert_error(AbContext *ctx, AbCode code, ...) {
  va_list texts;
  va_start(texts, code);
  const char *text;
  g_assert_false(ab_ok(ctx));
  const char *message = ab_error_message(ctx);
  while ((text = va_arg(texts, const char *)))
    if (!strstr(message, text)) g_error("'%s' is not in the message: %s", text, message);
  va_end(texts);
  g_assert_cmpint(ab_error_code(ctx), ==, code);
  ab_error_clear(ctx);
}

static double number_at(const void *data, AbDtype dtype, int64_t i) {
  switch (dtype) {
  case AB_F32: return (double)((const float *)data)[i];
  case AB_F64: return ((const double *)data)[i];
  case AB_I32: return ((const int32_t *)data)[i];
  case AB_I64: return (double)((const int64_t *)data)[i];
  default: return ((const uint8_t *)data)[i];
  }
}

double *sdk_values(AbTensor *x) {
  g_assert_nonnull(x);
  bool recording = ab_set_recording(ab_context_of(x), false);
  AbTensor *dense = ab_cast(x, ab_dtype(x));
  ab_set_recording(ab_context_of(x), recording);
  const void *data = ab_map(dense, false);
  g_assert_true(data || ab_count(x) == 0);
  double *values = g_new(double, ab_count(x) + 1);
  for (int64_t i = 0; i < ab_count(x); i++) values[i] = number_at(data, ab_dtype(x), i);
  ab_unmap(dense);
  return values;
}

AbTensor *sdk_tensor_of(AbContext *ctx, AbDtype dtype, AbShape shape, const double *values) {
  AbTensor *x = ab_empty(ctx, dtype, shape);
  g_assert_nonnull(x);
  void *data = ab_map(x, true);
  for (int64_t i = 0; i < ab_count(x); i++) {
    switch (dtype) {
    case AB_F32: ((float *)data)[i] = (float)values[i]; break;
    case AB_F64: ((double *)data)[i] = values[i]; break;
    case AB_I32: ((int32_t *)data)[i] = (int32_t)values[i]; break;
    case AB_I64: ((int64_t *)data)[i] = (int64_t)values[i]; break;
    default: ((uint8_t *)data)[i] = (uint8_t)values[i];
    }
  }
  ab_unmap(x);
  return x;
}

AbTensor *sdk_tensor(AbContext *ctx, AbShape shape, const double *values) {
  return sdk_tensor_of(ctx, ab_real_dtype(ctx), shape, values);
}

double sdk_number(uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (double)(*state >> 33) * 0x1p-31;
}

double *sdk_numbers(int64_t count, double low, double high, uint64_t seed) {
  double *numbers = g_new(double, count + 1);
  uint64_t state = seed * 2654435761u + 12345;
  for (int64_t i = 0; i < count; i++) numbers[i] = low + (high - low) * sdk_number(&state);
  return numbers;
}

void sdk_add(const char *path, GTestDataFunc test) {
  for (const char *const *name = ab_device_names(); *name; name++) {
    g_autofree char *full = g_strdup_printf("%s/%s", path, *name);
    g_test_add_data_func(full, *name, test);
  }
}
