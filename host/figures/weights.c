/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights that can be looked at, where samples are images: in a model that is given x, its first
 * matrix [numbers of x, units], one image a unit, or its first convolution's kernels [units,
 * channels, height, width]. 0 is in the middle between @low and @high.                           */
#include "figures-internal.h"

#include <math.h>
#include <string.h>

#define GROUP      "/entry/weights"
#define MOST_UNITS 64

static gboolean same(const AbSpec *a, const AbSpec *b) {
  return a->rank == b->rank && a->rank >= 0 &&
         memcmp(a->shape, b->shape, (gsize)a->rank * sizeof *a->shape) == 0;
}

/* Or, what generates x by itself, learns from it. */
static gboolean sees_x(const Figures *self, const AbInstance *instance) {
  if (instance->component->kind != AB_KIND_MODEL) return FALSE;
  const AbSpec *x = feed_spec(self->assembly->feed, "x");
  AbSignature built = ab_model_signature(instance);
  return same(&built.in, x) || (built.role == AB_ROLE_GENERATE && same(&built.out, x));
}

/* What the units of a weight are to the eye; FALSE where they are no images. */
static gboolean space_of(const Figures *self, AbShape shape, Space *space, gint64 *units) {
  *space = self->space;
  *units = shape.dims[shape.rank == 2];
  if (shape.rank == 2) return shape.dims[0] == space->count;
  if (shape.dims[1] != space_channels(&self->space)) return FALSE;
  space->shape[0] = shape.dims[2];
  space->shape[1] = shape.dims[3];
  space->count = shape.dims[1] * shape.dims[2] * shape.dims[3];
  return shape.dims[2] > 1 && shape.dims[3] > 1;
}

/* The images of `count` units; NULL after an error. */
static float *images_of(const Space *space, AbTensor *weight, gint64 units, gint64 count) {
  gboolean matrix = ab_rank(weight) == 2;
  AbTensor *w = ab_cast(weight, AB_F32);
  const float *from = w ? ab_map(w, false) : NULL;
  if (!from) return NULL;
  float *to = g_new(float, (gsize)(count * space->count));
  g_autofree float *one = g_new(float, (gsize)space->count);
  for (gint64 i = 0; i < count; i++) {
    for (gint64 k = 0; k < space->count; k++)
      one[k] = matrix ? from[k * units + i] : from[i * space->count + k];
    space_put(space, one, to + i * space->count);
  }
  ab_unmap(w);
  return to;
}

static void write_group(Figures *self, StoreWriter *writer, const Space *space, const char *name,
                        const float *images, gint64 count) {
  g_autofree char *leaf = g_strdelimit(g_strdup(name), "/", '.');
  g_autofree char *group = g_strconcat(GROUP "/", leaf, NULL);
  g_autofree char *title = g_strconcat("Weight ", name, NULL);
  g_auto(GStrv) axes = group_axes(space, "unit", NULL);
  Extent found = extent_add((Extent){0, 0}, images, count * space->count);
  double most = MAX(-found.low, found.high);
  if (!(most > 0)) most = 1;
  group_numbers(writer, group, "unit", count);
  group_samples(space, writer, group, "image", 1, &count, images, (Extent){-most, most});
  store_write_attr_text(writer, group, "weight", name);
  nexus_data(writer, &(NexusData){.group = group,
                                  .title = title,
                                  .signal = "image",
                                  .axes = (const char *const *)axes});
  nexus_group(writer, GROUP, "NXcollection", "Weights that are images", leaf);
  if (!self->preset) self->preset = g_strdup("weights");
}

/* The first matrix or kernel of an instance. */
static AbState first_weight(const AbInstance *instance) {
  for (gint64 i = 0; i < ab_state_count(instance); i++) {
    AbState state = ab_state(instance, i);
    if (state.weight && (ab_rank(state.tensor) == 2 || ab_rank(state.tensor) == 4)) return state;
  }
  return (AbState){0};
}

static gboolean look_at(Figures *self, StoreWriter *writer, const AbInstance *instance,
                        GError **error) {
  AbContext *ctx = self->assembly->ctx;
  AbState state = first_weight(instance);
  Space space;
  gint64 units;
  if (!state.tensor || state.tied || !space_of(self, ab_shape(state.tensor), &space, &units))
    return TRUE;
  gint64 count = CLAMP(FIGURES_NUMBERS / MAX(space.count, 1), 1, MIN(MOST_UNITS, units));
  AbScope scope = ab_scope_begin(ctx);
  bool recording = ab_set_recording(ctx, false);
  g_autofree float *images = images_of(&space, state.tensor, units, count);
  ab_set_recording(ctx, recording);
  ab_scope_end(ctx, scope, NULL, 0);
  if (!images) return assembly_check(self->assembly, error);
  write_group(self, writer, &space, state.name, images, count);
  return TRUE;
}

gboolean figure_weights(Figures *self, StoreWriter *writer, GError **error) {
  const GPtrArray *instances = self->assembly->binder.instances;
  if (self->space.rank < 0 || !self->space.image) return TRUE;
  for (guint i = 0; i < instances->len; i++)
    if (sees_x(self, instances->pdata[i]) && !look_at(self, writer, instances->pdata[i], error))
      return FALSE;
  return TRUE;
}
