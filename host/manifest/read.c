/* SPDX-License-Identifier: Apache-2.0
 *
 * Scalars read as numbers and booleans. The forms are checked here rather than left to strtod,
 * which also takes hexadecimal, blanks and what follows the number.                             */
#include "node.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* FALSE, and "what is no <type><hint>" in *why, if that is wanted. */
static gboolean refuse(const Node *self, const char *type, const char *hint, char **why) {
  if (!why) return FALSE;
  if (self->kind == NODE_SCALAR) {
    char *shown = node_show(self->text);
    *why = g_strdup_printf("%s is no %s%s", shown, type, hint);
    g_free(shown);
  } else {
    *why = g_strdup_printf("a %s is no %s%s", self->kind == NODE_SEQUENCE ? "sequence" : "mapping",
                           type, hint);
  }
  return FALSE;
}

/* Digits with single underscores between them, appended to `out` without those; what follows, or
 * NULL if there is no digit or an underscore has no digit on both sides.                        */
static const char *scan_digits(const char *at, GString *out) {
  if (!g_ascii_isdigit(*at)) return NULL;
  for (;; at++) {
    if (g_ascii_isdigit(*at))
      g_string_append_c(out, *at);
    else if (*at != '_')
      return at;
    else if (!g_ascii_isdigit(at[1]))
      return NULL;
  }
}

static const char *scan_sign(const char *at, GString *out) {
  if (*at == '-') g_string_append_c(out, '-');
  return *at == '-' || *at == '+' ? at + 1 : at;
}

/* An exponent, if one begins here; what follows, or NULL if it is none. */
static const char *scan_exponent(const char *at, GString *out) {
  if (*at != 'e' && *at != 'E') return at;
  g_string_append_c(out, 'e');
  return scan_digits(scan_sign(at + 1, out), out);
}

/* "010" is eight to some readers of YAML and ten to others, so that we refuse it. */
static gboolean begins_like_octal(const char *at) {
  return at[0] == '0' && (g_ascii_isdigit(at[1]) || at[1] == '_');
}

/* value * 10^exponent of a number without sign; FALSE on overflow. */
static gboolean scale(guint64 *value, const char *exponent) {
  if (*value == 0) return TRUE;
  guint64 power = g_ascii_strtoull(exponent, NULL, 10); /* saturates */
  for (; power > 0; power--)
    if (!g_uint64_checked_mul(value, *value, 10)) return FALSE;
  return TRUE;
}

gboolean node_read_int(const Node *self, gint64 *value, char **why) {
  if (self->kind != NODE_SCALAR) return refuse(self, "integer", "", why);
  GString *digits = g_string_new(NULL), *exponent = g_string_new(NULL);
  gboolean negative = *self->text == '-';
  const char *start = self->text + (negative || *self->text == '+');
  const char *end = scan_digits(start, digits);
  if (end) end = scan_exponent(end, exponent);
  gboolean formed = end && !*end && !strchr(exponent->str, '-') && !begins_like_octal(start);

  guint64 limit = (guint64)G_MAXINT64 + negative;
  guint64 magnitude = 0;
  gboolean fits = formed;
  if (formed) {
    fits = g_ascii_string_to_unsigned(digits->str, 10, 0, limit, &magnitude, NULL) &&
           scale(&magnitude, exponent->len ? exponent->str + 1 : "0") && magnitude <= limit;
  }
  g_string_free(digits, TRUE);
  g_string_free(exponent, TRUE);
  if (!formed)
    return refuse(self, "integer", begins_like_octal(start) ? " (it begins with 0)" : "", why);
  if (!fits) return refuse(self, "integer of 64 bits", " (out of range)", why);
  /* -(m - 1) - 1 reaches the smallest integer without overflow */
  *value = negative && magnitude ? -(gint64)(magnitude - 1) - 1 : (gint64)magnitude;
  return TRUE;
}

/* The number as strtod wants it in `out`; FALSE if the text is none. */
static gboolean scan_real(const char *text, GString *out) {
  const char *at = scan_sign(text, out);
  if (begins_like_octal(at)) return FALSE;
  gboolean whole = *at != '.';
  if (whole && !(at = scan_digits(at, out))) return FALSE;
  if (*at == '.') {
    g_string_append_c(out, '.');
    at++;
    if ((!whole || g_ascii_isdigit(*at)) && !(at = scan_digits(at, out))) return FALSE;
  }
  at = scan_exponent(at, out);
  return at && !*at;
}

/* inf, nan and YAML's own .inf, .nan. */
static gboolean scan_special(const char *text, double *value) {
  gboolean sign = *text == '-' || *text == '+';
  const char *name = text + sign;
  if (*name == '.') name++;
  if (strcmp(name, "inf") == 0) {
    *value = *text == '-' ? -INFINITY : INFINITY;
    return TRUE;
  }
  *value = NAN;
  return !sign && strcmp(name, "nan") == 0;
}

gboolean node_read_real(const Node *self, gboolean finite, double *value, char **why) {
  if (self->kind != NODE_SCALAR) return refuse(self, "number", "", why);
  double special;
  if (scan_special(self->text, &special)) {
    if (finite) return refuse(self, "finite number", "", why);
    *value = special;
    return TRUE;
  }
  GString *number = g_string_new(NULL);
  gboolean formed = scan_real(self->text, number);
  errno = 0;
  double read = formed ? g_ascii_strtod(number->str, NULL) : 0;
  gboolean lost = errno == ERANGE && (read == 0 || isinf(read)); /* subnormal ones are all right */
  g_string_free(number, TRUE);
  if (!formed) return refuse(self, "number", "", why);
  if (lost) return refuse(self, "number of 64 bits", " (out of range)", why);
  *value = read;
  return TRUE;
}

gboolean node_read_bool(const Node *self, gboolean *value, char **why) {
  gboolean scalar = self->kind == NODE_SCALAR;
  gboolean yes = scalar && strcmp(self->text, "true") == 0;
  if (!yes && !(scalar && strcmp(self->text, "false") == 0))
    return refuse(self, "boolean; write true or false", "", why);
  *value = yes;
  return TRUE;
}
