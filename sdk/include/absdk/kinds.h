/* SPDX-License-Identifier: Apache-2.0
 *
 * The interfaces of the small kinds: noise, loss, regularizer, schedule, metric. In each table a
 * NULL means "not offered" where the comment says optional.                                     */
#ifndef ABSDK_KINDS_H
#define ABSDK_KINDS_H

#include "component.h"

AB_BEGIN_DECLS

/* Noise alters the training input only; the target stays clean. */
typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  AbTensor *(*corrupt)(AbNoise *self, AbTensor *x); /* x [n, ...] -> the same shape */
} AbNoiseVtable;

typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  /* Optional: reports (ab_fail, AB_CONFIG) an output or target that the loss cannot take, before
   * any training.                                                                               */
  void (*check)(AbLoss *self, const AbSpec *output, const AbSpec *target);
  /* A scalar: the mean over the batch. output [n, ...], target [n, ...]. */
  AbTensor *(*loss)(AbLoss *self, AbTensor *output, AbTensor *target);
} AbLossVtable;

/* For controllers: the component at work is set, and what comes back is checked. */
AB_EXPORT AbTensor *ab_noise_corrupt(AbNoise *noise, AbTensor *x);
AB_EXPORT void ab_loss_check(AbLoss *loss, const AbSpec *output, const AbSpec *target);
AB_EXPORT AbTensor *ab_loss_value(AbLoss *loss, AbTensor *output, AbTensor *target);

/* Applied to every weight of rank 2 and more (biases are left alone). */
typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  AbTensor *(*penalty)(AbRegularizer *self, AbTensor *weight); /* optional: a scalar, added */
  void (*project)(AbRegularizer *self, AbTensor *weight);      /* optional: after the step  */
} AbRegularizerVtable;

typedef struct {
  int64_t epoch, epochs;         /* epoch from 0 */
  int64_t step, steps_per_epoch; /* step from 0 over the whole run */
} AbProgress;
typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  double (*factor)(AbSchedule *self, const AbProgress *progress); /* of the learning rate */
} AbScheduleVtable;
/* What a schedule says of a moment; NULL: 1. For schedules that hold another. */
AB_EXPORT double ab_schedule_factor(AbSchedule *schedule, const AbProgress *progress);

enum {
  AB_HIGHER_IS_BETTER = 1, /* else lower is better */
};
typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  void (*check)(AbMetric *self, const AbSpec *output, const AbSpec *target); /* optional */
  void (*reset)(AbMetric *self);
  void (*update)(AbMetric *self, AbTensor *output, AbTensor *target); /* one batch */
  double (*value)(AbMetric *self);                                    /* of all since reset */
  /* Optional: after `reset`, the model that is evaluated, for what its outputs do not say (a
   * normaliser); NULL where there is none. It may be called in any role until `value` has been.  */
  void (*begin)(AbMetric *self, AbModel *model);
} AbMetricVtable;

AB_END_DECLS

#endif
