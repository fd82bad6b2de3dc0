/* SPDX-License-Identifier: Apache-2.0
 *
 * Down to `minimum` at the end of the run, t of its T epochs having passed:
 *   minimum + (1 - minimum) (1 - t / T)^power;   power 1: a straight line */
#include <absdk/absdk.h>
#include <math.h>

typedef struct {
  AbSchedule base;
  double power, minimum;
  int64_t period, per;
} Polynomial;

static const char *const units[] = {"step", "epoch", NULL};
static const AbParam params[] = {
    AB_PARAM_REAL(Polynomial, power, 1, 0, 100, "", "1: a straight line."),
    AB_PARAM_INT(Polynomial, period, 0, 0, 1 << 30, "epochs", "T; 0: all epochs."),
    AB_PARAM_REAL(Polynomial, minimum, 0, 0, 1, "", "Where it ends."),
    AB_PARAM_CHOICE(Polynomial, per, "step", units, "When the rate changes."),
};

/* Epochs so far, with the part of the one under way where every step counts. */
static double now(const Polynomial *s, const AbProgress *p) {
  return s->per == 0 ? (double)p->step / (double)p->steps_per_epoch : (double)p->epoch;
}

static double factor(AbSchedule *self, const AbProgress *progress) {
  const Polynomial *s = (const Polynomial *)self;
  double period = (double)(s->period ? s->period : progress->epochs);
  double left = fmax(0, 1 - now(s, progress) / period);
  return s->minimum + (1 - s->minimum) * pow(left, s->power);
}

static const AbScheduleVtable vtable = {.struct_size = sizeof vtable, .factor = factor};

static const AbComponent polynomial = {
    .struct_size = sizeof polynomial,
    .kind = AB_KIND_SCHEDULE,
    .name = "polynomial",
    .doc = "Lets the learning rate down along a power of the time left.",
    .citation = "",
    .instance_size = sizeof(Polynomial),
    AB_PARAMS(params),

    .vtable = &vtable,
};

AB_PLUGIN("abhost.schedule.polynomial", "0.1.0", "Apache-2.0", &polynomial)
