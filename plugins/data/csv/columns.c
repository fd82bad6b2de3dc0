/* SPDX-License-Identifier: Apache-2.0
 *
 * The columns of a table.                                                                       */
#include "columns.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool no_memory(CsvColumns *self) {
  ab_fail(self->self, AB_INTERNAL, "no memory for the columns of %s", self->path);
  return false;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Columns may lack a name, but no two may share one. */
static bool check_unique(CsvColumns *self, int64_t line) {
  char **sorted = malloc((size_t)self->count * sizeof(char *)), quoted[CSV_QUOTE];
  const char *twice = NULL;

  if (sorted == NULL) return no_memory(self);
  memcpy(sorted, self->names, (size_t)self->count * sizeof(char *));
  qsort(sorted, (size_t)self->count, sizeof(char *), by_name);
  for (int64_t i = 1; i < self->count; i++)
    if (sorted[i][0] != '\0' && strcmp(sorted[i], sorted[i - 1]) == 0) twice = sorted[i];
  free(sorted);
  if (twice != NULL)
    ab_fail(self->self, AB_DATA,
            "%s:%" PRId64 ": the header names two columns '%s'\n"
            "rename one, or set header: no if this is no header",
            self->path, line, csv_quote(twice, quoted));
  return twice == NULL;
}

bool csv_columns_init(CsvColumns *self, const CsvReader *reader, bool header) {
  size_t size = (size_t)reader->count * sizeof(char *);

  *self = (CsvColumns){.self = reader->self, .path = reader->path, .count = reader->count};
  self->roles = calloc((size_t)self->count, sizeof(CsvRole));
  if (self->roles == NULL) return no_memory(self);
  if (!header) return true;
  self->names = malloc(size);
  if (self->names == NULL) return no_memory(self);
  memcpy(self->names, reader->cells, size);
  return check_unique(self, reader->record_line);
}

void csv_columns_clear(CsvColumns *self) {
  free(self->names);
  free(self->roles);
  *self = (CsvColumns){0};
}

/* ---- which is meant -------------------------------------------------------------------------- */

/* "it has 'age', 'sex' and 12 more" */
static void list_names(const CsvColumns *self, char *text, size_t size) {
  char quoted[CSV_QUOTE];
  size_t used = 0;
  int64_t i = 0;

  text[0] = '\0';
  for (; self->names != NULL && i < self->count && used < 300; i++)
    used += (size_t)snprintf(text + used, size - used, "%s'%s'", i == 0 ? "it has " : ", ",
                             csv_quote(self->names[i], quoted));
  if (i < self->count)
    snprintf(text + used, size - used,
             i == 0 ? "it has %" PRId64 " columns" : " and %" PRId64 " more", self->count - i);
}

/* -1 if `text` is no column's name or number. */
static int64_t find(const CsvColumns *self, const char *text) {
  char *end;
  long long number;

  for (int64_t i = 0; self->names != NULL && i < self->count; i++)
    if (strcmp(self->names[i], text) == 0) return i;
  errno = 0;
  number = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || number == 0) return -1;
  if (number < 0) return number < -self->count ? -1 : self->count + number;
  return number > self->count ? -1 : number - 1;
}

bool csv_columns_set(CsvColumns *self, const char *text, const char *key, CsvRole role) {
  static const char *const uses[] = {"x", "label", "target", "ignore"};
  char quoted[CSV_QUOTE], names[512];
  int64_t column = find(self, text);

  if (column < 0) {
    list_names(self, names, sizeof names);
    ab_fail(self->self, AB_CONFIG,
            "%s: there is no column '%s' in %s; %s\n"
            "a number from 1, or from -1 at the end, does too",
            key, csv_quote(text, quoted), self->path, names);
    return false;
  }
  if (self->roles[column] != CSV_X) {
    ab_fail(self->self, AB_CONFIG, "%s: column '%s' is already given as %s; leave it out of one",
            key, csv_quote(text, quoted), uses[self->roles[column]]);
    return false;
  }
  self->roles[column] = role;
  return true;
}

bool csv_columns_set_list(CsvColumns *self, const char *text, const char *key, CsvRole role) {
  char *copy, *rest, *item;
  bool done = true;

  if (find(self, text) >= 0) return csv_columns_set(self, text, key, role);
  copy = strdup(text);
  if (copy == NULL) return no_memory(self);
  rest = copy;
  while (done && (item = strsep(&rest, ",")) != NULL) {
    size_t length;

    item += strspn(item, " ");
    length = strlen(item);
    while (length > 0 && item[length - 1] == ' ') item[--length] = '\0';
    done = csv_columns_set(self, item, key, role);
  }
  free(copy);
  return done;
}

int64_t csv_columns_count(const CsvColumns *self, CsvRole role) {
  int64_t count = 0;

  for (int64_t i = 0; i < self->count; i++) count += self->roles[i] == role;
  return count;
}

bool csv_columns_match(const CsvColumns *self, const CsvReader *reader) {
  char ours[CSV_QUOTE], theirs[CSV_QUOTE];

  for (int64_t i = 0; i < self->count && i < reader->count; i++) {
    if (strcmp(self->names[i], reader->cells[i]) == 0) continue;
    ab_fail(self->self, AB_DATA,
            "%s:%" PRId64 ": column %" PRId64 " is '%s'; in %s it is '%s'\n"
            "the two files need the same header",
            reader->path, reader->record_line, i + 1, csv_quote(reader->cells[i], theirs),
            self->path, csv_quote(self->names[i], ours));
    return false;
  }
  return true;
}

const char *csv_columns_text(const CsvColumns *self, int64_t column, char buffer[CSV_COLUMN]) {
  char quoted[CSV_QUOTE];

  if (self->names != NULL && self->names[column][0] != '\0')
    snprintf(buffer, CSV_COLUMN, "column '%s'", csv_quote(self->names[column], quoted));
  else
    snprintf(buffer, CSV_COLUMN, "column %" PRId64, column + 1);
  return buffer;
}
