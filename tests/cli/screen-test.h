/* SPDX-License-Identifier: Apache-2.0
 *
 * A terminal, as far as the program uses one: text that wraps, \r, \n, and the control codes to
 * move up and to clear. When its width changes, lines that were wrapped are wrapped anew, as
 * terminal emulators do it. Any other code fails the test. */
#ifndef SCREEN_TEST_H
#define SCREEN_TEST_H

#include <glib.h>

typedef struct {
  GPtrArray *rows; /* Row * */
  guint row, column, columns;
  GString *code;         /* of a control code that has begun, or NULL */
  guint colours, clears; /* codes so far */
} Screen;

Screen *screen_new(guint columns);
void screen_free(Screen *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Screen, screen_free)
void screen_write(Screen *self, const char *bytes, gsize length);
void screen_resize(Screen *self, guint columns);
/* The lines as they were written, wrapped or not, without empty ones at the end. Free with
 * g_strfreev. */
char **screen_lines(const Screen *self);
/* Rows from the first to the last that is not empty. */
guint screen_height(const Screen *self);

#endif
