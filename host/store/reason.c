/* SPDX-License-Identifier: Apache-2.0
 *
 * From HDF5's error stack to one line.                                                          */
#include "store-internal.h"
#include <string.h>

static herr_t keep_innermost(unsigned n, const H5E_error2_t *entry, void *data) {
  char **text = data;

  (void)n;
  if (*text == NULL && entry->desc != NULL && entry->desc[0] != '\0') *text = g_strdup(entry->desc);
  return 0;
}

/* "file write failed: time = ..., errno = 28, error message = 'No space left on device', ..." */
static char *system_message(const char *text) {
  static const char mark[] = "error message = '";
  const char *from = strstr(text, mark), *to;

  if (from == NULL) return NULL;
  from += strlen(mark);
  to = strchr(from, '\'');
  return to == NULL ? NULL : g_strndup(from, (gsize)(to - from));
}

char *store_reason(gboolean *io) {
  char *text = NULL, *message, *valid;

  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &text);
  if (text == NULL) text = g_strdup("HDF5 gives no reason");
  message = system_message(text);
  if (io != NULL) *io = message != NULL;
  valid = g_utf8_make_valid(message != NULL ? message : text, -1);
  for (char *c = valid; *c != '\0'; c++)
    if (g_ascii_iscntrl(*c)) *c = ' '; /* bytes of the file may be among them */
  g_free(text);
  g_free(message);
  return valid;
}

gboolean store_fail(GError **error, const char *format, ...) {
  gboolean io;
  char *reason = store_reason(&io);
  va_list args;
  char *message;

  va_start(args, format);
  message = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, HOST_ERROR, io ? AB_IO : AB_DATA, "%s: %s", message, reason);
  g_free(message);
  g_free(reason);
  return FALSE;
}

gboolean store_fail_damaged(GError **error, const char *path, const char *name) {
  gboolean io;
  char *reason = store_reason(&io);

  if (io)
    g_set_error(error, HOST_ERROR, AB_IO, "cannot read dataset %s of %s: %s", name, path, reason);
  else
    g_set_error(error, HOST_ERROR, AB_DATA,
                "dataset %s of %s is damaged: %s\nrestore the file from a copy or make it anew",
                name, path, reason);
  g_free(reason);
  return FALSE;
}
