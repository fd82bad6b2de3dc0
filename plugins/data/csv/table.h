/* SPDX-License-Identifier: Apache-2.0
 *
 * The numbers of one file, and its labels made class numbers.                                   */
#ifndef CSV_TABLE_H
#define CSV_TABLE_H

#include "columns.h"

typedef struct {
  const CsvColumns *columns; /* borrowed, until csv_table_read returns */
  int64_t features, targets;
  bool labelled, zero; /* zero: missing numbers become 0 */
  bool strict;         /* missing numbers are errors     */

  int64_t rows, room;
  double *x;      /* [rows, features]; NaN where missing, if neither zero nor strict */
  double *y;      /* [rows, targets] */
  char **texts;   /* [rows]: labels, in the reader's text */
  int64_t *label; /* [rows]: class numbers, after csv_table_number */
  int64_t *lines; /* [rows] of the file */
} CsvTable;

/* Reads the rest of the records; with `first` also the one read last. At least one row. All return
 * false after an error, which is reported (AB_DATA, AB_INTERNAL).                               */
bool csv_table_read(CsvTable *self, CsvReader *reader, bool first);
void csv_table_clear(CsvTable *self);
/* Drops what lies in the reader's text. */
void csv_table_drop_texts(CsvTable *self);

/* The different labels in the order of their class numbers: sorted as numbers if all of them are
 * numbers (so 0 to k - 1 are themselves), else as text, byte by byte.                           */
enum { CSV_MAX_CLASSES = 10000 };
typedef struct {
  char **texts; /* [count], in the reader's text */
  int64_t count;
  bool numeric;
  const CsvReader *reader; /* borrowed */
} CsvClasses;
bool csv_classes_init(CsvClasses *self, const CsvReader *reader, const CsvTable *table);
void csv_classes_clear(CsvClasses *self);
/* Fills table->label; a label that is no class is an error. */
bool csv_table_number(CsvTable *table, const CsvReader *reader, const CsvClasses *classes);

#endif
