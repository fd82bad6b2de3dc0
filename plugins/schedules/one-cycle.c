/* SPDX-License-Identifier: Apache-2.0
 *
 * One cycle (Smith & Topin 2018): up from 1 / `divide` to 1 in the share `rise` of all steps, then
 * down to 1 / (divide * divide_last), along half a cosine each (as PyTorch has it). The momentum,
 * which the paper lets go the other way, stays. */
#include <absdk/absdk.h>
#include <math.h>

typedef struct {
  AbSchedule base;
  double rise, divide, divide_last;
} OneCycle;

static const AbParam params[] = {
    AB_PARAM_REAL(OneCycle, rise, 0.3, 0, 1, "", "Share of the steps that goes up."),
    AB_PARAM_REAL(OneCycle, divide, 25, 1, 1e9, "", "The rate over that of the first step."),
    AB_PARAM_REAL(OneCycle, divide_last, 1e4, 1, 1e12, "", "The first rate over the last."),
};

/* From a to b as `share` goes from 0 to 1. */
static double along(double a, double b, double share) {
  return b + (a - b) * (1 + cos(3.14159265358979323846 * share)) / 2;
}

static double factor(AbSchedule *self, const AbProgress *progress) {
  const OneCycle *s = (const OneCycle *)self;
  double all = (double)(progress->epochs * progress->steps_per_epoch);
  double step = fmin((double)progress->step, all - 1), top = fmax(0, s->rise * all - 1);
  double low = 1 / s->divide, last = low / s->divide_last;
  if (step <= top && top > 0) return along(low, 1, step / top);
  return along(1, last, all - 1 > top ? (step - top) / (all - 1 - top) : 1);
}

static const AbScheduleVtable vtable = {.struct_size = sizeof vtable, .factor = factor};

static const AbComponent one_cycle = {
    .struct_size = sizeof one_cycle,
    .kind = AB_KIND_SCHEDULE,
    .name = "one-cycle",
    .doc = "Up to the learning rate and down again, once in the run.",
    .citation = "Smith, Topin: Super-convergence. 2018; Smith: A disciplined approach. 2018.",
    .instance_size = sizeof(OneCycle),
    AB_PARAMS(params),

    .vtable = &vtable,
};

AB_PLUGIN("abhost.schedule.one-cycle", "0.1.0", "Apache-2.0", &one_cycle)
