/* SPDX-License-Identifier: Apache-2.0
 *
 * From `start` to 1 in a line over the first epochs (or steps), then a schedule of one's own, which
 * sees a run that begins there (Goyal et al. 2017):
 *   start + (1 - start) step / W,   W the steps of the warm-up */
#include <absdk/absdk.h>
#include <math.h>

typedef struct {
  AbSchedule base;
  int64_t epochs, steps;
  double start;
  AbSchedule *schedule;
} WarmUp;

static const AbParam params[] = {
    AB_PARAM_INT(WarmUp, epochs, 5, 0, 1 << 30, "epochs", "Of the warm-up."),
    AB_PARAM_INT(WarmUp, steps, 0, 0, 1 << 30, "steps", "Of the warm-up; 0: by epochs."),
    AB_PARAM_REAL(WarmUp, start, 0.1, 0, 1, "", "Where it begins."),
};
static const AbSlot slots[] = {
    AB_SLOT(WarmUp, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL, "What follows."),
};
static double factor(AbSchedule *self, const AbProgress *progress) {
  const WarmUp *s = (const WarmUp *)self;
  int64_t warm = s->steps ? s->steps : s->epochs * progress->steps_per_epoch;
  if (progress->step < warm)
    return s->start + (1 - s->start) * (double)progress->step / (double)warm;
  AbProgress rest = *progress;
  rest.step -= warm;
  rest.epoch = rest.step / rest.steps_per_epoch;
  rest.epochs -= warm / rest.steps_per_epoch;
  if (rest.epochs < 1) rest.epochs = 1;
  return ab_schedule_factor(s->schedule, &rest);
}

static const AbScheduleVtable vtable = {.struct_size = sizeof vtable, .factor = factor};

static const AbComponent warm_up = {
    .struct_size = sizeof warm_up,
    .kind = AB_KIND_SCHEDULE,
    .name = "warm-up",
    .doc = "Begins with a small learning rate; then another schedule.",
    .citation = "Goyal et al.: Accurate, large minibatch SGD. 2017.",
    .instance_size = sizeof(WarmUp),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.schedule.warm-up", "0.1.0", "Apache-2.0", &warm_up)
