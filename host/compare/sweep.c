/* SPDX-License-Identifier: Apache-2.0
 *
 * The points of a sweep. */
#include "sweep.h"

#include "../manifest/param.h"
#include <math.h>
#include <string.h>

enum { MOST_POINTS = 1000, TRIES = 100 };

static void point_free(gpointer data) {
  Point *point = data;
  g_strfreev(point->sets);
  g_free(point->name);
  g_free(point);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Where the last `elements` elements of a key begin. */
static const char *tail(const char *key, guint elements) {
  const char *at = key + strlen(key);
  while (at > key && (at[-1] != '.' || --elements > 0)) at--;
  return at;
}

static guint length_of(const char *key) {
  guint count = 1;
  for (; *key; key++) count += *key == '.';
  return count;
}

/* The shortest tail of an axis' key that no other has: "lr", "encoder.units". */
static const char *label(const GPtrArray *axes, guint index) {
  const char *key = ((const Axis *)axes->pdata[index])->key;
  for (guint elements = 1; elements < length_of(key); elements++) {
    gboolean alone = TRUE;
    for (guint i = 0; i < axes->len; i++) {
      const char *other = ((const Axis *)axes->pdata[i])->key;
      alone &= i == index || strcmp(tail(other, elements), tail(key, elements)) != 0;
    }
    if (alone) return tail(key, elements);
  }
  return key;
}

/* Takes the values, one for each axis. */
static Point *point_new(const GPtrArray *axes, GPtrArray *values) {
  Point *point = g_new0(Point, 1);
  GString *name = g_string_new(NULL);
  point->sets = g_new0(char *, axes->len + 1);
  for (guint i = 0; i < axes->len; i++) {
    const char *value = values->pdata[i];
    point->sets[i] = g_strdup_printf("%s=%s", ((const Axis *)axes->pdata[i])->key, value);
    g_string_append_printf(name, "%s%s=%s", i ? "," : "", label(axes, i), value);
  }
  point->name = g_string_free(name, FALSE);
  g_ptr_array_unref(values);
  return point;
}

/* ---- the grid -------------------------------------------------------------------------------- */

/* FALSE after the last combination. */
static gboolean advance(const GPtrArray *axes, guint *at) {
  for (guint i = axes->len; i > 0; i--) {
    if (++at[i - 1] < ((const Axis *)axes->pdata[i - 1])->values->len) return TRUE;
    at[i - 1] = 0;
  }
  return FALSE;
}

static gboolean check_grid(const GPtrArray *axes, GError **error) {
  guint64 count = 1;
  for (guint i = 0; i < axes->len; i++) {
    const Axis *axis = axes->pdata[i];
    if (!axis->values)
      return host_fail(error, AB_USAGE,
                       "--sweep %s: how many values? write %s:5, or draw points with --random N",
                       axis->text, axis->text);
    count *= axis->values->len; /* neither is over MOST_POINTS */
    if (count > MOST_POINTS)
      return host_fail(error, AB_USAGE,
                       "the sweep has more than %d points; take fewer values, or draw some of them "
                       "with --random N",
                       MOST_POINTS);
  }
  return TRUE;
}

static GPtrArray *grid(const GPtrArray *axes, GError **error) {
  if (!check_grid(axes, error)) return NULL;
  GPtrArray *points = g_ptr_array_new_with_free_func(point_free);
  guint *at = g_new0(guint, axes->len);
  do {
    GPtrArray *values = g_ptr_array_new();
    for (guint i = 0; i < axes->len; i++)
      g_ptr_array_add(values, ((const Axis *)axes->pdata[i])->values->pdata[at[i]]);
    g_ptr_array_add(points, point_new(axes, values));
  } while (advance(axes, at));
  g_free(at);
  return points;
}

/* ---- random points --------------------------------------------------------------------------- */

/* To four digits: nobody wants to read more, and the name is the value. */
static char *draw_range(const Axis *axis, AbStream *stream) {
  double u = ab_stream_uniform(stream);
  double low = axis->low, high = axis->high;
  if (axis->whole && !axis->logarithmic)
    return g_strdup_printf("%.0f", floor(low + u * (high - low + 1)));
  double value =
      axis->logarithmic ? exp(log(low) + u * (log(high) - log(low))) : low + u * (high - low);
  if (axis->whole) return g_strdup_printf("%.0f", CLAMP(round(value), low, high));
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd(text, sizeof text, "%.4g", value);
  return param_real(CLAMP(g_ascii_strtod(text, NULL), low, high));
}

static char *draw(const Axis *axis, AbStream *stream) {
  if (!axis->values) return draw_range(axis, stream);
  return g_strdup(axis->values->pdata[ab_stream_below(stream, axis->values->len)]);
}

static GPtrArray *drawn(const GPtrArray *axes, gint64 count, GError **error) {
  GPtrArray *points = g_ptr_array_new_with_free_func(point_free);
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  AbStream stream = ab_stream(0, "sweep");
  for (gint64 tries = 0; (gint64)points->len < count && tries < TRIES * count; tries++) {
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < axes->len; i++) g_ptr_array_add(values, draw(axes->pdata[i], &stream));
    Point *point = point_new(axes, values);
    if (g_hash_table_contains(names, point->name)) {
      point_free(point);
      continue;
    }
    g_hash_table_add(names, point->name);
    g_ptr_array_add(points, point);
  }
  if ((gint64)points->len == count) return points;
  host_fail(error, AB_USAGE,
            "--random %" G_GINT64_FORMAT ": the axes have no more than %u distinct points; ask for "
            "fewer (an end written 0.0 is of a range of all numbers, one written 0 of whole ones)",
            count, points->len);
  g_ptr_array_unref(points);
  return NULL;
}

/* ---- both ------------------------------------------------------------------------------------ */

static gboolean check_keys(const GPtrArray *axes, GError **error) {
  for (guint i = 0; i < axes->len; i++)
    for (guint j = 0; j < i; j++) {
      const Axis *one = axes->pdata[i], *other = axes->pdata[j];
      if (strcmp(one->key, other->key) == 0)
        return host_fail(error, AB_USAGE,
                         "--sweep: there are two axes of %s; put their values "
                         "into one",
                         one->key);
    }
  return TRUE;
}

GPtrArray *sweep_points(const GPtrArray *axes, gint64 random, GError **error) {
  if (!check_keys(axes, error)) return NULL;
  if (random > MOST_POINTS) {
    host_fail(error, AB_USAGE, "--random takes at most %d points", MOST_POINTS);
    return NULL;
  }
  return random > 0 ? drawn(axes, random, error) : grid(axes, error);
}
