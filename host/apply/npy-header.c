/* SPDX-License-Identifier: Apache-2.0
 *
 * A parser of just what NumPy writes into the header of NPY, and no more of Python. */
#include "npy-header.h"

#include <string.h>

typedef struct {
  const char *path, *at; /* the text ends with a 0 */
  NpyHeader *header;
  char descr[64];
  guint seen; /* a bit for each key */
  GError **error;
} Parser;

enum { SEEN_DESCR = 1, SEEN_ORDER = 2, SEEN_SHAPE = 4, SEEN_ALL = 7 };

static gboolean damaged(const Parser *self, const char *what) {
  return host_fail(self->error, AB_DATA, "the header of %s is damaged: %s", self->path, what);
}

/* ---- pieces of Python ------------------------------------------------------------------------ */

static void skip_space(Parser *self) {
  while (*self->at == ' ' || *self->at == '\t' || *self->at == '\n') self->at++;
}

/* Takes a character after white space, if it is the one. */
static gboolean take(Parser *self, char wanted) {
  skip_space(self);
  if (*self->at != wanted) return FALSE;
  self->at++;
  return TRUE;
}

static gboolean take_word(Parser *self, const char *word) {
  skip_space(self);
  if (!g_str_has_prefix(self->at, word)) return FALSE;
  self->at += strlen(word);
  return TRUE;
}

/* 'text' or "text", without escapes. */
static gboolean take_text(Parser *self, char *text, gsize size) {
  char quote = take(self, '\'') ? '\'' : take(self, '"') ? '"' : 0;
  const char *end = quote ? strchr(self->at, quote) : NULL;
  if (!end || (gsize)(end - self->at) >= size) return FALSE;
  memcpy(text, self->at, (gsize)(end - self->at));
  text[end - self->at] = '\0';
  self->at = end + 1;
  return g_str_is_ascii(text) && !strchr(text, '\\');
}

static gboolean take_length(Parser *self, gint64 *value) {
  char *end;
  skip_space(self);
  if (!g_ascii_isdigit(*self->at)) return FALSE;
  guint64 number = g_ascii_strtoull(self->at, &end, 10);
  if (number > G_MAXINT64) return FALSE;
  *value = (gint64)number;
  self->at = *end == 'L' ? end + 1 : end; /* Python 2 */
  return TRUE;
}

/* ---- values ---------------------------------------------------------------------------------- */

static gboolean take_shape(Parser *self) {
  NpyHeader *header = self->header;
  gint64 length;
  if (!take(self, '(')) return damaged(self, "its shape is no tuple");
  while (!take(self, ')')) {
    if (header->rank > 0 && !take(self, ',')) return damaged(self, "its shape does not end");
    if (header->rank > 0 && take(self, ')')) break;
    if (!take_length(self, &length)) return damaged(self, "its shape is not of numbers");
    if (header->rank == AB_MAX_RANK)
      return host_fail(self->error, AB_DATA, "%s has more than %d axes", self->path, AB_MAX_RANK);
    header->shape[header->rank++] = length;
  }
  return TRUE;
}

static gboolean take_order(Parser *self) {
  self->header->fortran = take_word(self, "True");
  return self->header->fortran || take_word(self, "False") ||
         damaged(self, "fortran_order is neither True nor False");
}

static gboolean take_descr(Parser *self) {
  if (take(self, '['))
    return host_fail(self->error, AB_DATA,
                     "%s holds records of several fields; save the array of one of them",
                     self->path);
  return take_text(self, self->descr, sizeof self->descr) ||
         damaged(self, "descr is no type of NumPy");
}

static gboolean take_item(Parser *self) {
  static const struct {
    const char *key;
    guint bit;
    gboolean (*value)(Parser *self);
  } keys[] = {{"descr", SEEN_DESCR, take_descr},
              {"fortran_order", SEEN_ORDER, take_order},
              {"shape", SEEN_SHAPE, take_shape}};
  char key[32];
  if (!take_text(self, key, sizeof key) || !take(self, ':'))
    return damaged(self, "it is no dictionary of Python");
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    if (strcmp(keys[i].key, key) != 0) continue;
    if (self->seen & keys[i].bit) return damaged(self, "a key stands there twice");
    self->seen |= keys[i].bit;
    return keys[i].value(self);
  }
  return damaged(self, "it has a key that is not known");
}

static gboolean take_dictionary(Parser *self) {
  if (!take(self, '{')) return damaged(self, "it is no dictionary of Python");
  for (gboolean more = TRUE; more && !take(self, '}');) {
    if (!take_item(self)) return FALSE;
    more = take(self, ',');
    if (!more && !take(self, '}')) return damaged(self, "it does not end");
  }
  if (self->seen != SEEN_ALL)
    return damaged(self, "one of descr, fortran_order and shape is missing");
  return TRUE;
}

/* ---- types ----------------------------------------------------------------------------------- */

/* "<f4", "|u1"; '|' and '=' are the order of this machine. */
static gboolean set_type(Parser *self) {
  static const struct {
    const char *descr;
    RawType type;
  } types[] = {{"f4", RAW_F32}, {"f8", RAW_F64}, {"u1", RAW_U8},  {"i1", RAW_I8},  {"u2", RAW_U16},
               {"i2", RAW_I16}, {"i4", RAW_I32}, {"i8", RAW_I64}, {"b1", RAW_BOOL}};
  const char *descr = self->descr;
  gboolean ordered = *descr && strchr("<>|=", *descr);
  self->header->big_endian = *descr == '>' || (G_BYTE_ORDER == G_BIG_ENDIAN && *descr != '<');
  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    if (strcmp(descr + ordered, types[i].descr) != 0) continue;
    self->header->type = types[i].type;
    return TRUE;
  }
  g_autofree char *shown = g_strescape(descr, NULL);
  return host_fail(
      self->error, AB_DATA,
      "%s holds numbers of NumPy's type '%s'; f4, f8, u1, i1, u2, i2, i4, i8 and b1 are "
      "read:\nsave array.astype('float32')",
      self->path, shown);
}

gboolean npy_header_parse(const char *path, const char *text, gsize length, NpyHeader *header,
                          GError **error) {
  Parser self = {.path = path, .at = text, .header = header, .error = error};
  *header = (NpyHeader){0};
  if (strlen(text) != length) return damaged(&self, "it has a zero byte in it");
  return take_dictionary(&self) && set_type(&self);
}
