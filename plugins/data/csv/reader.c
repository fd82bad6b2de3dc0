/* SPDX-License-Identifier: Apache-2.0
 *
 * Text with delimiters: the file, its records, what a cell is.                                  */
#include "reader.h"
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the file -------------------------------------------------------------------------------- */

static int open_regular(CsvReader *self, int64_t *size) {
  struct stat status;
  int fd = open(self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0 || fstat(fd, &status) != 0) {
    ab_fail(self->self, errno == ENOENT || errno == ENOTDIR ? AB_NO_INPUT : AB_IO,
            "cannot open %s: %s", self->path, strerror(errno));
  } else if (!S_ISREG(status.st_mode)) {
    ab_fail(self->self, AB_IO, "cannot open %s: it is a folder or device, not a text file",
            self->path);
  } else {
    *size = (int64_t)status.st_size;
    return fd;
  }
  if (fd >= 0) close(fd);
  return -1;
}

static bool too_large(CsvReader *self, int64_t size) {
  ab_fail(self->self, AB_DATA,
          "%s (%.1f GiB) does not fit into memory, and csv reads the whole of it\n"
          "convert it to HDF5 and use the plugin hdf5, which reads as it goes",
          self->path, (double)size / (1 << 30));
  return false;
}

/* The file into `text`; `end` is where it ends. */
static bool read_text(CsvReader *self, int fd, int64_t size) {
  double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE);
  ssize_t got = 1;

  if (memory > 0 && (double)size > memory) return too_large(self, size);
  self->text = malloc((size_t)size + 1);
  if (self->text == NULL) return too_large(self, size);
  self->end = self->text;
  while (got > 0 && self->end < self->text + size) {
    got = read(fd, self->end, (size_t)(self->text + size - self->end));
    if (got < 0 && errno == EINTR)
      got = 1;
    else if (got > 0)
      self->end += got;
  }
  *self->end = '\0';
  if (got < 0) ab_fail(self->self, AB_IO, "cannot read %s: %s", self->path, strerror(errno));
  return got >= 0;
}

static bool check_text(CsvReader *self) {
  const char *nul = memchr(self->text, '\0', (size_t)(self->end - self->text));
  int64_t line = 1;

  if (nul == NULL) return true;
  for (const char *c = self->text; c < nul; c++) line += *c == '\n';
  ab_fail(self->self, AB_DATA,
          "%s:%" PRId64 ": a NUL byte: this is no text, or UTF-16; save it as UTF-8", self->path,
          line);
  return false;
}

bool csv_open(CsvReader *self, AbData *data, const char *path, char delimiter) {
  int64_t size;
  bool done;
  int fd;

  *self = (CsvReader){.self = data, .path = path, .delimiter = delimiter, .line = 1};
  fd = open_regular(self, &size);
  if (fd < 0) return false;
  done = read_text(self, fd, size);
  close(fd);
  if (!done || !check_text(self)) return false;
  self->at = strncmp(self->text, "\xEF\xBB\xBF", 3) == 0 ? self->text + 3 : self->text;
  self->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (self->c == (locale_t)0) ab_fail(data, AB_INTERNAL, "no memory to read %s", path);
  return self->c != (locale_t)0;
}

void csv_close(CsvReader *self) {
  free(self->text);
  free(self->cells);
  if (self->c != (locale_t)0) freelocale(self->c);
  *self = (CsvReader){0};
}

/* ---- records --------------------------------------------------------------------------------- */

static bool is_blank(const CsvReader *self, char c) {
  return c == ' ' || (c == '\t' && self->delimiter != '\t');
}

static char *skip_blanks(const CsvReader *self, char *at) {
  while (is_blank(self, *at)) at++;
  return at;
}

static bool ends_line(const CsvReader *self, const char *at) {
  return *at == '\n' || *at == '\r' || at == self->end;
}

/* Past the end of the line at `at`, if there is one there. */
static char *next_line(CsvReader *self, char *at) {
  if (at == self->end) return at;
  self->line++;
  return at[0] == '\r' && at[1] == '\n' ? at + 2 : at + 1;
}

static bool push(CsvReader *self, char *cell) {
  if (self->count == self->room) {
    int64_t room = self->room == 0 ? 64 : 2 * self->room;
    char **cells = realloc(self->cells, (size_t)room * sizeof(char *));

    if (cells == NULL) {
      ab_fail(self->self, AB_INTERNAL, "%s:%" PRId64 ": no memory for so many cells", self->path,
              self->record_line);
      return false;
    }
    self->cells = cells;
    self->room = room;
  }
  self->cells[self->count++] = cell;
  return true;
}

/* The quoted cell that begins at `at`: unquoted in place, its end in `to`. Returns what follows it,
 * NULL after an error.                                                                          */
static char *unquote(CsvReader *self, char *at, char **to) {
  int64_t line = self->line;

  *to = at++;
  for (;; at++) {
    if (at == self->end) {
      ab_fail(self->self, AB_DATA, "%s:%" PRId64 ": this quote (cell %" PRId64 ") is never closed",
              self->path, line, self->count + 1);
      return NULL;
    }
    if (*at == '"') {
      if (at[1] != '"') break;
      at++;
    } else if (*at == '\n' || (*at == '\r' && at[1] != '\n')) {
      self->line++;
    }
    *(*to)++ = *at;
  }
  at = skip_blanks(self, at + 1);
  if (ends_line(self, at) || *at == self->delimiter) return at;
  if (self->delimiter == ' ' && is_blank(self, at[-1])) return at;
  ab_fail(self->self, AB_DATA,
          "%s:%" PRId64 ": text after the closing quote of cell %" PRId64
          "; double the quotes within a quoted cell",
          self->path, self->line, self->count + 1);
  return NULL;
}

/* The bare cell that begins at `at`, its end in `to`. Returns what follows it. */
static char *bare(const CsvReader *self, char *at, char **to) {
  char *begin = at;

  while (!ends_line(self, at) && *at != self->delimiter && !(self->delimiter == ' ' && *at == '\t'))
    at++;
  *to = at;
  while (*to > begin && is_blank(self, (*to)[-1])) (*to)--;
  return skip_blanks(self, at);
}

/* The first line that is not blank, and the blanks before its first cell, are skipped. */
static char *begin_record(CsvReader *self) {
  char *at = skip_blanks(self, self->at);

  while (at < self->end && ends_line(self, at)) at = skip_blanks(self, next_line(self, at));
  return at;
}

bool csv_next(CsvReader *self) {
  char *at = begin_record(self), *to, *cell;

  self->count = 0;
  self->record_line = self->line;
  if (at == self->end) return false;
  for (;;) {
    bool last;

    cell = at;
    at = *at == '"' ? unquote(self, at, &to) : bare(self, at, &to);
    if (at == NULL || !push(self, cell)) return false;
    last = ends_line(self, at);
    if (last)
      at = next_line(self, at);
    else if (self->delimiter != ' ')
      at = skip_blanks(self, at + 1);
    *to = '\0'; /* only now: it may lie on what ended the cell */
    if (last) break;
  }
  self->at = at;
  return true;
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* Short decimals, without strtod: up to 15 digits and the power of ten are exact, so the quotient
 * is correctly rounded (Clinger 1990). False if it is not one. */
static bool short_decimal(const char *text, double *value) {
  static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const char *at = text + (*text == '-'), *point = NULL;
  int64_t number = 0;
  int digits = 0, decimals;

  for (; digits <= 15 && ((*at >= '0' && *at <= '9') || (*at == '.' && point == NULL)); at++) {
    if (*at == '.') {
      point = at;
    } else {
      number = 10 * number + (*at - '0');
      digits++;
    }
  }
  if (*at != '\0' || digits == 0 || digits > 15) return false;
  decimals = point != NULL ? (int)(at - point) - 1 : 0;
  *value = (double)number / powers[decimals];
  if (*text == '-') *value = -*value;
  return true;
}

CsvCell csv_cell(const CsvReader *self, const char *text, double *value) {
  static const char *const missing[] = {"", "NA", "NaN", "?"};
  const char *digits = text + (*text == '+' || *text == '-');
  char *end;

  if (short_decimal(text, value)) return CSV_NUMBER;
  if (*digits != '\0' && digits[strspn(digits, "0123456789.eE+-")] == '\0') {
    *value = strtod_l(text, &end, self->c); /* never hexadecimal, or nan */
    if (*end != '\0') return CSV_TEXT;
    return fabs(*value) <= (double)FLT_MAX ? CSV_NUMBER : CSV_TOO_LARGE;
  }
  for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++)
    if (strcasecmp(text, missing[i]) == 0) return CSV_MISSING;
  if (strcasecmp(digits, "inf") == 0 || strcasecmp(digits, "infinity") == 0) return CSV_INFINITE;
  return CSV_TEXT;
}

/* Bytes of the character at `text`; 0 if it is no UTF-8 or not printable. */
static int character(const unsigned char *text) {
  int length = *text < 0x80 ? 1 : *text < 0xC2 ? 0 : *text < 0xE0 ? 2 : *text < 0xF0 ? 3 : 4;

  if (*text > 0xF4 || *text < 0x20 || *text == 0x7F) return 0;
  if ((*text == 0xE0 && text[1] < 0xA0) || (*text == 0xED && text[1] > 0x9F)) return 0;
  if ((*text == 0xF0 && text[1] < 0x90) || (*text == 0xF4 && text[1] > 0x8F)) return 0;
  if (*text == 0xC2 && text[1] < 0xA0) return 0;
  for (int i = 1; i < length; i++)
    if ((text[i] & 0xC0) != 0x80) return 0;
  return length;
}

const char *csv_quote(const char *text, char buffer[CSV_QUOTE]) {
  const unsigned char *at = (const unsigned char *)text;
  int used = 0;

  while (*at != '\0') {
    int length = character(at);

    if (used + (length > 0 ? length : 1) > CSV_QUOTE - 4) {
      memcpy(buffer + used, "...", 3);
      used += 3;
      break;
    }
    if (length == 0)
      buffer[used++] = '?';
    else
      memcpy(buffer + used, at, (size_t)length);
    used += length;
    at += length > 0 ? length : 1;
  }
  buffer[used] = '\0';
  return buffer;
}
