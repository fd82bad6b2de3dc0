/* SPDX-License-Identifier: Apache-2.0
 *
 * Files for the tests of the readers; see raw-test.h. */
#include "raw-test.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder, *last;

char *raw_test_path(const char *name) {
  if (!folder) folder = g_dir_make_tmp("abhost-raw-XXXXXX", NULL);
  g_assert_nonnull(folder);
  return g_build_filename(folder, name, NULL);
}

const char *raw_test_write(const char *name, const void *bytes, gsize size) {
  g_free(last);
  last = raw_test_path(name);
  g_assert_true(g_file_set_contents(last, bytes, (gssize)size, NULL));
  return last;
}

void raw_test_clear(void) {
  GDir *dir = folder ? g_dir_open(folder, 0, NULL) : NULL;
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_unlink(path);
  }
  if (dir) g_dir_close(dir);
  if (folder) g_rmdir(folder);
  g_clear_pointer(&folder, g_free);
  g_clear_pointer(&last, g_free);
}

/* ---- reading --------------------------------------------------------------------------------- */

static gboolean read_all(RawFile *file, gint64 step, double *values, GError **error) {
  gint64 rows = raw_rows(file), width = raw_width(file);
  for (gint64 first = 0; first < rows; first += step) {
    gint64 count = MIN(step, rows - first);
    if (!raw_read(file, AB_F64, first, count, values + first * width, error)) return FALSE;
  }
  return TRUE;
}

double *raw_test_read(const char *path, const char *dataset, gint64 step) {
  GError *error = NULL;
  g_autoptr(RawFile) file = raw_open(path, dataset, &error);
  g_assert_no_error(error);
  double *values = g_new(double, (gsize)(raw_rows(file) * raw_width(file)));
  g_assert_true(read_all(file, step, values, &error));
  g_assert_no_error(error);
  return values;
}

/* Reads row by row, into room for one. */
static gboolean touch_all(RawFile *file, GError **error) {
  g_autofree double *row = g_try_new(double, (gsize)raw_width(file));
  g_assert_nonnull(row);
  for (gint64 i = 0; i < raw_rows(file); i++)
    if (!raw_read(file, AB_F64, i, 1, row, error)) return FALSE;
  return TRUE;
}

static AbCode code_of(const char *path, const char *word) {
  GError *error = NULL;
  g_autoptr(RawFile) file = raw_open(path, NULL, &error);
  if (file && touch_all(file, &error)) return AB_OK;
  g_assert_error(error, HOST_ERROR, error->code);
  AbCode code = (AbCode)error->code;
  g_assert_nonnull(strstr(error->message, path));
  if (word && !strstr(error->message, word)) g_error("'%s' is not in '%s'", word, error->message);
  g_error_free(error);
  return code;
}

AbCode raw_test_code(const char *path) {
  return code_of(path, NULL);
}

void raw_test_refused(const char *path, AbCode code, const char *word) {
  g_assert_cmpint(code_of(path, word), ==, code);
}

/* ---- spoilt files ---------------------------------------------------------------------------- */

void raw_test_spoil(const char *name, const guint8 *bytes, gsize size, gsize head) {
  static const guint8 changes[] = {0x01, 0x80, 0xff, 0x0f, 0x10};
  g_autofree guint8 *copy = g_memdup2(bytes, size);
  for (gsize length = 0; length < size; length++)
    g_assert_cmpint(raw_test_code(raw_test_write(name, copy, length)), ==, AB_DATA);
  for (gsize at = 0; at < head; at++)
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
      copy[at] ^= changes[i];
      AbCode code = raw_test_code(raw_test_write(name, copy, size));
      g_assert_true(code == AB_OK || code == AB_DATA);
      copy[at] = bytes[at];
    }
}
