/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the SDK share. */
#ifndef SDK_TEST_H
#define SDK_TEST_H

#include <absdk/host.h>
#include <glib.h>

/* A shape as an initialiser of a static table. */
#define DIMS(...)                                            \
  {                                                          \
    sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), 0, { \
      __VA_ARGS__                                            \
    }                                                        \
  }

#define SDK_INPUTS 8
typedef AbTensor *(*SdkFunction)(AbTensor *const *x);

/* name_of: an operation as a function of a list of operands. */
#define UNARY(name)                                \
  static AbTensor *name##_of(AbTensor *const *x) { \
    return ab_##name(x[0]);                        \
  }
#define BINARY(name)                               \
  static AbTensor *name##_of(AbTensor *const *x) { \
    return ab_##name(x[0], x[1]);                  \
  }
#define FUNCTION(name, ...)                        \
  static AbTensor *name##_of(AbTensor *const *x) { \
    return __VA_ARGS__;                            \
  }

AbContext *sdk_context(const char *device, AbDtype real);
/* Frees a context that must be without an error. */
void sdk_finish(AbContext *ctx);
void sdk_assert_ok(const AbContext *ctx);
/* The context must hold this error, its message these texts (up to NULL); clears it. */
void sdk_assert_error(AbContext *ctx, AbCode code, ...) G_GNUC_NULL_TERMINATED;

/* The numbers of a tensor of any type and any strides, to be freed with g_free. */
double *sdk_values(AbTensor *x);
/* A tensor of the context's real type with these numbers. */
AbTensor *sdk_tensor(AbContext *ctx, AbShape shape, const double *values);
AbTensor *sdk_tensor_of(AbContext *ctx, AbDtype dtype, AbShape shape, const double *values);

/* Uniform in [0, 1), by a multiplicative congruential generator that the SDK does not know. */
double sdk_number(uint64_t *state);
/* `count` of them in [low, high), to be freed with g_free. */
double *sdk_numbers(int64_t count, double low, double high, uint64_t seed);

/* Registers `test` once for each device, which it gets as its data. */
void sdk_add(const char *path, GTestDataFunc test);

#endif
