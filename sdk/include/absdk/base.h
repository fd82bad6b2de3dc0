/* SPDX-License-Identifier: Apache-2.0
 *
 * What every other header of the SDK needs: visibility, element types, error codes.
 * Headers of the SDK include only stdint, stddef and stdbool.                                  */
#ifndef ABSDK_BASE_H
#define ABSDK_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define AB_BEGIN_DECLS extern "C" {
#define AB_END_DECLS   }
#else
#define AB_BEGIN_DECLS
#define AB_END_DECLS
#endif

#define AB_EXPORT __attribute__((visibility("default")))
#if defined(__GNUC__)
#define AB_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define AB_PRINTF(text, first)
#endif

#define AB_MAX_RANK 8 /* axes of a tensor at most */

AB_BEGIN_DECLS

typedef struct AbContext AbContext;   /* one computation: device, seed, mode, errors, memory   */
typedef struct AbTensor AbTensor;     /* an array of numbers, opaque and reference counted     */
typedef struct AbInstance AbInstance; /* one component of a run, made from its AbComponent     */
typedef struct AbBatch AbBatch;       /* named tensors of one training or evaluation step      */

/* Element types. The values are frozen. */
typedef int32_t AbDtype;
enum {
  AB_F32 = 1,
  AB_F64 = 2,
  AB_U8 = 3,
  AB_I32 = 4,
  AB_I64 = 5,
  AB_BOOL = 6, /* one byte, 0 or 1 */
};

/* Bytes of one element; 0 for a value that is no element type. */
AB_EXPORT size_t ab_dtype_size(AbDtype dtype);
/* "f32", "i64", ...; "?" for a value that is no element type. Static storage. */
AB_EXPORT const char *ab_dtype_name(AbDtype dtype);

/* Error codes are those of sysexits.h: what a component reports is what the program exits with. */
typedef int32_t AbCode;
enum {
  AB_OK = 0,
  AB_USAGE = 64,       /* the command line                                  */
  AB_DATA = 65,        /* data that is damaged or not what it should be     */
  AB_NO_INPUT = 66,    /* a file that is not there                          */
  AB_UNAVAILABLE = 69, /* a plugin or device that cannot be had             */
  AB_INTERNAL = 70,    /* a fault of the program or of a plugin             */
  AB_IO = 74,          /* reading or writing failed                         */
  AB_STOPPED = 75,     /* stopped on request; can be resumed                */
  AB_CONFIG = 78,      /* the manifest, or shapes that do not fit together  */
};

AB_END_DECLS

#endif
