/* SPDX-License-Identifier: Apache-2.0
 *
 * Sweeps: axes of values, and the points that they span.
 *
 *   model.hidden=64,128,256        values, as YAML
 *   optimizer.lr=log:1e-4..1e-2:5  five, evenly spaced in the logarithm
 *   model.dropout=lin:0.0..0.5:6   six, evenly spaced
 *
 * A range without a number of points is for random points, which are drawn from all of it. Where
 * both ends are written as whole numbers, so are all values.                                     */
#ifndef HOST_COMPARE_SWEEP_H
#define HOST_COMPARE_SWEEP_H

#include "../error.h"

typedef struct {
  char *key;         /* "model.hidden" */
  char *text;        /* as it was given */
  GPtrArray *values; /* char *, as YAML; NULL for a range that is drawn from */
  gboolean logarithmic, whole;
  double low, high;
} Axis;

/* AB_USAGE for what is no axis. */
Axis *axis_parse(const char *text, GError **error);
void axis_free(Axis *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Axis, axis_free)

typedef struct {
  char **sets; /* "model.hidden=64", ...: one for each axis */
  char *name;  /* "hidden=64,lr=0.001", unique among the points */
} Point;

/* Every combination of the values, the last axis fastest; or, with `random` > 0, that many distinct
 * points, which are always the same: the first of more are those of fewer. `axes` are Axis *.
 * AB_USAGE for two axes of one key, a range without a number, too many points or too few.        */
GPtrArray *sweep_points(const GPtrArray *axes, gint64 random, GError **error);

#endif
