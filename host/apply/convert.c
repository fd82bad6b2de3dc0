/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of any type of raw files as those that the feed takes. */
#include "raw-internal.h"

#define CONVERT(From, To)                                                           \
  do {                                                                              \
    for (gint64 i = 0; i < count; i++) ((To *)to)[i] = (To)((const From *)from)[i]; \
  } while (0)

#define DEFINE_CONVERT(name, To)                                                               \
  static void name(RawType type, const void *from, void *to, gint64 count) {                   \
    switch (type) {                                                                            \
    case RAW_U8: CONVERT(guint8, To); break;                                                   \
    case RAW_I8: CONVERT(gint8, To); break;                                                    \
    case RAW_U16: CONVERT(guint16, To); break;                                                 \
    case RAW_I16: CONVERT(gint16, To); break;                                                  \
    case RAW_I32: CONVERT(gint32, To); break;                                                  \
    case RAW_I64: CONVERT(gint64, To); break;                                                  \
    case RAW_F32: CONVERT(float, To); break;                                                   \
    case RAW_F64: CONVERT(double, To); break;                                                  \
    case RAW_BOOL:                                                                             \
      for (gint64 i = 0; i < count; i++) ((To *)to)[i] = (To)(((const guint8 *)from)[i] != 0); \
      break;                                                                                   \
    }                                                                                          \
  }
DEFINE_CONVERT(to_f32, float)
DEFINE_CONVERT(to_f64, double)
DEFINE_CONVERT(to_i64, gint64)

void raw_convert(RawType type, const void *from, AbDtype dtype, void *to, gint64 count) {
  if (dtype == AB_F32)
    to_f32(type, from, to, count);
  else if (dtype == AB_F64)
    to_f64(type, from, to, count);
  else
    to_i64(type, from, to, count);
}
