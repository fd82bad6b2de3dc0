/* SPDX-License-Identifier: Apache-2.0
 *
 * IDX files, plain or gzipped. A file: two bytes 0, a byte for the type of the numbers, a byte for
 * the rank, each dimension as 4 bytes, the numbers, row-major; all big endian.                   */
#ifndef IDX_READER_H
#define IDX_READER_H

#include <absdk/absdk.h>

typedef enum {
  IDX_U8 = 0x08,
  IDX_I8 = 0x09,
  IDX_I16 = 0x0B,
  IDX_I32 = 0x0C,
  IDX_F32 = 0x0D,
  IDX_F64 = 0x0E,
} IdxType;

typedef struct {
  char *path; /* as found; free with idx_clear */
  IdxType type;
  int32_t rank;               /* 1 to AB_MAX_RANK */
  int64_t shape[AB_MAX_RANK]; /* each at least 1 */
  int64_t row_bytes;          /* of shape[1..]; times shape[0] it does not overflow */
  uint8_t *bytes;             /* the rows that were read, as in the file; NULL: none yet */
} IdxFile;

/* Finds `name` (or with ".gz" added or removed) in `folder` and reads its header. All functions
 * return false after an error, which they report: AB_NO_INPUT, AB_IO, AB_DATA, AB_INTERNAL.     */
bool idx_open(AbData *self, IdxFile *file, const char *folder, const char *name);
/* Reads the first `rows` rows into `bytes`; if these are all, also checks that nothing follows. */
bool idx_read(AbData *self, IdxFile *file, int64_t rows);
void idx_clear(IdxFile *file);

size_t idx_type_size(IdxType type); /* 0 if it is no type */
const char *idx_type_name(IdxType type);
/* Element `index` of `bytes`. */
double idx_value(const IdxFile *file, int64_t index);

#endif
