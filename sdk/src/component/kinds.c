/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls into the small kinds: the component at work is set, and what comes back is checked. */
#include "../internal.h"

AbTensor *ab_noise_corrupt(AbNoise *self, AbTensor *x) {
  const AbNoiseVtable *t = self->component->vtable;
  if (!x) return NULL;
  AbInstance *before = ab_enter(self);
  AbTensor *y = t->corrupt(self, x);
  if (y && !ab_same_shape(x, y)) {
    char a[220], b[220];
    ab_fail(self, AB_INTERNAL, "it made %s of %s", ab_tensor_text(y, a, sizeof a),
            ab_tensor_text(x, b, sizeof b));
    y = NULL;
  }
  ab_leave(self->state->ctx, before);
  return y;
}

void ab_loss_check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  const AbLossVtable *t = self->component->vtable;
  if (AB_OFFERS(t, AbLossVtable, check)) t->check(self, output, target);
}

/* Numbers are compared one by one: broadcasting would hide a mistake. Classes have a shape of their
 * own.                                                                                          */
static bool comparable(AbInstance *self, const AbTensor *output, const AbTensor *target) {
  bool numbers = target->dtype == AB_F32 || target->dtype == AB_F64;
  if (!numbers || ab_same_shape(output, target)) return true;
  char a[220], b[220];
  ab_fail(self, AB_CONFIG, "an output of %s and a target of %s differ in shape",
          ab_shape_text(ab_shape(output), a, sizeof a),
          ab_shape_text(ab_shape(target), b, sizeof b));
  return false;
}

AbTensor *ab_loss_value(AbLoss *self, AbTensor *output, AbTensor *target) {
  const AbLossVtable *t = self->component->vtable;
  if (!output || !target || !comparable(self, output, target)) return NULL;
  AbInstance *before = ab_enter(self);
  AbTensor *value = t->loss(self, output, target);
  if (value && value->rank != 0) {
    char text[220];
    ab_fail(self, AB_INTERNAL, "a loss is a scalar, not %s",
            ab_tensor_text(value, text, sizeof text));
    value = NULL;
  }
  ab_leave(self->state->ctx, before);
  return value;
}

void ab_metric_check(AbMetric *self, const AbSpec *output, const AbSpec *target) {
  const AbMetricVtable *t = self->component->vtable;
  if (AB_OFFERS(t, AbMetricVtable, check)) t->check(self, output, target);
}

void ab_metric_begin(AbMetric *self, AbModel *model) {
  const AbMetricVtable *t = self->component->vtable;
  t->reset(self);
  if (AB_OFFERS(t, AbMetricVtable, begin)) t->begin(self, model);
}

void ab_metric_update(AbMetric *self, AbTensor *output, AbTensor *target) {
  if (!output || !target || !comparable(self, output, target)) return;
  AbInstance *before = ab_enter(self);
  ((const AbMetricVtable *)self->component->vtable)->update(self, output, target);
  ab_leave(self->state->ctx, before);
}

double ab_metric_value(AbMetric *self) {
  AbInstance *before = ab_enter(self);
  double value = ((const AbMetricVtable *)self->component->vtable)->value(self);
  ab_leave(self->state->ctx, before);
  return value;
}

bool ab_metric_higher_is_better(const AbMetric *self) {
  return ((const AbMetricVtable *)self->component->vtable)->flags & AB_HIGHER_IS_BETTER;
}
