/* SPDX-License-Identifier: Apache-2.0
 *
 * The characters of a text file: UTF-8 code points, in their order. */
#ifndef TEXT_CHARACTERS_H
#define TEXT_CHARACTERS_H

#include <absdk/absdk.h>

typedef struct {
  AbData *self; /* borrowed, like path */
  const char *path;
  int32_t *items; /* code points */
  int64_t count;
} Characters;

/* Reads the whole of a file; false after an error, which names the place of what is no UTF-8. A
 * byte order mark is left out. To be cleared in any case. */
bool characters_read(Characters *self, AbData *data, const char *path);
void characters_clear(Characters *self);

/* The place of item `index`: line and column from 1, the column in characters. */
void characters_place(const Characters *self, int64_t index, int64_t *line, int64_t *column);

/* The code point of a text that is one character; -1 for any other text. */
int32_t character_of(const char *text);
/* Its UTF-8 with a 0 behind it; for code points that character_of gives. */
#define CHARACTER_BYTES 5
void character_encode(int32_t character, char utf8[CHARACTER_BYTES]);
/* "'e'", or "U+0007" for what cannot be shown; `text` has room for it. */
#define CHARACTER_TEXT 16
const char *character_text(int32_t character, char text[CHARACTER_TEXT]);

#endif
