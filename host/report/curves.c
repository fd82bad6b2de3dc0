/* SPDX-License-Identifier: Apache-2.0
 *
 * Curves: a record a line, and in every record a number for each split and metric. */
#include "curves.h"

#include "../jsonin.h"
#include "../run/metrics.h"
#include "../run/series.h"
#include "notes.h"
#include <math.h>
#include <string.h>

#define MAX_RECORDS 1000000
#define MAX_SERIES  100

static const char *const axes[] = {"epoch", "step", "seconds"};

struct Curves {
  GArray *axes[G_N_ELEMENTS(axes)]; /* double */
  SeriesTable series;
  JsonNode *end, *last;
};

static Curves *curves_new(void) {
  Curves *self = g_new0(Curves, 1);
  for (guint i = 0; i < G_N_ELEMENTS(axes); i++)
    self->axes[i] = g_array_new(FALSE, FALSE, sizeof(double));
  series_init(&self->series, MAX_SERIES);
  return self;
}

void curves_free(Curves *self) {
  if (!self) return;
  for (guint i = 0; i < G_N_ELEMENTS(axes); i++) g_array_unref(self->axes[i]);
  series_clear(&self->series);
  g_clear_pointer(&self->end, json_node_unref);
  g_clear_pointer(&self->last, json_node_unref);
  g_free(self);
}

JsonNode *curves_end(const Curves *self) {
  return self ? self->end : NULL;
}

JsonNode *curves_last(const Curves *self) {
  return self ? self->last : NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void add_record(Curves *self, JsonObject *line) {
  for (guint i = 0; i < G_N_ELEMENTS(axes); i++) {
    double at = jsonin_real(line, axes[i]);
    g_array_append_val(self->axes[i], at);
  }
  series_add(&self->series, line);
}

/* The end repeats the last epoch, and adds the test split: it is no point of a curve. */
static void add_line(JsonNode *line, gpointer data) {
  Curves *self = data;
  JsonObject *object = json_node_get_object(line);
  const char *event = jsonin_text(object, "event");
  if (g_strcmp0(event, "end") == 0) {
    g_clear_pointer(&self->end, json_node_unref);
    self->end = json_node_ref(line);
  } else if (self->axes[0]->len < MAX_RECORDS) {
    add_record(self, object);
  }
  g_clear_pointer(&self->last, json_node_unref);
  self->last = json_node_ref(line);
}

Curves *curves_read(const char *folder, GPtrArray *notes) {
  Curves *self = curves_new();
  GError *error = NULL;
  metrics_read(folder, add_line, self, &error);
  notes_take_file(notes, folder, error);
  if (!self->last) {
    curves_free(self);
    return NULL;
  }
  series_finish(&self->series);
  if (self->series.left_out)
    notes_add(notes, "%s/metrics.jsonl has more than %d curves; the first of them are shown",
              folder, MAX_SERIES);
  return self;
}

/* ---- writing --------------------------------------------------------------------------------- */

void curves_thin(const double *values, gint64 count, gint64 buckets, double *out) {
  out[0] = values[0];
  for (gint64 b = 0; b < buckets; b++) {
    gint64 from = count * b / buckets, to = count * (b + 1) / buckets, least = -1, most = -1;
    for (gint64 i = from; i < to; i++) {
      if (isnan(values[i])) continue;
      if (least < 0 || values[i] < values[least]) least = i;
      if (most < 0 || values[i] > values[most]) most = i;
    }
    out[1 + 2 * b] = least < 0 ? NAN : values[MIN(least, most)];
    out[2 + 2 * b] = least < 0 ? NAN : values[MAX(least, most)];
  }
  out[1 + 2 * buckets] = values[count - 1];
}

/* Where the numbers of curves_thin stand: at the ends of their bucket. */
static void thin_axis(const double *values, gint64 count, gint64 buckets, double *out) {
  out[0] = values[0];
  for (gint64 b = 0; b < buckets; b++) {
    out[1 + 2 * b] = values[count * b / buckets];
    out[2 + 2 * b] = values[count * (b + 1) / buckets - 1];
  }
  out[1 + 2 * buckets] = values[count - 1];
}

typedef void (*Thin)(const double *values, gint64 count, gint64 buckets, double *out);

static void write_numbers(GString *out, const char *key, const GArray *array, gint64 buckets,
                          Thin thin) {
  const double *values = (const double *)(const void *)array->data;
  if (buckets == 0) {
    embed_reals(out, key, values, array->len);
    return;
  }
  g_autofree double *fewer = g_new(double, (gsize)(2 * buckets + 2));
  thin(values, array->len, buckets, fewer);
  embed_reals(out, key, fewer, 2 * buckets + 2);
}

void curves_put(const Curves *self, gint64 points, GString *out) {
  gint64 count = self->axes[0]->len, buckets = count > points ? MAX(points / 2 - 1, 1) : 0;
  embed_int(out, "count", count);
  if (buckets) embed_int(out, "buckets", buckets);
  for (guint i = 0; i < G_N_ELEMENTS(axes); i++)
    write_numbers(out, axes[i], self->axes[i], buckets, thin_axis);
  embed_begin(out, "series", '[');
  for (guint i = 0; i < self->series.all->len; i++) {
    const Series *series = self->series.all->pdata[i];
    embed_begin(out, NULL, '{');
    embed_text(out, "split", series->split);
    embed_text(out, "metric", series->metric);
    write_numbers(out, "value", series->values, buckets, curves_thin);
    embed_end(out, '}');
  }
  embed_end(out, ']');
}
