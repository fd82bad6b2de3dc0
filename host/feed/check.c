/* SPDX-License-Identifier: Apache-2.0
 *
 * Values that no model should meet: NaN, infinities, labels and values outside what the data
 * declares. Every batch takes a fast pass without branches; only where that finds something, a
 * second one looks for the place.                                                               */
#include "feed-internal.h"

#include <math.h>
#include <string.h>

/* ---- the fast pass --------------------------------------------------------------------------- */

static gboolean f32_finite(const float *values, gint64 count) {
  guint32 bad = 0;
  for (gint64 i = 0; i < count; i++) {
    guint32 bits;
    memcpy(&bits, &values[i], sizeof bits);
    bad |= (bits & 0x7f800000u) == 0x7f800000u;
  }
  return !bad;
}

static gboolean f64_finite(const double *values, gint64 count) {
  const guint64 exponent = G_GUINT64_CONSTANT(0x7ff0000000000000);
  guint64 bad = 0;
  for (gint64 i = 0; i < count; i++) {
    guint64 bits;
    memcpy(&bits, &values[i], sizeof bits);
    bad |= (bits & exponent) == exponent;
  }
  return !bad;
}

#define DEFINE_IN_RANGE(Type, name)                                                    \
  static gboolean name(const Type *values, gint64 count, AbRange range) {              \
    gint bad = 0;                                                                      \
    if (range == AB_RANGE_UNIT)                                                        \
      for (gint64 i = 0; i < count; i++) bad |= !(values[i] >= 0) | !(values[i] <= 1); \
    else if (range == AB_RANGE_BINARY)                                                 \
      for (gint64 i = 0; i < count; i++) bad |= (values[i] != 0) & (values[i] != 1);   \
    return !bad;                                                                       \
  }
DEFINE_IN_RANGE(float, f32_in_range)
DEFINE_IN_RANGE(double, f64_in_range)

static gboolean reals_fine(AbDtype type, const void *values, gint64 count, AbRange range) {
  return type == AB_F32 ? f32_finite(values, count) && f32_in_range(values, count, range)
                        : f64_finite(values, count) && f64_in_range(values, count, range);
}

static gboolean classes_fine(const gint64 *values, gint64 count, gint64 classes) {
  gint bad = 0;
  for (gint64 i = 0; i < count; i++) bad |= (guint64)values[i] >= (guint64)classes;
  return !bad;
}

/* ---- the place ------------------------------------------------------------------------------- */

static gboolean element_fine(const AbSpec *spec, AbRange range, const void *values, gint64 i) {
  if (spec->dtype == AB_I64) return classes_fine((const gint64 *)values + i, 1, spec->classes);
  return spec->dtype == AB_F32 ? reals_fine(AB_F32, (const float *)values + i, 1, range)
                               : reals_fine(AB_F64, (const double *)values + i, 1, range);
}

/* The first bad element of the first bad sample. */
static gint64 locate(const AbSpec *spec, AbRange range, const void *values, gint64 count) {
  gint64 i = 0;
  while (i < count - 1 && element_fine(spec, range, values, i)) i++;
  return i;
}

typedef struct {
  char sample[512];  /* "x of heart.csv:17" */
  char feature[160]; /* " (feature 3)" */
} Place;

static Place place_of(const Feed *self, const FeedField *field, AbSplit source, const gint64 *rows,
                      gint64 element) {
  Place place = {"", ""};
  char text[400] = "";
  ab_data_place(self->data, source, rows[element / field->count], text, sizeof text);
  text[sizeof text - 1] = '\0';
  g_snprintf(place.sample, sizeof place.sample, "%.80s of %s", field->name, text);
  if (field->count > 1)
    g_snprintf(place.feature, sizeof place.feature, " (feature %" G_GINT64_FORMAT ")",
               element % field->count);
  return place;
}

static gboolean fail_class(const FeedField *field, const Place *place, gint64 value,
                           GError **error) {
  gint64 classes = field->in.classes;
  return host_fail(error, AB_DATA,
                   "%s is %" G_GINT64_FORMAT "%s, outside 0..%" G_GINT64_FORMAT
                   " (%" G_GINT64_FORMAT
                   " classes);\ncorrect the label, or have the data declare more classes",
                   place->sample, value, place->feature, classes - 1, classes);
}

static gboolean fail_real(const FeedField *field, const Place *place, double value,
                          GError **error) {
  if (isnan(value))
    return host_fail(error, AB_DATA,
                     "%s is NaN%s; a missing value is not a number to learn from:\nfill it in or "
                     "leave the sample out (features count from 0)",
                     place->sample, place->feature);
  if (isinf(value)) {
    gboolean narrowed = field->out.dtype == AB_F32 && field->in.dtype == AB_F64;
    return host_fail(error, AB_DATA,
                     "%s is %sInf%s%s;\ncorrect it or leave the sample out (features count from 0)",
                     place->sample, value < 0 ? "-" : "", place->feature,
                     narrowed ? ", or too large for f32" : "");
  }
  gboolean binary = field->in.range == AB_RANGE_BINARY;
  return host_fail(error, AB_DATA,
                   "%s is %.9g%s, but the data declares values %s;\ncorrect it, or have the data "
                   "declare real values and use data.transform.%s",
                   place->sample, value, place->feature, binary ? "0 or 1" : "from 0 to 1",
                   binary ? "binarise" : "scale");
}

gboolean check_values(const Feed *self, const FeedField *field, const void *values, AbSplit source,
                      const gint64 *rows, gint64 count, GError **error) {
  const AbSpec *out = &field->out;
  AbRange range = field->in.range;
  gint64 total = count * field->count;
  gboolean class = range == AB_RANGE_CLASS;
  if (class ? classes_fine(values, total, field->in.classes)
            : reals_fine(out->dtype, values, total, range))
    return TRUE;
  gint64 i = locate(out, range, values, total);
  Place place = place_of(self, field, source, rows, i);
  if (class) return fail_class(field, &place, ((const gint64 *)values)[i], error);
  double value =
      out->dtype == AB_F32 ? (double)((const float *)values)[i] : ((const double *)values)[i];
  return fail_real(field, &place, value, error);
}

gboolean check_transformed(const Feed *self, const void *values, AbSplit source, const gint64 *rows,
                           gint64 count, GError **error) {
  const FeedField *x = &self->fields[self->x];
  if (!self->plan.scale && !self->plan.standardise) return TRUE;
  if (reals_fine(self->real, values, count * x->count, AB_RANGE_REAL)) return TRUE;
  gint64 i = locate(&x->out, AB_RANGE_REAL, values, count * x->count);
  Place place = place_of(self, x, source, rows, i);
  return host_fail(error, AB_DATA,
                   "%s lies so far from the training samples%s that data.transform makes it "
                   "infinite;\ncorrect it or leave the sample out",
                   place.sample, place.feature);
}
