/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that are made from the tables. */
#ifndef HOST_REFERENCE_FILE_H
#define HOST_REFERENCE_FILE_H

#include "../error.h"

/* Writes a whole file, or leaves what was there; makes the folders above it. AB_IO with the path
 * and the reason. */
gboolean reference_write(const char *path, const char *text, GError **error);

#endif
