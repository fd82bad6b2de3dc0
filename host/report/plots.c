/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of results.h5 that are points, regions and counts. */
#include "plots.h"

#include "../jsonin.h"
#include "notes.h"
#include "plots-internal.h"
#include <math.h>
#include <string.h>

#define MAX_REGION  256 /* points of a decision boundary along an axis */
#define MAX_CLASSES 256

gboolean plot_column(Array *column, StoreFile *file, const char *dataset, gint64 rows,
                     GError **error) {
  *column = (Array){0};
  if (!store_has(file, dataset)) return TRUE;
  return array_read(column, file, dataset, 1, 1, error) &&
         array_check_rows(column, rows, dataset, error);
}

void plot_write_rows(GString *out, const char *key, const Array *array, gint64 stride) {
  gint64 width = array->count / array->shape[0], kept = 0;
  g_autofree double *values = g_new(double, (gsize)array->count);
  for (gint64 i = 0; i < array->shape[0]; i += stride, kept++)
    memcpy(values + kept * width, array->values + i * width, (gsize)width * sizeof *values);
  embed_reals(out, key, values, kept * width);
}

static gboolean pairs(const Array *points, const char *dataset, GError **error) {
  return points->shape[1] == 2 ||
         host_fail(error, AB_DATA, "dataset %s has rows of %" G_GINT64_FORMAT ", not of 2 numbers",
                   dataset, points->shape[1]);
}

/* ---- latent ---------------------------------------------------------------------------------- */

gboolean plot_latent(StoreFile *file, GString *out, GError **error) {
  static const char name[] = "/entry/latent/projection";
  g_auto(Array) points = {0};
  g_auto(Array) labels = {0};
  g_auto(Array) explained = {0};
  if (!array_read(&points, file, name, 2, 2, error) || !pairs(&points, name, error) ||
      !plot_column(&labels, file, "/entry/latent/y", points.shape[0], error) ||
      !plot_column(&explained, file, "/entry/latent/explained", 2, error))
    return FALSE;
  gint64 stride = PLOT_STRIDE(points.shape[0], PLOT_POINTS);
  embed_begin(out, "latent", '{');
  plot_write_rows(out, "points", &points, stride);
  if (labels.values) plot_write_rows(out, "label", &labels, stride);
  if (explained.values) embed_reals(out, "explained", explained.values, 2);
  embed_end(out, '}');
  return TRUE;
}

/* ---- boundary -------------------------------------------------------------------------------- */

typedef struct {
  Array grid, x1, x2, points, labels;
  gboolean classes;
} Boundary;

static void boundary_clear(Boundary *self) {
  array_clear(&self->grid);
  array_clear(&self->x1);
  array_clear(&self->x2);
  array_clear(&self->points);
  array_clear(&self->labels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Boundary, boundary_clear)

static gboolean check_classes(const Array *grid, const char *name, GError **error) {
  for (gint64 i = 0; i < grid->count; i++)
    if (!(grid->values[i] >= 0 && grid->values[i] < MAX_CLASSES))
      return host_fail(error, AB_DATA, "dataset %s holds %g where a class from 0 to %d is wanted",
                       name, grid->values[i], MAX_CLASSES - 1);
  return TRUE;
}

static gboolean boundary_read(Boundary *self, StoreFile *file, GError **error) {
  self->classes = store_has(file, "/entry/boundary/class");
  const char *grid = self->classes ? "/entry/boundary/class" : "/entry/boundary/value";
  const char *points = "/entry/boundary/points";
  if (!array_read(&self->grid, file, grid, 2, 2, error) ||
      !array_read(&self->x1, file, "/entry/boundary/x1", 1, 1, error) ||
      !array_read(&self->x2, file, "/entry/boundary/x2", 1, 1, error) ||
      !array_check_rows(&self->x1, self->grid.shape[1], "/entry/boundary/x1", error) ||
      !array_check_rows(&self->x2, self->grid.shape[0], "/entry/boundary/x2", error) ||
      (self->classes && !check_classes(&self->grid, grid, error)))
    return FALSE;
  if (!store_has(file, points)) return TRUE;
  return array_read(&self->points, file, points, 2, 2, error) &&
         pairs(&self->points, points, error) &&
         plot_column(&self->labels, file, "/entry/boundary/y", self->points.shape[0], error);
}

/* Classes as they are, values from 0 to 255 over their range. */
static void put_grid(const Boundary *self, GString *out) {
  const Array *grid = &self->grid;
  gint64 rows = PLOT_STRIDE(grid->shape[0], MAX_REGION);
  gint64 columns = PLOT_STRIDE(grid->shape[1], MAX_REGION);
  Range range = self->classes ? (Range){0, 255} : array_range(grid, RANGE_NOTHING);
  GByteArray *bytes = g_byte_array_new();
  gint64 height = 0;
  for (gint64 i = 0; i < grid->shape[0]; i += rows, height++)
    for (gint64 j = 0; j < grid->shape[1]; j += columns) {
      guint8 byte = range_byte(range, grid->values[i * grid->shape[1] + j]);
      g_byte_array_append(bytes, &byte, 1);
    }
  embed_int(out, "height", height);
  embed_int(out, "width", bytes->len / height);
  embed_real(out, "low", range.low);
  embed_real(out, "high", range.high);
  embed_bytes(out, self->classes ? "class" : "value", bytes->data, bytes->len);
  g_byte_array_unref(bytes);
}

static void put_extent(GString *out, const char *key, const Array *axis) {
  double ends[] = {axis->values[0], axis->values[axis->count - 1]};
  embed_reals(out, key, ends, 2);
}

gboolean plot_boundary(StoreFile *file, GString *out, GError **error) {
  g_auto(Boundary) self = {0};
  if (!boundary_read(&self, file, error)) return FALSE;
  embed_begin(out, "boundary", '{');
  put_grid(&self, out);
  put_extent(out, "x1", &self.x1);
  put_extent(out, "x2", &self.x2);
  if (self.points.values) {
    gint64 stride = PLOT_STRIDE(self.points.shape[0], PLOT_POINTS);
    plot_write_rows(out, "points", &self.points, stride);
    if (self.labels.values) plot_write_rows(out, "label", &self.labels, stride);
  }
  embed_end(out, '}');
  return TRUE;
}

/* ---- confusion ------------------------------------------------------------------------------- */

/* What the classes are called, as an object with an array `names`; NULL without an error where they
 * have no names.                                                                                 */
static JsonNode *class_names(StoreFile *file, gint64 classes, GError **error) {
  static const char name[] = "/entry/confusion/names";
  if (!store_has(file, name)) return NULL;
  g_autofree char *text = store_read_text(file, name, error);
  g_autofree char *wrapped = text ? g_strdup_printf("{\"names\": %s}", text) : NULL;
  g_autoptr(JsonNode) root = wrapped ? jsonin_object(name, wrapped, -1, error) : NULL;
  if (!root) return NULL;
  JsonArray *names = jsonin_array(json_node_get_object(root), "names");
  if (names && json_array_get_length(names) == classes) return g_steal_pointer(&root);
  host_fail(error, AB_DATA, "dataset %s is no list of %" G_GINT64_FORMAT " names", name, classes);
  return NULL;
}

static void write_names(GString *out, JsonNode *root) {
  JsonArray *names = jsonin_array(json_node_get_object(root), "names");
  embed_begin(out, "names", '[');
  for (guint k = 0; k < json_array_get_length(names); k++) {
    JsonNode *one = json_array_get_element(names, k);
    gboolean text = JSON_NODE_HOLDS_VALUE(one) && json_node_get_value_type(one) == G_TYPE_STRING;
    embed_text(out, NULL, text ? json_node_get_string(one) : NULL);
  }
  embed_end(out, ']');
}

gboolean plot_confusion(StoreFile *file, GString *out, GError **error) {
  static const char name[] = "/entry/confusion/count";
  g_auto(Array) counts = {0};
  GError *damaged = NULL;
  if (!array_read(&counts, file, name, 2, 2, error)) return FALSE;
  if (counts.shape[0] != counts.shape[1] || counts.shape[0] > MAX_CLASSES)
    return host_fail(error, AB_DATA,
                     "dataset %s has %" G_GINT64_FORMAT " rows and %" G_GINT64_FORMAT
                     " columns; equal numbers of them are shown, up to %d",
                     name, counts.shape[0], counts.shape[1], MAX_CLASSES);
  g_autoptr(JsonNode) names = class_names(file, counts.shape[0], &damaged);
  if (damaged) {
    g_propagate_error(error, damaged);
    return FALSE;
  }
  embed_begin(out, "confusion", '{');
  embed_int(out, "classes", counts.shape[0]);
  embed_ints(out, "count", counts.values, counts.count);
  if (names) write_names(out, names);
  embed_end(out, '}');
  return TRUE;
}

/* ---- all ------------------------------------------------------------------------------------- */

static const struct {
  const char *group; /* and the member of the page's data */
  Plot plot;
  gboolean compared;
} plots[] = {
    {"reconstruction", plot_reconstruction, TRUE},
    {"samples", plot_samples, TRUE},
    {"latent", plot_latent, TRUE},
    {"boundary", plot_boundary, TRUE},
    {"confusion", plot_confusion, FALSE},
    {"roc", plot_roc, TRUE},
    {"scores", plot_scores, FALSE},
    {"weights", plot_weights, FALSE},
    {"returns", plot_returns, FALSE},
};

static void write_groups(StoreFile *file, PlotsWish wish, GString *out, GPtrArray *notes) {
  for (guint i = 0; i < G_N_ELEMENTS(plots); i++) {
    GError *error = NULL;
    g_autofree char *group = g_strdup_printf("/entry/%s", plots[i].group);
    if (wish == PLOTS_COMPARED && !plots[i].compared) continue;
    if (store_has(file, group) && !plots[i].plot(file, out, &error)) notes_take(notes, error);
  }
}

void plots_write(const char *folder, const char *key, PlotsWish wish, GString *out,
                 GPtrArray *notes) {
  GError *error = NULL;
  g_autofree char *path = g_build_filename(folder, "results.h5", NULL);
  g_autoptr(StoreFile) file =
      g_file_test(path, G_FILE_TEST_EXISTS) ? store_open(path, &error) : NULL;
  notes_take(notes, error);
  embed_begin(out, key, '{');
  if (file) write_groups(file, wish, out, notes);
  embed_end(out, '}');
}
