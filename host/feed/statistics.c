/* SPDX-License-Identifier: Apache-2.0
 *
 * What scale and standardise need to know of the training samples: one pass in f64 (Welford 1962),
 * through the same reading and checks as training. Scaling is affine, so the mean and standard
 * deviation of scaled values follow from those of the values as they are.                       */
#include "feed-internal.h"

#include <math.h>
#include <string.h>

typedef struct {
  gint64 samples;
  double low, high;  /* over all features */
  double *mean, *m2; /* per feature: mean, sum of squared deviations from it */
} Moments;

#define DEFINE_MOMENTS(Real, name)                                                 \
  static void name(Moments *self, const Real *x, gint64 samples, gint64 size) {    \
    double low = self->low, high = self->high, *mean = self->mean, *m2 = self->m2; \
    for (gint64 s = 0; s < samples; s++, x += size) {                              \
      const double share = 1.0 / (double)++self->samples;                          \
      for (gint64 i = 0; i < size; i++) {                                          \
        double value = (double)x[i], delta = value - mean[i];                      \
        mean[i] += delta * share;                                                  \
        m2[i] += delta * (value - mean[i]);                                        \
        low = value < low ? value : low;                                           \
        high = value > high ? value : high;                                        \
      }                                                                            \
    }                                                                              \
    self->low = low;                                                               \
    self->high = high;                                                             \
  }
DEFINE_MOMENTS(float, f32_moments)
DEFINE_MOMENTS(double, f64_moments)

/* ---- the pass -------------------------------------------------------------------------------- */

/* Where a chunk that begins at `first` ends: slabs are not cut if they are small enough. */
static gint64 chunk_end(const Feed *self, gint64 first, gint64 chunk) {
  gint64 total = self->samples[AB_TRAIN], end = MIN(first + chunk, total);
  if (self->slab <= 1 || self->slab > chunk) return end;
  while (end < total && split_row(self, AB_TRAIN, end) / self->slab ==
                            split_row(self, AB_TRAIN, end - 1) / self->slab)
    end++;
  return end;
}

static gboolean moments_read(const Feed *self, Moments *moments, FeedWork *work, gint64 chunk,
                             void *const *outputs, GError **error) {
  gint64 size = self->fields[self->x].count, total = self->samples[AB_TRAIN];
  for (gint64 first = 0; first < total;) {
    gint64 end = chunk_end(self, first, chunk), count = end - first;
    for (gint64 k = 0; k < count; k++) {
      work->rows[k] = split_row(self, AB_TRAIN, first + k);
      if (work->items) work->items[k] = (FeedItem){work->rows[k], 0, k};
    }
    if (!feed_fetch(self, work, AB_TRAIN, count, outputs, error)) return FALSE;
    if (self->real == AB_F32)
      f32_moments(moments, outputs[self->x], count, size);
    else
      f64_moments(moments, outputs[self->x], count, size);
    first = end;
  }
  return TRUE;
}

static gboolean moments_compute(const Feed *self, Moments *moments, GError **error) {
  gint64 bytes = 1, total = self->samples[AB_TRAIN];
  for (gint i = 0; i < self->field_count; i++) bytes += (gint64)self->fields[i].out_size;
  gint64 chunk = CLAMP(FEED_CHUNK / bytes, 1, total);
  gint64 capacity = self->slab > 1 && self->slab <= chunk ? MIN(chunk + self->slab, total) : chunk;
  FeedWork work;
  if (!work_init(self, &work, capacity, error)) return FALSE;
  g_autofree void **outputs = g_new0(void *, (gsize)self->field_count);
  gboolean fine = TRUE;
  for (gint i = 0; fine && i < self->field_count; i++)
    fine = (outputs[i] =
                feed_buffer(capacity, self->fields[i].out_size, "for statistics", error)) != NULL;
  fine = fine && moments_read(self, moments, &work, chunk, outputs, error);
  for (gint i = 0; i < self->field_count; i++) g_free(outputs[i]);
  work_clear(self, &work);
  return fine;
}

/* ---- from moments to statistics -------------------------------------------------------------- */

static gboolean scale_take(Feed *self, const Moments *moments, GError **error) {
  const FeedPlan *plan = &self->plan;
  double factor = (plan->high - plan->low) / (moments->high - moments->low);
  if (moments->low == moments->high)
    return host_fail(
        error, AB_DATA,
        "x is %.9g in every training sample: there is nothing that data.transform.scale "
        "could spread; leave it out",
        moments->low);
  double offset = plan->low - moments->low * factor;
  if (!(factor > 0) || !isfinite(factor) || !isfinite(offset))
    return host_fail(error, AB_DATA,
                     "x of the training samples, %.9g to %.9g, cannot be scaled in f64;\nleave "
                     "data.transform.scale out",
                     moments->low, moments->high);
  self->scale = g_new(double, 2);
  self->scale[0] = factor;
  self->scale[1] = offset;
  return TRUE;
}

static gboolean standard_take(Feed *self, const Moments *moments, GError **error) {
  gsize size = (gsize)self->fields[self->x].count;
  double factor = self->scale ? self->scale[0] : 1, offset = self->scale ? self->scale[1] : 0;
  double *mean = g_new(double, size), *std = g_new(double, size);
  gboolean fine = TRUE;
  for (gsize i = 0; fine && i < size; i++) {
    mean[i] = moments->mean[i] * factor + offset;
    std[i] = sqrt(moments->m2[i] / (double)moments->samples) * fabs(factor);
    if (std[i] == 0) std[i] = 1;
    fine = isfinite(mean[i]) && isfinite(std[i]);
    if (!fine)
      host_fail(error, AB_DATA,
                "x of the training samples spreads too far in feature %" G_GSIZE_FORMAT
                " (features count from 0) for data.transform.standardise;\nleave it out",
                i);
  }
  if (fine && !self->mean) self->mean = g_steal_pointer(&mean);
  if (fine && !self->std) self->std = g_steal_pointer(&std);
  g_free(mean);
  g_free(std);
  return fine;
}

gboolean statistics_compute(Feed *self, GError **error) {
  gboolean scale = self->plan.scale && !self->scale;
  gboolean standard = self->plan.standardise && (!self->mean || !self->std);
  if (!scale && !standard) return TRUE;
  if (self->samples[AB_TRAIN] == 0)
    return host_fail(error, AB_CONFIG,
                     "%s has no training samples, from which data.transform would take its "
                     "statistics",
                     ab_path(self->data));
  gint64 size = self->fields[self->x].count;
  Moments moments = {.low = INFINITY, .high = -INFINITY};
  g_autofree double *mean = feed_buffer(size, sizeof(double), "for statistics", error);
  if (!mean) return FALSE;
  g_autofree double *m2 = feed_buffer(size, sizeof(double), "for statistics", error);
  if (!m2) return FALSE;
  moments.mean = memset(mean, 0, (gsize)size * sizeof(double));
  moments.m2 = memset(m2, 0, (gsize)size * sizeof(double));
  if (!moments_compute(self, &moments, error)) return FALSE;
  return (!scale || scale_take(self, &moments, error)) &&
         (!standard || standard_take(self, &moments, error));
}

/* ---- given from outside ---------------------------------------------------------------------- */

/* Where a statistic is kept and how many numbers it has; NULL where the transform is off. */
static double **statistic_slot(Feed *self, const char *name, gint64 *count) {
  if (self->x < 0) return NULL; /* of an agent, which has no data */
  gint64 size = self->fields[self->x].count;
  *count = strcmp(name, "scale") == 0 ? 2 : size;
  if (strcmp(name, "scale") == 0) return self->plan.scale ? &self->scale : NULL;
  if (!self->plan.standardise) return NULL;
  if (strcmp(name, "mean") == 0) return &self->mean;
  return strcmp(name, "std") == 0 ? &self->std : NULL;
}

const double *feed_statistic(const Feed *self, const char *name, gint64 *count) {
  gint64 size = 0;
  double **slot = statistic_slot((Feed *)self, name, &size);
  const double *values = slot ? *slot : NULL;
  if (count) *count = values ? size : 0;
  return values;
}

static gboolean statistic_fine(const char *name, const double *values, gint64 count) {
  for (gint64 i = 0; i < count; i++)
    if (!isfinite(values[i]) || (strcmp(name, "std") == 0 && !(values[i] > 0))) return FALSE;
  return strcmp(name, "scale") != 0 || values[0] > 0;
}

gboolean feed_set_statistic(Feed *self, const char *name, const double *values, gint64 count,
                            GError **error) {
  gint64 size = 0;
  double **slot = statistic_slot(self, name, &size);
  if (self->loaded)
    return host_fail(error, AB_INTERNAL, "statistic %s comes after the data was loaded", name);
  if (!slot)
    return host_fail(error, AB_CONFIG,
                     "there is no statistic %s under this data.transform; use the one that the "
                     "statistics were saved with",
                     name);
  if (count != size)
    return host_fail(error, AB_CONFIG,
                     "statistic %s has %" G_GINT64_FORMAT " numbers, but x needs %" G_GINT64_FORMAT
                     "; use the data that it was saved with",
                     name, count, size);
  if (!statistic_fine(name, values, count))
    return host_fail(error, AB_DATA, "statistic %s is damaged: it holds numbers that no data gives",
                     name);
  g_free(*slot);
  *slot = g_memdup2(values, (gsize)count * sizeof(double));
  return TRUE;
}
