/* SPDX-License-Identifier: Apache-2.0
 *
 * One axis of a sweep, as it is written. */
#include "sweep.h"

#include "../manifest/param.h"
#include <math.h>
#include <string.h>

#define MOST_WHOLE 9007199254740992.0 /* 2^53: beyond that a double skips whole numbers */

enum { MOST_VALUES = 1000 };

void axis_free(Axis *self) {
  if (!self) return;
  if (self->values) g_ptr_array_unref(self->values);
  g_free(self->key);
  g_free(self->text);
  g_free(self);
}

static gboolean refuse(const Axis *self, GError **error, const char *why) {
  g_autofree char *shown = node_show(self->text);
  return host_fail(error, AB_USAGE,
                   "--sweep %s %s; write key.path=value,value or key.path=log:LOW..HIGH:COUNT, "
                   "lin:LOW..HIGH:COUNT",
                   shown, why);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Where a value ends: at a comma outside of brackets and quotes, or at the end. */
static const char *value_end(const char *at) {
  int depth = 0;
  char quote = 0;
  for (; *at && (*at != ',' || depth > 0 || quote); at++) {
    if (quote)
      quote = *at == quote ? 0 : quote;
    else if (*at == '"' || *at == '\'')
      quote = *at;
    else
      depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
  }
  return at;
}

static gboolean has_value(const Axis *self, const char *value) {
  for (guint i = 0; i < self->values->len; i++)
    if (strcmp(self->values->pdata[i], value) == 0) return TRUE;
  return FALSE;
}

static gboolean read_values(Axis *self, const char *text, GError **error) {
  for (const char *at = text;; at++) {
    const char *end = value_end(at);
    g_autofree char *value = g_strstrip(g_strndup(at, (gsize)(end - at)));
    if (!*value) return refuse(self, error, "has an empty value");
    if (has_value(self, value)) return refuse(self, error, "has a value twice");
    if (self->values->len == MOST_VALUES) return refuse(self, error, "has more than 1000 values");
    g_ptr_array_add(self->values, g_steal_pointer(&value));
    at = end;
    if (!*at) return TRUE;
  }
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static gboolean read_end(Axis *self, const char *text, double *value, GError **error) {
  g_autoptr(Node) node = node_scalar(text);
  gint64 whole;
  if (!node_read_real(node, TRUE, value, NULL))
    return refuse(self, error, "has an end that is no number");
  if (!node_read_int(node, &whole, NULL) || strpbrk(text, "eE") || fabs(*value) > MOST_WHOLE)
    self->whole = FALSE;
  return TRUE;
}

static double between(const Axis *self, gint64 i, gint64 count) {
  double part = count > 1 ? (double)i / (double)(count - 1) : 0;
  if (i == 0) return self->low;
  if (i == count - 1) return self->high;
  if (!self->logarithmic) return self->low + part * (self->high - self->low);
  return exp(log(self->low) + part * (log(self->high) - log(self->low)));
}

/* Inner points to six digits. */
static char *spaced(const Axis *self, gint64 i, gint64 count) {
  double value = between(self, i, count);
  if (self->whole) return g_strdup_printf("%.0f", round(value));
  if (i == 0 || i == count - 1) return param_real(value);
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd(text, sizeof text, "%.6g", value);
  return param_real(g_ascii_strtod(text, NULL));
}

static gboolean space(Axis *self, const char *text, GError **error) {
  g_autoptr(Node) node = node_scalar(text);
  gint64 count;
  if (!node_read_int(node, &count, NULL) || count < 2 || count > MOST_VALUES)
    return refuse(self, error, "has a COUNT that is none from 2 to 1000");
  for (gint64 i = 0; i < count; i++) {
    char *value = spaced(self, i, count);
    if (has_value(self, value)) {
      g_free(value);
      return refuse(self, error,
                    "has fewer distinct values than it asks for (an end written 0.0 is of a range "
                    "of all numbers, one written 0 of whole ones)");
    }
    g_ptr_array_add(self->values, value);
  }
  return TRUE;
}

/* "1e-4..1e-2:5", after "log:" */
static gboolean read_range(Axis *self, const char *text, GError **error) {
  const char *dots = strstr(text, ".."), *colon = dots ? strchr(dots, ':') : NULL;
  if (!dots) return refuse(self, error, "has no LOW..HIGH");
  g_autofree char *low = g_strndup(text, (gsize)(dots - text));
  g_autofree char *high = g_strndup(dots + 2, colon ? (gsize)(colon - dots - 2) : strlen(dots + 2));
  self->whole = TRUE;
  if (!read_end(self, low, &self->low, error) || !read_end(self, high, &self->high, error))
    return FALSE;
  if (!(self->low < self->high)) return refuse(self, error, "has a LOW that is not below its HIGH");
  if (self->logarithmic && !(self->low > 0))
    return refuse(self, error, "has a LOW without a logarithm");
  if (!isfinite(self->high - self->low)) return refuse(self, error, "is too long a range");
  if (colon) return space(self, colon + 1, error);
  g_clear_pointer(&self->values, g_ptr_array_unref);
  return TRUE;
}

/* ---- both ------------------------------------------------------------------------------------ */

static gboolean read_axis(Axis *self, GError **error) {
  if (!g_utf8_validate(self->text, -1, NULL)) return refuse(self, error, "is no UTF-8");
  const char *equals = strchr(self->text, '=');
  if (!equals || equals == self->text) return refuse(self, error, "has no key before a '='");
  self->key = g_strndup(self->text, (gsize)(equals - self->text));
  if (*self->key == '.' || g_str_has_suffix(self->key, ".") || strstr(self->key, ".."))
    return refuse(self, error, "has an empty element in its key");
  const char *values = equals + 1;
  self->logarithmic = g_str_has_prefix(values, "log:");
  if (self->logarithmic || g_str_has_prefix(values, "lin:"))
    return read_range(self, values + 4, error);
  return read_values(self, values, error);
}

Axis *axis_parse(const char *text, GError **error) {
  Axis *self = g_new0(Axis, 1);
  self->text = g_strdup(text);
  self->values = g_ptr_array_new_with_free_func(g_free);
  if (read_axis(self, error)) return self;
  axis_free(self);
  return NULL;
}
