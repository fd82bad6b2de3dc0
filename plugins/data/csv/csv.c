/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of text: CSV and its relatives (RFC 4180), numbers in columns.
 *
 *   x  [columns]  real: every column that has no other use, in the order of the file
 *   y  class (parameter label), or [targets] real (parameter target), or none
 *
 * Header: with `auto`, the first row is one if none of its cells is a number.
 * Labels: numbers are sorted as numbers, other texts as texts, and counted from 0; so labels that
 * are 0 to k - 1 are their own class numbers. A label of the test file must occur in the file.
 * Missing cells (empty, NA, NaN, ?): an error, or filled in with the mean of the column over the
 * training rows, or with 0; those of labels and targets are always an error.
 * Test rows: those of a second file with the same columns, or a fraction of the rows, rounded,
 * drawn without replacement (seed); the order of the file is kept in both parts.
 *
 * The file is read when the data is opened, for only its rows tell the classes; numbers stay in
 * memory (8 bytes each), the text does not.                                                     */
#include "table.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_AUTO, HEADER_YES, HEADER_NO };
enum { MISSING_ERROR, MISSING_MEAN, MISSING_ZERO };

typedef struct {
  AbData base;
  const char *file, *test_file, *label, *target; /* from the manifest */
  int64_t header, delimiter, missing, seed;
  AbTexts ignore;
  double test_fraction;

  CsvReader readers[2]; /* of file and test_file, while open is at work */
  CsvColumns columns;   /* likewise */
  CsvClasses classes;   /* likewise */
  CsvTable tables[2];
  const CsvTable *table[AB_SPLIT_COUNT]; /* of a split; NULL: it has none */
  int64_t *rows[AB_SPLIT_COUNT];         /* of the table; NULL: all */
  int64_t length[AB_SPLIT_COUNT];
} Csv;

static const char *const headers[] = {"auto", "yes", "no", NULL};
static const char *const delimiters[] = {"comma", "semicolon", "tab", "space", NULL};
static const char *const fillings[] = {"error", "mean", "zero", NULL};

static const AbParam params[] = {
    AB_PARAM_PATH_REQUIRED(Csv, file, "The table."),
    AB_PARAM_PATH(Csv, test_file, NULL, "A table with the same columns, for testing."),
    AB_PARAM_CHOICE(Csv, header, "auto", headers,
                    "Whether the first row names the columns; auto: if no cell of it is a number."),
    AB_PARAM_CHOICE(Csv, delimiter, "comma", delimiters,
                    "What is between cells; space: blanks, as many as there are."),
    AB_PARAM_TEXT(Csv, label, NULL,
                  "Column of the class: name, number from 1, or from -1 at the end."),
    AB_PARAM_TEXT(Csv, target, NULL,
                  "Column to be predicted, or several with commas between them; likewise."),
    AB_PARAM_TEXTS(Csv, ignore, NULL, "Columns to be left out; likewise."),
    AB_PARAM_CHOICE(Csv, missing, "error", fillings,
                    "What becomes of missing numbers; mean: that of the training rows."),
    AB_PARAM_REAL(Csv, test_fraction, 0, 0, 0.9, "", "Part of the rows that is drawn for testing."),
    AB_PARAM_INT(Csv, seed, 0, 0, INT64_MAX, "", "Chooses these rows; apart from the run's."),
};

static bool given(const char *text) {
  return text != NULL && text[0] != '\0';
}

/* ---- open: columns --------------------------------------------------------------------------- */

static bool check_params(Csv *self) {
  bool labelled = given(self->label), split = given(self->test_file);

  if (labelled && given(self->target))
    ab_fail(&self->base, AB_CONFIG, "label and target are both given, and y is but one; drop one");
  else if (split && self->test_fraction > 0)
    ab_fail(&self->base, AB_CONFIG, "test_file and test_fraction are both given; drop one");
  else
    return true;
  return false;
}

static bool is_header(const Csv *self, const CsvReader *reader) {
  double value;

  if (self->header != HEADER_AUTO) return self->header == HEADER_YES;
  for (int64_t i = 0; i < reader->count; i++)
    if (csv_cell(reader, reader->cells[i], &value) == CSV_NUMBER) return false;
  return true;
}

static bool set_roles(Csv *self) {
  CsvColumns *columns = &self->columns;

  for (int64_t i = 0; i < self->ignore.count; i++)
    if (!csv_columns_set(columns, self->ignore.items[i], "ignore", CSV_IGNORED)) return false;
  if (given(self->label) && !csv_columns_set(columns, self->label, "label", CSV_LABEL))
    return false;
  if (given(self->target) && !csv_columns_set_list(columns, self->target, "target", CSV_TARGET))
    return false;
  if (csv_columns_count(columns, CSV_X) > 0) return true;
  ab_fail(&self->base, AB_CONFIG, "%s has %" PRId64 " column%s and none is left for x\n%s",
          self->file, columns->count, columns->count == 1 ? "" : "s",
          columns->count == 1 ? "is the delimiter right?" : "shorten ignore or target");
  return false;
}

/* The first row of a file; an error if there is none. */
static bool read_first(Csv *self, int which, const char *path) {
  static const char characters[] = {',', ';', '\t', ' '};
  CsvReader *reader = &self->readers[which];

  if (!csv_open(reader, &self->base, path, characters[self->delimiter])) return false;
  if (csv_next(reader)) return true;
  ab_fail(&self->base, AB_DATA, "%s has no rows: the file is empty or blank", path);
  return false;
}

/* ---- open: rows ------------------------------------------------------------------------------ */

static bool read_table(Csv *self, int which, bool first) {
  CsvTable *table = &self->tables[which];

  *table = (CsvTable){
      .columns = &self->columns,
      .features = csv_columns_count(&self->columns, CSV_X),
      .targets = csv_columns_count(&self->columns, CSV_TARGET),
      .labelled = given(self->label),
      .zero = self->missing == MISSING_ZERO,
      .strict = self->missing == MISSING_ERROR,
  };
  return csv_table_read(table, &self->readers[which], first);
}

static bool read_files(Csv *self) {
  bool header;

  if (!read_first(self, 0, self->file)) return false;
  header = is_header(self, &self->readers[0]);
  if (!csv_columns_init(&self->columns, &self->readers[0], header) || !set_roles(self) ||
      !read_table(self, 0, !header))
    return false;
  if (!given(self->test_file)) return true;
  return read_first(self, 1, self->test_file) &&
         (!header || csv_columns_match(&self->columns, &self->readers[1])) &&
         read_table(self, 1, !header);
}

static bool number_labels(Csv *self) {
  if (!given(self->label)) return true;
  return csv_classes_init(&self->classes, &self->readers[0], &self->tables[0]) &&
         csv_table_number(&self->tables[0], &self->readers[0], &self->classes) &&
         (!given(self->test_file) ||
          csv_table_number(&self->tables[1], &self->readers[1], &self->classes));
}

/* The first test_fraction of a permutation is for testing; both parts in the order of the file. */
static bool draw_rows(Csv *self, int64_t count) {
  int64_t tests = (int64_t)floor(self->test_fraction * (double)count + 0.5);
  AbStream stream = ab_stream((uint64_t)self->seed, "csv/test");
  int64_t *order = malloc((size_t)count * sizeof(int64_t));
  int64_t *train = malloc((size_t)count * sizeof(int64_t));
  int64_t *test = malloc((size_t)count * sizeof(int64_t));
  bool *chosen = calloc((size_t)count, sizeof(bool));
  bool done = order != NULL && train != NULL && test != NULL && chosen != NULL;

  self->rows[AB_TRAIN] = train;
  self->rows[AB_TEST] = test;
  if (done) {
    ab_stream_permutation(&stream, order, count);
    for (int64_t i = 0; i < tests; i++) chosen[order[i]] = true;
    for (int64_t i = 0; i < count; i++) *(chosen[i] ? test++ : train++) = i;
    self->length[AB_TRAIN] = count - tests;
    self->length[AB_TEST] = tests;
  } else {
    ab_fail(&self->base, AB_INTERNAL, "no memory to draw from %" PRId64 " rows", count);
  }
  free(order);
  free(chosen);
  return done;
}

static bool split_rows(Csv *self) {
  int64_t count = self->tables[0].rows;

  self->table[AB_TRAIN] = self->table[AB_TEST] = &self->tables[0];
  self->length[AB_TRAIN] = count;
  if (given(self->test_file)) {
    self->table[AB_TEST] = &self->tables[1];
    self->length[AB_TEST] = self->tables[1].rows;
  } else if (self->test_fraction > 0) {
    if (!draw_rows(self, count)) return false;
    if (self->length[AB_TRAIN] == 0 || self->length[AB_TEST] == 0) {
      ab_fail(&self->base, AB_CONFIG,
              "test_fraction %g of the %" PRId64 " rows of %s leaves none for %s",
              self->test_fraction, count, self->file,
              self->length[AB_TEST] == 0 ? "testing" : "training");
      return false;
    }
  }
  return true;
}

static int64_t table_row(const Csv *self, AbSplit split, int64_t row) {
  return self->rows[split] != NULL ? self->rows[split][row] : row;
}

/* ---- open: missing numbers ------------------------------------------------------------------- */

static void fill_column(CsvTable *table, int64_t column, double value) {
  for (int64_t i = 0; i < table->rows; i++)
    if (isnan(table->x[i * table->features + column]))
      table->x[i * table->features + column] = value;
}

/* The mean of what the training rows have; false if they have nothing. */
static bool column_mean(const Csv *self, int64_t column, double *mean) {
  const CsvTable *table = &self->tables[0];
  double sum = 0;
  int64_t count = 0;

  for (int64_t i = 0; i < self->length[AB_TRAIN]; i++) {
    double value = table->x[table_row(self, AB_TRAIN, i) * table->features + column];

    if (isnan(value)) continue;
    sum += value;
    count++;
  }
  *mean = count > 0 ? sum / (double)count : 0;
  return count > 0;
}

static bool fill_missing(Csv *self) {
  int64_t feature = 0;

  if (self->missing != MISSING_MEAN) return true;
  for (int64_t i = 0; i < self->columns.count; i++) {
    char name[CSV_COLUMN];
    double mean;

    if (self->columns.roles[i] != CSV_X) continue;
    if (!column_mean(self, feature, &mean)) {
      ab_fail(&self->base, AB_DATA,
              "%s: %s has no number in any training row, so no mean\nleave it out (ignore)",
              self->file, csv_columns_text(&self->columns, i, name));
      return false;
    }
    fill_column(&self->tables[0], feature, mean);
    fill_column(&self->tables[1], feature, mean);
    feature++;
  }
  return true;
}

/* ---- the table of functions ------------------------------------------------------------------ */

/* "heart.csv:17" */
static void origin(AbData *data, AbSplit split, int64_t row, char *text, size_t size) {
  const Csv *self = (const Csv *)data;
  const CsvTable *table = self->table[split];
  const char *path = table == &self->tables[1] ? self->test_file : self->file;
  const char *slash = strrchr(path, '/');

  snprintf(text, size, "%s:%" PRId64, slash != NULL ? slash + 1 : path,
           table->lines[table_row(self, split, row)]);
}

static void declare(Csv *self) {
  const CsvTable *table = &self->tables[0];
  AbSpec x = {.rank = 1, .dtype = AB_F64, .shape = {table->features}, .range = AB_RANGE_REAL};
  AbSpec y = {.rank = 1, .dtype = AB_F64, .shape = {table->targets}, .range = AB_RANGE_REAL};

  if (table->labelled)
    y = (AbSpec){.dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = self->classes.count};
  ab_data_field(&self->base, "x", &x);
  if (table->labelled || table->targets > 0) ab_data_field(&self->base, "y", &y);
  if (table->labelled)
    ab_data_class_names(&self->base, "y", (const char *const *)self->classes.texts);
  ab_data_length(&self->base, AB_TRAIN, self->length[AB_TRAIN]);
  ab_data_length(&self->base, AB_TEST, self->length[AB_TEST]);
  ab_data_origin(&self->base, origin);
}

static void close_files(Csv *self) {
  csv_table_drop_texts(&self->tables[0]);
  csv_table_drop_texts(&self->tables[1]);
  csv_classes_clear(&self->classes);
  csv_columns_clear(&self->columns);
  csv_close(&self->readers[0]);
  csv_close(&self->readers[1]);
}

static void csv_open_data(AbData *data) {
  Csv *self = (Csv *)data;

  if (check_params(self) && read_files(self) && number_labels(self) && split_rows(self) &&
      fill_missing(self))
    declare(self);
  close_files(self);
}

static void csv_fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                      void *const *fields) {
  const Csv *self = (const Csv *)data;
  const CsvTable *table = self->table[split];
  size_t width = (size_t)table->features, targets = (size_t)table->targets;

  for (int64_t i = 0; i < count; i++) {
    size_t row = (size_t)table_row(self, split, rows[i]), to = (size_t)i;

    memcpy((double *)fields[0] + to * width, table->x + row * width, width * sizeof(double));
    if (table->labelled)
      ((int64_t *)fields[1])[i] = table->label[row];
    else if (targets > 0)
      memcpy((double *)fields[1] + to * targets, table->y + row * targets,
             targets * sizeof(double));
  }
}

static void csv_close_data(AbData *data) {
  Csv *self = (Csv *)data;

  close_files(self);
  csv_table_clear(&self->tables[0]);
  csv_table_clear(&self->tables[1]);
  for (int i = 0; i < AB_SPLIT_COUNT; i++) {
    free(self->rows[i]);
    self->rows[i] = NULL;
    self->length[i] = 0;
  }
}

static const AbDataVtable vtable = {
    .struct_size = sizeof(AbDataVtable),
    .open = csv_open_data,
    .fetch = csv_fetch,
    .close = csv_close_data,
};

static const AbComponent csv = {
    .struct_size = sizeof(AbComponent),
    .kind = AB_KIND_DATA,
    .name = "csv",
    .doc = "Tables of text: CSV and its relatives, with labels or targets to be predicted.",
    .citation = "RFC 4180, https://www.rfc-editor.org/rfc/rfc4180",
    .instance_size = sizeof(Csv),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("org.abhost.data.csv", "0.1", "Apache-2.0", &csv)
