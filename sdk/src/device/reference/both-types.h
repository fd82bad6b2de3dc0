/* SPDX-License-Identifier: Apache-2.0
 *
 * Includes LOOPS, a file of loops over REAL, once for float and once for double. In it NAME(f) is
 * the name of a function for the type and M(name) that of the library; EDGE(f) is f_F32 or f_F64.
 * After it BY_TYPE(f, ...) calls the one that `dtype` asks for.                                  */
#include <math.h>

#define REAL    float
#define NAME(f) f##_f32
#define M(name) name##f
#define EDGE(f) f##_F32
#include LOOPS
#undef REAL
#undef NAME
#undef M
#undef EDGE
#define REAL    double
#define NAME(f) f##_f64
#define M(name) name
#define EDGE(f) f##_F64
#include LOOPS
#undef REAL
#undef NAME
#undef M
#undef EDGE

#define BY_TYPE(f, ...)     \
  do {                      \
    if (dtype == AB_F32)    \
      f##_f32(__VA_ARGS__); \
    else                    \
      f##_f64(__VA_ARGS__); \
  } while (0)
