/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire format of protocol buffers, as far as event files need it: fields are appended to a
 * message that is bytes. Texts must be UTF-8.                                                    */
#ifndef HOST_EVENTS_PROTOBUF_H
#define HOST_EVENTS_PROTOBUF_H

#include <glib.h>

/* Integers and enumerations; a negative int64 is to be cast to guint64. */
void protobuf_varint(GByteArray *to, guint field, guint64 value);
void protobuf_float(GByteArray *to, guint field, float value);
void protobuf_double(GByteArray *to, guint field, double value);
/* `repeated double`, packed. */
void protobuf_doubles(GByteArray *to, guint field, const double *values, guint count);
void protobuf_bytes(GByteArray *to, guint field, const void *bytes, gsize size);
void protobuf_text(GByteArray *to, guint field, const char *text);
/* A message within the message, which is freed. */
void protobuf_nested(GByteArray *to, guint field, GByteArray *message);

#endif
