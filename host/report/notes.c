/* SPDX-License-Identifier: Apache-2.0
 *
 * Notes. */
#include "notes.h"

void notes_add(GPtrArray *self, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_ptr_array_add(self, g_strdup_vprintf(format, arguments));
  va_end(arguments);
}

void notes_take(GPtrArray *self, GError *error) {
  if (error) notes_add(self, "%s", error->message);
  g_clear_error(&error);
}

void notes_take_file(GPtrArray *self, const char *folder, GError *error) {
  if (error && error->code != AB_NO_INPUT) notes_add(self, "%s/%s", folder, error->message);
  g_clear_error(&error);
}
