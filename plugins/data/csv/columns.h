/* SPDX-License-Identifier: Apache-2.0
 *
 * The columns of a table: their names, and what each is for.                                    */
#ifndef CSV_COLUMNS_H
#define CSV_COLUMNS_H

#include "reader.h"

typedef enum { CSV_X, CSV_LABEL, CSV_TARGET, CSV_IGNORED } CsvRole;

typedef struct {
  AbData *self;
  const char *path; /* of the file that has them; borrowed */
  int64_t count;
  char **names;   /* in the reader's text; NULL without a header */
  CsvRole *roles; /* [count] */
} CsvColumns;

/* All return false after an error, which is reported. Takes the record that `reader` read last for
 * the header (or, without one, for its number of cells); names are unique (AB_DATA).            */
bool csv_columns_init(CsvColumns *self, const CsvReader *reader, bool header);
void csv_columns_clear(CsvColumns *self);
/* Gives a role to the column that `text` names: by its name, its number from 1, or from -1 at the
 * end. `key` is the parameter, for the message (AB_CONFIG).                                     */
bool csv_columns_set(CsvColumns *self, const char *text, const char *key, CsvRole role);
/* The same for one column or several with commas between them. */
bool csv_columns_set_list(CsvColumns *self, const char *text, const char *key, CsvRole role);
int64_t csv_columns_count(const CsvColumns *self, CsvRole role);
/* Whether the header that `reader` read last is the same. */
bool csv_columns_match(const CsvColumns *self, const CsvReader *reader);

/* "column 'age'" or "column 3", for messages. Returns `buffer`. */
enum { CSV_COLUMN = CSV_QUOTE + 16 };
const char *csv_columns_text(const CsvColumns *self, int64_t column, char buffer[CSV_COLUMN]);

#endif
