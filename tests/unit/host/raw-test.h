/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the readers of raw files share: files made of bytes, and what must come of
 * them.
 */
#ifndef RAW_TEST_H
#define RAW_TEST_H

#include "apply/raw.h"
#include <absdk/host.h>

/* Writes a file into the folder of the test, which is made and removed by itself; its full name,
 * until the next call.                                                                           */
const char *raw_test_write(const char *name, const void *bytes, gsize size);
/* The full name of a file there, for others to write; free with g_free. */
char *raw_test_path(const char *name);
void raw_test_clear(void);

/* Opens a file and reads all rows, `step` at a time, as f64; fails the test if that fails. Free
 * with g_free. */
double *raw_test_read(const char *path, const char *dataset, gint64 step);
/* The code of the error that opening the file, or reading all of it, ends with; AB_OK if neither
 * fails. Each error must have a message that names the file. */
AbCode raw_test_code(const char *path);
/* The same; the message has `word` in it. */
void raw_test_refused(const char *path, AbCode code, const char *word);
/* Every beginning of the file, and the file with every one of the first `head` bytes changed in
 * many ways, is read or refused, and that is all.                                                */
void raw_test_spoil(const char *name, const guint8 *bytes, gsize size, gsize head);

#endif
