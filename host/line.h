/* SPDX-License-Identifier: Apache-2.0
 *
 * The line on stderr that tells how far something is. On a terminal it is rewritten, also where
 * that changes its width meanwhile; elsewhere every state of it is a line of its own. Colours only
 * on a terminal, and not where NO_COLOR is set.                                                  */
#ifndef HOST_LINE_H
#define HOST_LINE_H

#include <glib.h>

#define LINE_BOLD "\033[1m"
#define LINE_DIM  "\033[2m"

typedef struct {
  gboolean terminal, colours;
  char *stands;             /* on the terminal, without colours; NULL: none */
  GString *text, *coloured; /* that is put together */
  int left;                 /* columns */
} Line;

void line_init(Line *self);
/* Takes away what stands, so that what follows begins on a clean line. */
void line_wipe(Line *self);
void line_clear(Line *self); /* wipes, and frees what is held */

/* A new state: begin, add parts, show. Parts are two spaces apart; what there is no room for on the
 * terminal is left out, as is what would move the cursor. `colour` is NULL or one of the above. */
void line_begin(Line *self);
void line_add(Line *self, const char *colour, const char *format, ...) G_GNUC_PRINTF(3, 4);
void line_show(Line *self);

/* A message above: wipes, and prints a line. */
void line_note(Line *self, const char *format, va_list arguments) G_GNUC_PRINTF(2, 0);

#endif
