/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of the data, and what the transforms make of x: shapes, types and ranges.          */
#include "feed-internal.h"

#include <math.h>
#include <string.h>

static gboolean field_take(Feed *self, FeedField *field, AbField declared, GError **error) {
  const AbSpec *spec = &declared.spec;
  field->name = g_strdup(declared.name);
  field->in = field->out = *spec;
  if (spec->rank < 0 || spec->rank >= AB_MAX_RANK)
    return host_fail(error, AB_INTERNAL,
                     "%s: field %s has rank %d; the data component must declare 0 to %d",
                     ab_path(self->data), field->name, spec->rank, AB_MAX_RANK - 1);
  if (spec->range == AB_RANGE_CLASS ? spec->dtype != AB_I64 || spec->classes < 1
                                    : ab_dtype_size(spec->dtype) == 0)
    return host_fail(error, AB_INTERNAL,
                     "%s: field %s is of type %s with %" G_GINT64_FORMAT " classes; the data "
                     "component must declare classes as i64 and at least one",
                     ab_path(self->data), field->name, ab_dtype_name(spec->dtype), spec->classes);
  if (spec->range != AB_RANGE_CLASS) field->out.dtype = self->real;
  field->count = ab_spec_count(spec);
  if (field->count < 0 || field->count > G_GINT64_CONSTANT(1) << 40)
    return host_fail(error, AB_CONFIG, "%s: one sample of field %s is too large",
                     ab_path(self->data), field->name);
  field->in_size = (gsize)field->count * ab_dtype_size(spec->dtype);
  field->out_size = (gsize)field->count * ab_dtype_size(field->out.dtype);
  return TRUE;
}

/* The new shape of x: one -1 stands for what is left over. */
static gboolean plan_reshape(FeedField *x, AbInts wanted, GError **error) {
  if (wanted.count == 0) return TRUE;
  if (wanted.count >= AB_MAX_RANK)
    return host_fail(error, AB_CONFIG,
                     "data.transform.reshape has %" G_GINT64_FORMAT
                     " axes; at most %d are possible",
                     wanted.count, AB_MAX_RANK - 1);
  gint64 known = 1, open = -1;
  gboolean fits = TRUE;
  for (gint64 i = 0; i < wanted.count; i++) {
    gint64 dim = wanted.items[i];
    x->out.shape[i] = dim;
    if (dim == -1 && open < 0)
      open = i;
    else if (dim < 1 || dim > x->count / known)
      fits = FALSE;
    else
      known *= dim;
    if (!fits) break;
  }
  if (fits && open >= 0) x->out.shape[open] = x->count / known;
  fits = fits && x->count % known == 0 && (open >= 0 || known == x->count);
  x->out.rank = (int32_t)wanted.count;
  if (fits) return TRUE;
  g_autoptr(GString) text = g_string_new(NULL);
  for (gint64 i = 0; i < wanted.count; i++)
    g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i ? ", " : "", wanted.items[i]);
  return host_fail(
      error, AB_CONFIG,
      "data.transform.reshape [%s] does not hold the %" G_GINT64_FORMAT " numbers of a "
      "sample of x;\nthe axes must multiply to that (one may be -1: what is left over)",
      text->str, x->count);
}

static gboolean plan_values(FeedPlan *plan, const FeedTransform *transform, GError **error) {
  if (transform->scale.count != 0) {
    const double *bounds = transform->scale.items;
    if (transform->scale.count != 2 || !isfinite(bounds[0]) || !isfinite(bounds[1]) ||
        !(bounds[0] < bounds[1]))
      return host_fail(error, AB_CONFIG,
                       "data.transform.scale must be two numbers, the lower first, as in [0, 1]");
    plan->scale = TRUE;
    plan->low = bounds[0];
    plan->high = bounds[1];
    plan->clip = plan->low == 0 && plan->high == 1;
  }
  plan->standardise = transform->standardise;
  plan->binarise = !isnan(transform->binarise);
  plan->threshold = transform->binarise;
  if (plan->binarise && !isfinite(plan->threshold))
    return host_fail(error, AB_CONFIG, "data.transform.binarise must be a finite number");
  return TRUE;
}

static gboolean plan_augment(FeedPlan *plan, const FeedTransform *transform, const FeedField *x,
                             GError **error) {
  plan->shift = transform->shift;
  plan->flip = transform->flip;
  if (plan->shift < 0)
    return host_fail(error, AB_CONFIG,
                     "data.transform.shift is %" G_GINT64_FORMAT "; it must be 0 or more pixels",
                     plan->shift);
  if (plan->shift == 0 && !plan->flip) return TRUE;
  gint32 rank = x->out.rank;
  char text[200];
  AbShape shape = {.rank = rank};
  memcpy(shape.dims, x->out.shape, sizeof shape.dims);
  ab_shape_text(shape, text, sizeof text);
  if (rank != 2 && rank != 3)
    return host_fail(
        error, AB_CONFIG,
        "data.transform.shift and flip are for images, but a sample of x has the shape %s;\nreshape "
        "it to [height, width] or [channels, height, width], or leave it out",
        text);
  if (plan->shift >= x->out.shape[rank - 2] || plan->shift >= x->out.shape[rank - 1])
    return host_fail(error, AB_CONFIG,
                     "data.transform.shift is up to %" G_GINT64_FORMAT
                     " pixels, which is the whole "
                     "of an image of x %s; shift by less",
                     plan->shift, text);
  return TRUE;
}

/* After all that sets the range. */
static gboolean plan_draw(FeedPlan *plan, const FeedTransform *transform, AbSpec *out,
                          GError **error) {
  plan->draw = transform->draw;
  if (!plan->draw) return TRUE;
  if (plan->binarise)
    return host_fail(error, AB_CONFIG,
                     "data.transform.draw has nothing to draw where binarise leaves 0 and 1; leave "
                     "one of them out");
  if (!ab_spec_is_unit(out))
    return host_fail(
        error, AB_CONFIG,
        "data.transform.draw takes x for probabilities, and x is not from 0 to 1;\nadd "
        "data.transform.scale: [0, 1], or leave draw out");
  out->range = AB_RANGE_BINARY;
  return TRUE;
}

static void plan_range(const FeedPlan *plan, AbSpec *out) {
  if (plan->scale) out->range = plan->clip ? AB_RANGE_UNIT : AB_RANGE_REAL;
  if (plan->standardise) out->range = AB_RANGE_REAL;
  if (plan->binarise) out->range = AB_RANGE_BINARY;
}

static gboolean plan_init(Feed *self, const FeedTransform *transform, GError **error) {
  FeedPlan *plan = &self->plan;
  FeedField *x = &self->fields[self->x];
  if (!transform) return TRUE;
  if (!plan_reshape(x, transform->reshape, error)) return FALSE;
  if (!plan_values(plan, transform, error)) return FALSE;
  if (!plan_augment(plan, transform, x, error)) return FALSE;
  gboolean changes =
      plan->scale || plan->standardise || plan->binarise || plan->draw || plan->shift || plan->flip;
  if (changes && x->out.range == AB_RANGE_CLASS)
    return host_fail(error, AB_CONFIG,
                     "x holds classes: of data.transform only reshape applies to it");
  plan_range(plan, &x->out);
  return plan_draw(plan, transform, &x->out, error);
}

gboolean fields_init(Feed *self, const FeedTransform *transform, GError **error) {
  self->field_count = ab_data_field_count(self->data);
  self->fields = g_new0(FeedField, MAX(self->field_count, 1));
  self->x = -1;
  for (gint i = 0; i < self->field_count; i++) {
    if (!field_take(self, &self->fields[i], ab_data_field_at(self->data, i), error)) return FALSE;
    if (strcmp(self->fields[i].name, "x") == 0) self->x = i;
  }
  if (self->x < 0 || self->fields[self->x].count == 0)
    return host_fail(error, AB_CONFIG, "%s has no field x with numbers in it, which models see",
                     ab_path(self->data));
  if (!plan_init(self, transform, error)) return FALSE;
  for (gint i = 0; i < self->field_count; i++) {
    self->fields[i].as_x = i == self->x || ab_data_is_another_x(self->data, i);
    if (self->fields[i].as_x) self->fields[i].out = self->fields[self->x].out;
  }
  return TRUE;
}

void fields_clear(Feed *self) {
  for (gint i = 0; self->fields && i < self->field_count; i++) g_free(self->fields[i].name);
  g_clear_pointer(&self->fields, g_free);
}
