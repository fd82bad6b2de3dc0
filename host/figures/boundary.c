/* SPDX-License-Identifier: Apache-2.0
 *
 * What the model says of every point of the plane, where x is two numbers: the class, or a number
 * (a score, what it predicts), on a grid over the range of the samples and a tenth more on each
 * side. The coordinates are those that the model sees, after the transforms of the data.         */
#include "figures-internal.h"

#include "../run/signals.h"
#include <string.h>

#define GROUP "/entry/boundary"
#define SIDE  100
#define ROWS  10 /* of the grid that are asked for at a time */

typedef struct {
  double axis[2][SIDE]; /* x1 to the right, x2 upwards */
  gboolean classes;
  double values[SIDE * SIDE]; /* row by row: [x2, x1] */
} Grid;

static void set_axes(Grid *self, const Rows *points) {
  for (int k = 0; k < 2; k++) {
    double low = points->values[k], high = low;
    for (gint64 i = 0; i < points->count; i++) {
      low = MIN(low, points->values[2 * i + k]);
      high = MAX(high, points->values[2 * i + k]);
    }
    double margin = high > low ? (high - low) / 10 : 1;
    for (int i = 0; i < SIDE; i++)
      self->axis[k][i] = low - margin + (high - low + 2 * margin) * i / (SIDE - 1);
  }
}

/* `ROWS` rows of the grid, as samples of x. */
static AbTensor *points_of(const Figures *self, const Grid *grid, int first) {
  AbContext *ctx = self->assembly->ctx;
  const AbSpec *x = feed_spec(self->assembly->feed, "x");
  g_autofree double *points = g_new(double, 2 * ROWS * SIDE);
  for (int i = 0; i < ROWS * SIDE; i++) {
    points[2 * i] = grid->axis[0][i % SIDE];
    points[2 * i + 1] = grid->axis[1][first + i / SIDE];
  }
  AbTensor *flat = ab_from(ctx, AB_F64, AB_SHAPE(ROWS * SIDE, 2), points);
  return ab_reshape_samples(ab_cast(flat, ab_real_dtype(ctx)), ab_spec_shape(x));
}

static gboolean ask(const Figures *self, Grid *grid, int first, GError **error) {
  Assembly *assembly = self->assembly;
  AbTensor *x = points_of(self, grid, first);
  ab_begin(assembly->ctx, AB_PURPOSE_EVALUATE, first);
  AbTensor *y = ab_call(assembly->model, assembly->role, x);
  y = ab_cast(grid->classes ? ab_argmax(y) : y, AB_F64);
  if (!assembly_check(assembly, error)) return FALSE;
  if (ab_count(y) != ROWS * SIDE)
    return host_fail(error, AB_CONFIG, "the model does not give one number for a point");
  const double *from = ab_map(y, false);
  if (from) memcpy(grid->values + first * SIDE, from, ROWS * SIDE * sizeof *from);
  if (from) ab_unmap(y);
  return assembly_check(assembly, error);
}

static gboolean fill(const Figures *self, Grid *grid, GError **error) {
  AbContext *ctx = self->assembly->ctx;
  bool recording = ab_set_recording(ctx, false);
  const AbBatch *outer = ab_set_batch(ctx, NULL);
  gboolean done = TRUE;
  for (int first = 0; done && first < SIDE; first += ROWS) {
    AbScope scope = ab_scope_begin(ctx);
    done = ask(self, grid, first, error);
    ab_scope_end(ctx, scope, NULL, 0);
    if (done && signals_stop()) done = host_fail(error, AB_STOPPED, "stopped on request");
  }
  ab_set_batch(ctx, outer);
  ab_set_recording(ctx, recording);
  return done;
}

static void write_grid(StoreWriter *writer, const Grid *grid) {
  const gint64 shape[] = {SIDE, SIDE};
  if (!grid->classes) {
    group_put(writer, GROUP, "value", AB_F64, 2, shape, grid->values);
    return;
  }
  g_autofree gint64 *classes = g_new(gint64, SIDE * SIDE);
  for (int i = 0; i < SIDE * SIDE; i++) classes[i] = (gint64)grid->values[i];
  group_put(writer, GROUP, "class", AB_I64, 2, shape, classes);
}

static void write_group(Figures *self, StoreWriter *writer, const Grid *grid, const Rows *points) {
  const gint64 side = SIDE, shape[] = {points->count, 2};
  const char *const axes[] = {"x2", "x1", NULL}, *const of_points[] = {".sample", ".x", NULL};
  const char *const of_labels[] = {".sample", NULL};
  group_put(writer, GROUP, "x1", AB_F64, 1, &side, grid->axis[0]);
  group_put(writer, GROUP, "x2", AB_F64, 1, &side, grid->axis[1]);
  write_grid(writer, grid);
  group_put(writer, GROUP, "points", AB_F64, 2, shape, points->values);
  if (points->labels) group_put(writer, GROUP, "y", AB_I64, 1, shape, points->labels);
  group_data(self, writer,
             &(NexusData){.group = GROUP,
                          .title = grid->classes ? "The class that the model gives each point"
                                                 : "What the model gives each point",
                          .signal = grid->classes ? "class" : "value",
                          .axes = axes});
  nexus_axes(writer, GROUP, "points", of_points);
  if (points->labels) nexus_axes(writer, GROUP, "y", of_labels);
}

/* Two numbers in, a class or one number out. */
static gboolean applies(const Figures *self, gboolean *classes) {
  AbRole role = self->assembly->role;
  if (self->space.rank < 0 || self->space.count != 2 || figures_split(self) < 0) return FALSE;
  if (feed_spec(self->assembly->feed, "x")->range == AB_RANGE_CLASS) return FALSE;
  AbSpec out = ab_model_signature(self->assembly->model).out;
  *classes = role == AB_ROLE_CLASSIFY || role == AB_ROLE_CLUSTER;
  return *classes || role == AB_ROLE_SCORE || (role == AB_ROLE_PREDICT && ab_spec_count(&out) == 1);
}

gboolean figure_boundary(Figures *self, StoreWriter *writer, GError **error) {
  g_auto(Rows) points = {0};
  gboolean classes;
  if (!applies(self, &classes)) return TRUE;
  if (!rows_collect(self, AB_ROLE_NONE, NULL, FIGURES_POINTS, &points, error)) return FALSE;
  if (points.count == 0) return TRUE;
  g_autofree Grid *grid = g_new0(Grid, 1);
  grid->classes = classes;
  set_axes(grid, &points);
  if (!fill(self, grid, error)) return FALSE;
  write_group(self, writer, grid, &points);
  return TRUE;
}
