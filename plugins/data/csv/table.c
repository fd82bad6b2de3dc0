/* SPDX-License-Identifier: Apache-2.0
 *
 * From records to numbers.                                                                      */
#include "table.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows ------------------------------------------------------------------------------------ */

static bool resize(void **items, int64_t rows, int64_t width, size_t size) {
  void *grown;

  if (width == 0) return true;
  if (rows > (INT64_MAX >> 1) / width / (int64_t)size) return false;
  grown = realloc(*items, (size_t)rows * (size_t)width * size);
  if (grown != NULL) *items = grown;
  return grown != NULL;
}

static bool make_room(CsvTable *self, const CsvReader *reader) {
  int64_t room = self->room == 0 ? 256 : self->room + self->room / 2;

  if (self->rows < self->room) return true;
  if (!resize((void **)&self->x, room, self->features, sizeof(double)) ||
      !resize((void **)&self->y, room, self->targets, sizeof(double)) ||
      !resize((void **)&self->texts, room, self->labelled, sizeof(char *)) ||
      !resize((void **)&self->lines, room, 1, sizeof(int64_t))) {
    ab_fail(reader->self, AB_INTERNAL,
            "no memory beyond %" PRId64 " rows of %s\n"
            "convert it to HDF5 and use the plugin hdf5, which reads as it goes",
            self->rows, reader->path);
    return false;
  }
  self->room = room;
  return true;
}

static bool fail_cell(const CsvTable *self, const CsvReader *reader, int64_t column, CsvCell what) {
  char quoted[CSV_QUOTE], name[CSV_COLUMN];
  const char *text = csv_quote(reader->cells[column], quoted);
  const char *where = csv_columns_text(self->columns, column, name);
  bool is_x = self->columns->roles[column] == CSV_X;

  if (what == CSV_MISSING)
    ab_fail(reader->self, AB_DATA, "%s:%" PRId64 ": %s: the value is missing ('%s')\n%s",
            reader->path, reader->record_line, where, text,
            is_x ? "set missing: mean or missing: zero, or leave the column out (ignore)"
                 : "leave the row out: labels and targets are never made up");
  else if (what == CSV_TEXT)
    ab_fail(reader->self, AB_DATA, "%s:%" PRId64 ": %s: '%s' is no number\n%s", reader->path,
            reader->record_line, where, text,
            reader->count == 1 ? "only one column was found: is the delimiter right?"
                               : "leave the column out (ignore) or name it as label");
  else
    ab_fail(reader->self, AB_DATA, "%s:%" PRId64 ": %s: '%s' %s", reader->path, reader->record_line,
            where, text,
            what == CSV_INFINITE ? "is not finite; give a number or leave the cell empty"
                                 : "is too large (beyond 3.4e38)");
  return false;
}

static bool read_number(CsvTable *self, const CsvReader *reader, int64_t column, double *value) {
  CsvCell what = csv_cell(reader, reader->cells[column], value);
  bool is_x = self->columns->roles[column] == CSV_X;

  if (what == CSV_NUMBER) return true;
  if (what != CSV_MISSING || !is_x || self->strict) return fail_cell(self, reader, column, what);
  *value = self->zero ? 0.0 : (double)NAN;
  return true;
}

static bool read_row(CsvTable *self, const CsvReader *reader) {
  double *x = self->features > 0 ? self->x + self->rows * self->features : NULL;
  double *y = self->targets > 0 ? self->y + self->rows * self->targets : NULL;
  double ignored;

  for (int64_t i = 0; i < reader->count; i++) {
    switch (self->columns->roles[i]) {
    case CSV_X:
      if (!read_number(self, reader, i, x++)) return false;
      break;
    case CSV_TARGET:
      if (!read_number(self, reader, i, y++)) return false;
      break;
    case CSV_LABEL:
      if (csv_cell(reader, reader->cells[i], &ignored) == CSV_MISSING)
        return fail_cell(self, reader, i, CSV_MISSING);
      self->texts[self->rows] = reader->cells[i];
      break;
    case CSV_IGNORED: break;
    }
  }
  self->lines[self->rows++] = reader->record_line;
  return true;
}

static bool add_record(CsvTable *self, const CsvReader *reader) {
  if (reader->count != self->columns->count) {
    ab_fail(reader->self, AB_DATA,
            "%s:%" PRId64 ": expected %" PRId64 " cells as in the first row of %s, found %" PRId64
            "%s",
            reader->path, reader->record_line, self->columns->count,
            reader->path == self->columns->path ? "the file" : self->columns->path, reader->count,
            reader->count > self->columns->count ? "\nquote cells that hold the delimiter" : "");
    return false;
  }
  return make_room(self, reader) && read_row(self, reader);
}

bool csv_table_read(CsvTable *self, CsvReader *reader, bool first) {
  if (first && !add_record(self, reader)) return false;
  while (csv_next(reader))
    if (!add_record(self, reader)) return false;
  if (!ab_ok(ab_context(reader->self))) return false;
  if (self->rows == 0)
    ab_fail(reader->self, AB_DATA, "%s has a header and no rows below it", reader->path);
  return self->rows > 0;
}

void csv_table_drop_texts(CsvTable *self) {
  free(self->texts);
  self->texts = NULL;
  self->columns = NULL;
}

void csv_table_clear(CsvTable *self) {
  free(self->x);
  free(self->y);
  free(self->texts);
  free(self->label);
  free(self->lines);
  *self = (CsvTable){0};
}

/* ---- classes --------------------------------------------------------------------------------- */

static double number_of(const CsvReader *reader, const char *text) {
  double value = 0;

  csv_cell(reader, text, &value);
  return value;
}

static int compare(const void *a, const void *b, void *classes) {
  const CsvClasses *self = classes;
  const char *left = *(char *const *)a, *right = *(char *const *)b;
  double x, y;

  if (!self->numeric) return strcmp(left, right);
  x = number_of(self->reader, left);
  y = number_of(self->reader, right);
  return (x > y) - (x < y);
}

/* Where `label` is or belongs, by binary search. */
static int64_t position(const CsvClasses *self, char *const *label, bool *found) {
  int64_t low = 0, high = self->count;

  while (low < high) {
    int64_t middle = low + (high - low) / 2;

    if (compare(&self->texts[middle], label, (void *)self) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *found = low < self->count && compare(&self->texts[low], label, (void *)self) == 0;
  return low;
}

/* The different texts, sorted as text. */
static bool collect(CsvClasses *self, const CsvTable *table) {
  for (int64_t i = 0; i < table->rows; i++) {
    bool found;
    int64_t at = position(self, &table->texts[i], &found);

    if (found) continue;
    if (self->count == CSV_MAX_CLASSES) {
      ab_fail(self->reader->self, AB_CONFIG,
              "%s:%" PRId64 ": more than %d different labels\n"
              "is the label's column right? numbers to be predicted are a target",
              self->reader->path, table->lines[i], CSV_MAX_CLASSES);
      return false;
    }
    memmove(self->texts + at + 1, self->texts + at, (size_t)(self->count - at) * sizeof(char *));
    self->texts[at] = table->texts[i];
    self->count++;
  }
  return true;
}

bool csv_classes_init(CsvClasses *self, const CsvReader *reader, const CsvTable *table) {
  int64_t different = 0;
  bool numeric = true;
  double value;

  *self = (CsvClasses){.texts = malloc(CSV_MAX_CLASSES * sizeof(char *)), .reader = reader};
  if (self->texts == NULL) {
    ab_fail(reader->self, AB_INTERNAL, "no memory for the labels of %s", reader->path);
    return false;
  }
  if (!collect(self, table)) return false;
  for (int64_t i = 0; i < self->count && numeric; i++)
    numeric = csv_cell(reader, self->texts[i], &value) == CSV_NUMBER;
  self->numeric = numeric;
  if (!numeric) return true;
  qsort_r(self->texts, (size_t)self->count, sizeof(char *), compare, self);
  for (int64_t i = 0; i < self->count; i++) /* "1" and "1.0" are one */
    if (i == 0 || compare(&self->texts[i], &self->texts[different - 1], self) != 0)
      self->texts[different++] = self->texts[i];
  self->count = different;
  return true;
}

void csv_classes_clear(CsvClasses *self) {
  free(self->texts);
  *self = (CsvClasses){0};
}

static bool fail_label(const CsvReader *reader, int64_t line, const char *label,
                       const CsvClasses *classes) {
  char quoted[CSV_QUOTE], names[400] = "";
  size_t used = 0;
  int64_t i = 0;

  for (; i < classes->count && used < 240; i++)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s'%s'", i == 0 ? "" : ", ",
                             csv_quote(classes->texts[i], quoted));
  ab_fail(reader->self, AB_DATA, "%s:%" PRId64 ": label '%s' does not occur in %s\nwhich has %s%s",
          reader->path, line, csv_quote(label, quoted), classes->reader->path, names,
          i < classes->count ? ", ..." : "");
  return false;
}

bool csv_table_number(CsvTable *table, const CsvReader *reader, const CsvClasses *classes) {
  double value;

  table->label = malloc((size_t)table->rows * sizeof(int64_t));
  if (table->label == NULL) {
    ab_fail(reader->self, AB_INTERNAL, "no memory for the labels of %s", reader->path);
    return false;
  }
  for (int64_t i = 0; i < table->rows; i++) {
    bool found = !classes->numeric || csv_cell(reader, table->texts[i], &value) == CSV_NUMBER;

    if (found) table->label[i] = position(classes, &table->texts[i], &found);
    if (!found) return fail_label(reader, table->lines[i], table->texts[i], classes);
  }
  return true;
}
