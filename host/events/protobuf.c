/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of protocol buffers: each field is a key (its number and how its value is written) and
 * the value; numbers of fixed size are little-endian.                                            */
#include "protobuf.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* Seven bits a byte, the lowest first; all but the last have the highest bit set. */
static void put_varint(GByteArray *to, guint64 value) {
  guint8 bytes[10];
  guint count = 0;
  do {
    bytes[count++] = (guint8)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>= 7;
  } while (value);
  g_byte_array_append(to, bytes, count);
}

static void put_key(GByteArray *to, guint field, guint wire) {
  put_varint(to, (guint64)field << 3 | wire);
}

static void put_double(GByteArray *to, double value) {
  guint64 bits;
  memcpy(&bits, &value, sizeof bits);
  bits = GUINT64_TO_LE(bits);
  g_byte_array_append(to, (const guint8 *)&bits, sizeof bits);
}

void protobuf_varint(GByteArray *to, guint field, guint64 value) {
  put_key(to, field, WIRE_VARINT);
  put_varint(to, value);
}

void protobuf_float(GByteArray *to, guint field, float value) {
  guint32 bits;
  memcpy(&bits, &value, sizeof bits);
  bits = GUINT32_TO_LE(bits);
  put_key(to, field, WIRE_FIXED32);
  g_byte_array_append(to, (const guint8 *)&bits, sizeof bits);
}

void protobuf_double(GByteArray *to, guint field, double value) {
  put_key(to, field, WIRE_FIXED64);
  put_double(to, value);
}

void protobuf_doubles(GByteArray *to, guint field, const double *values, guint count) {
  put_key(to, field, WIRE_BYTES);
  put_varint(to, (guint64)count * sizeof *values);
  for (guint i = 0; i < count; i++) put_double(to, values[i]);
}

void protobuf_bytes(GByteArray *to, guint field, const void *bytes, gsize size) {
  put_key(to, field, WIRE_BYTES);
  put_varint(to, size);
  g_byte_array_append(to, bytes, (guint)size);
}

void protobuf_text(GByteArray *to, guint field, const char *text) {
  protobuf_bytes(to, field, text, strlen(text));
}

void protobuf_nested(GByteArray *to, guint field, GByteArray *message) {
  protobuf_bytes(to, field, message->data, message->len);
  g_byte_array_unref(message);
}
