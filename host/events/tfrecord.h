/* SPDX-License-Identifier: Apache-2.0
 *
 * The framing of TFRecord files: length (u64, little-endian), its masked CRC-32C, the bytes, their
 * masked CRC-32C. A reader finds a record that was cut off, and one that is damaged.             */
#ifndef HOST_EVENTS_TFRECORD_H
#define HOST_EVENTS_TFRECORD_H

#include <glib.h>
#include <stdio.h>

/* CRC-32C (Castagnoli): polynomial 0x1EDC6F41, reflected, as in iSCSI and SSE 4.2. */
guint32 tfrecord_crc32c(const void *bytes, gsize size);
/* FALSE with errno after an error of writing. */
gboolean tfrecord_write(FILE *file, const void *bytes, gsize size);

#endif
