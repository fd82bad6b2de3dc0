/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of TFRecord files. */
#include "tfrecord.h"

#include <string.h>

#define POLYNOMIAL 0x82F63B78u /* 0x1EDC6F41 with its bits in the other order */
#define MASK_DELTA 0xA282EAD8u

static const guint32 *crc_table(void) {
  static guint32 table[256];
  static gsize made;
  if (g_once_init_enter(&made)) {
    for (guint32 i = 0; i < 256; i++) {
      guint32 value = i;
      for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
      table[i] = value;
    }
    g_once_init_leave(&made, 1);
  }
  return table;
}

guint32 tfrecord_crc32c(const void *bytes, gsize size) {
  const guint32 *table = crc_table();
  const guint8 *at = bytes;
  guint32 crc = 0xFFFFFFFFu;
  for (gsize i = 0; i < size; i++) crc = table[(crc ^ at[i]) & 0xFF] ^ crc >> 8;
  return ~crc;
}

/* The format masks its sums: a record may hold records, and the CRC-32C of bytes that end with
 * their own is a constant.                                                                       */
static guint32 masked(const void *bytes, gsize size) {
  guint32 crc = tfrecord_crc32c(bytes, size);
  return GUINT32_TO_LE((crc >> 15 | crc << 17) + MASK_DELTA);
}

gboolean tfrecord_write(FILE *file, const void *bytes, gsize size) {
  guint8 head[12];
  guint64 length = GUINT64_TO_LE((guint64)size);
  memcpy(head, &length, sizeof length);
  guint32 head_sum = masked(head, sizeof length), sum = masked(bytes, size);
  memcpy(head + sizeof length, &head_sum, sizeof head_sum);
  return fwrite(head, sizeof head, 1, file) == 1 && fwrite(bytes, 1, size, file) == size &&
         fwrite(&sum, sizeof sum, 1, file) == 1;
}
