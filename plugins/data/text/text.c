/* SPDX-License-Identifier: Apache-2.0
 *
 * Text, character by character: windows of a file and, for each character, the next.
 *
 *   x  [length]  class: characters c_s .. c_{s + length - 1}
 *   y  [length]  class: those that follow, c_{s + 1} .. c_{s + length}
 *
 * A character is a code point of UTF-8. The classes are the characters of the training part, in the
 * order of their code points; another character in the other parts is an error that names its
 * place, unless `unknown` names one that stands for all such.
 *
 * The parts of the file follow one another: first training, then `validation`, then `test`. No
 * window reaches beyond its part. Windows for training begin at every `stride`-th character; those
 * of the other parts at every `length`-th, so that each y there is asked for once (what is left at
 * the end of a part, less than a window, is not used).
 *
 * Without `file` it is a short text on learning by energies that comes along (text-learning.txt).
 * The whole file is read when the data is opened, for only it tells the classes.                */
#include "characters.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  AbData base;
  const char *file, *unknown; /* from the manifest */
  int64_t length, stride;
  double validation, test;

  Characters text;
  int32_t *classes; /* code points, ascending */
  int64_t class_count;
  int32_t *ids;                    /* the class of each character */
  int64_t first[AB_SPLIT_COUNT];   /* of a part: its first character */
  int64_t size[AB_SPLIT_COUNT];    /* and how many there are */
  int64_t step[AB_SPLIT_COUNT];    /* characters from window to window */
  int64_t windows[AB_SPLIT_COUNT]; /* how many */
} Text;

static const AbParam params[] = {
    AB_PARAM_PATH(Text, file, NULL, "The text, UTF-8; left out: a short one that comes along."),
    AB_PARAM_INT(Text, length, 32, 1, 1 << 20, "characters", "Of a window."),
    AB_PARAM_INT(Text, stride, 0, 0, 1 << 20, "characters",
                 "From one training window to the next; 0: length."),
    AB_PARAM_REAL(Text, validation, 0.1, 0, 0.9, "", "Part of the characters for validation."),
    AB_PARAM_REAL(Text, test, 0, 0, 0.9, "", "Part of the characters for testing: the last."),
    AB_PARAM_TEXT(Text, unknown, NULL,
                  "Character that stands for those that the training part lacks; left out: these "
                  "are an error."),
};

/* ---- parts and windows ----------------------------------------------------------------------- */

static void divide(Text *self) {
  int64_t count = self->text.count;

  self->size[AB_VALIDATION] = (int64_t)(self->validation * (double)count + 0.5);
  self->size[AB_TEST] = (int64_t)(self->test * (double)count + 0.5);
  self->size[AB_TRAIN] = count - self->size[AB_VALIDATION] - self->size[AB_TEST];
  self->first[AB_TRAIN] = 0;
  self->first[AB_VALIDATION] = self->size[AB_TRAIN];
  self->first[AB_TEST] = count - self->size[AB_TEST];
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    int64_t starts = self->size[split] - self->length; /* a window needs length + 1 characters */

    self->step[split] = split == AB_TRAIN && self->stride > 0 ? self->stride : self->length;
    self->windows[split] = starts > 0 ? (starts - 1) / self->step[split] + 1 : 0;
  }
}

/* A part that was asked for and has no window would be left out in silence. */
static bool check_parts(Text *self) {
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    bool asked = split == AB_TRAIN || (split == AB_TEST ? self->test : self->validation) > 0;

    if (!asked || self->windows[split] > 0) continue;
    ab_fail(&self->base, AB_CONFIG,
            "%s has %" PRId64 " characters, %" PRId64
            " of them for %s, which takes at least %" PRId64
            " (length + 1)\nmake length shorter, or validation and test other parts",
            self->text.path, self->text.count, self->size[split], ab_split_name(split),
            self->length + 1);
    return false;
  }
  return true;
}

/* ---- classes --------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

  return (x > y) - (x < y);
}

static int64_t class_of(const Text *self, int32_t character) {
  const int32_t *found = self->classes == NULL
                             ? NULL
                             : bsearch(&character, self->classes, (size_t)self->class_count,
                                       sizeof character, by_number);

  return found != NULL ? found - self->classes : -1;
}

/* Sorted, each once; with `extra` unless it is -1. */
static bool collect_classes(Text *self, int32_t extra) {
  int64_t count = self->size[AB_TRAIN], kept = 0;

  self->classes = malloc((size_t)(count + 1) * sizeof *self->classes);
  if (self->classes == NULL) {
    ab_fail(&self->base, AB_INTERNAL, "no memory for the characters of %s", self->text.path);
    return false;
  }
  memcpy(self->classes, self->text.items, (size_t)count * sizeof *self->classes);
  if (extra >= 0) self->classes[count++] = extra;
  qsort(self->classes, (size_t)count, sizeof *self->classes, by_number);
  for (int64_t i = 0; i < count; i++)
    if (kept == 0 || self->classes[i] != self->classes[kept - 1])
      self->classes[kept++] = self->classes[i];
  self->class_count = kept;
  return true;
}

static bool number(Text *self, int32_t unknown) {
  char text[CHARACTER_TEXT];
  int64_t line, column, spare = class_of(self, unknown);

  self->ids = malloc((size_t)self->text.count * sizeof *self->ids);
  if (self->ids == NULL) {
    ab_fail(&self->base, AB_INTERNAL, "no memory for the characters of %s", self->text.path);
    return false;
  }
  for (int64_t i = 0; i < self->text.count; i++) {
    int64_t class = class_of(self, self->text.items[i]);

    if (class < 0) class = spare;
    if (class < 0) {
      characters_place(&self->text, i, &line, &column);
      ab_fail(&self->base, AB_DATA,
              "%s:%" PRId64 ":%" PRId64 ": %s does not occur in the part for training\n"
              "name a character that stands for such (unknown), or move the parts",
              self->text.path, line, column, character_text(self->text.items[i], text));
      return false;
    }
    self->ids[i] = (int32_t) class;
  }
  return true;
}

static bool make_classes(Text *self) {
  bool given = self->unknown != NULL && self->unknown[0] != '\0';
  int32_t unknown = given ? character_of(self->unknown) : -1;

  if (given && unknown < 0) {
    ab_fail(&self->base, AB_CONFIG, "unknown must be one character");
    return false;
  }
  return collect_classes(self, unknown) && number(self, unknown);
}

/* The classes are called what their characters look like. */
static void declare_names(Text *self) {
  size_t count = (size_t)self->class_count;
  const char **names = malloc(count * sizeof *names);
  char(*texts)[CHARACTER_BYTES] = malloc(count * sizeof *texts);

  for (size_t i = 0; names != NULL && texts != NULL && i < count; i++) {
    character_encode(self->classes[i], texts[i]);
    names[i] = texts[i];
  }
  if (names != NULL && texts != NULL) {
    ab_data_class_names(&self->base, "x", names);
    ab_data_class_names(&self->base, "y", names);
  } else {
    ab_fail(&self->base, AB_INTERNAL, "no memory for the characters of %s", self->text.path);
  }
  free(names);
  free(texts);
}

/* ---- data ------------------------------------------------------------------------------------ */

/* "text.txt:17:3": where a window begins. */
static void origin(AbData *data, AbSplit split, int64_t row, char *text, size_t size) {
  const Text *self = (const Text *)data;
  int64_t line, column;

  characters_place(&self->text, self->first[split] + row * self->step[split], &line, &column);
  snprintf(text, size, "%s:%" PRId64 ":%" PRId64, self->text.path, line, column);
}

static void text_open(AbData *data) {
  Text *self = (Text *)data;
  bool given = self->file != NULL && self->file[0] != '\0';
  const char *path = given ? self->file : ab_plugin_file(data, "text-learning.txt");
  AbSpec window = {.rank = 1, .dtype = AB_I64, .shape = {self->length}, .range = AB_RANGE_CLASS};

  if (path == NULL) return;
  if (self->validation + self->test >= 1) {
    ab_fail(data, AB_CONFIG, "validation %g and test %g leave nothing to train on",
            self->validation, self->test);
    return;
  }
  if (!characters_read(&self->text, data, path)) return;
  divide(self);
  if (!check_parts(self) || !make_classes(self)) return;
  window.classes = self->class_count;
  ab_data_field(data, "x", &window);
  ab_data_field(data, "y", &window);
  declare_names(self);
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    ab_data_length(data, split, self->windows[split]);
  ab_data_origin(data, origin);
}

static void text_fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                       void *const *fields) {
  const Text *self = (const Text *)data;
  int64_t *x = fields[0], *y = fields[1];

  for (int64_t i = 0; i < count; i++) {
    const int32_t *from = self->ids + self->first[split] + rows[i] * self->step[split];

    for (int64_t j = 0; j < self->length; j++) {
      x[i * self->length + j] = from[j];
      y[i * self->length + j] = from[j + 1];
    }
  }
}

static void text_close(AbData *data) {
  Text *self = (Text *)data;

  characters_clear(&self->text);
  free(self->classes);
  free(self->ids);
  self->classes = NULL;
  self->ids = NULL;
}

static const AbDataVtable vtable = {
    .struct_size = sizeof(AbDataVtable),
    .open = text_open,
    .fetch = text_fetch,
    .close = text_close,
};

static const AbComponent text = {
    .struct_size = sizeof(AbComponent),
    .kind = AB_KIND_DATA,
    .name = "text",
    .doc = "A text file as windows of characters, each with the next; brings a short one along.",
    .citation = "",
    .instance_size = sizeof(Text),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("org.abhost.data.text", "0.1", "Apache-2.0", &text)
