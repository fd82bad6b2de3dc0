/* SPDX-License-Identifier: Apache-2.0
 *
 * Text with delimiters, record by record: RFC 4180 (quotes, doubled within; newlines within them),
 * with LF, CRLF or CR, a byte order mark, blank lines (skipped), a last line without an end.
 * Blanks around a cell that is not quoted do not belong to it.                                   */
#ifndef CSV_READER_H
#define CSV_READER_H

#include <absdk/absdk.h>
#include <locale.h>

typedef struct {
  AbData *self;
  const char *path; /* borrowed */
  char *text, *end; /* the whole file, and a NUL */
  char *at;         /* the next record */
  char delimiter;   /* ' ': runs of blanks */
  int64_t line;     /* of `at` */
  locale_t c;       /* numbers have points, whatever the user's language */

  /* The record read last; cells end in NUL, lie in `text` and stay until csv_close. */
  int64_t record_line;
  int64_t count;
  char **cells;
  int64_t room;
} CsvReader;

/* Reads the file into memory. False after an error, which is reported: AB_NO_INPUT, AB_IO, AB_DATA
 * (NUL bytes, larger than memory), AB_INTERNAL.                                                 */
bool csv_open(CsvReader *self, AbData *data, const char *path, char delimiter);
/* The next record. False at the end, and after an error (AB_DATA with the line). */
bool csv_next(CsvReader *self);
void csv_close(CsvReader *self);

typedef enum {
  CSV_NUMBER,
  CSV_MISSING,   /* empty, NA, NaN, ? */
  CSV_TEXT,      /* no number */
  CSV_INFINITE,  /* inf */
  CSV_TOO_LARGE, /* beyond the largest f32 */
} CsvCell;
/* What the text of a cell is; `value` is set for numbers. */
CsvCell csv_cell(const CsvReader *self, const char *text, double *value);

/* `text` for a message: short, printable UTF-8. Returns `buffer`. */
enum { CSV_QUOTE = 56 };
const char *csv_quote(const char *text, char buffer[CSV_QUOTE]);

#endif
