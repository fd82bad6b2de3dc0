/* SPDX-License-Identifier: Apache-2.0
 *
 * Half a cosine, from 1 down to `minimum`, and again from the top ("warm restarts"): in a period of
 * T epochs, t of which have passed,
 *   minimum + (1 - minimum) (1 + cos(pi t / T)) / 2,   each T being `multiply` times the last */
#include <absdk/absdk.h>
#include <math.h>

typedef struct {
  AbSchedule base;
  int64_t period, multiply, per;
  double minimum;
} Cosine;

static const char *const units[] = {"step", "epoch", NULL};
static const AbParam params[] = {
    AB_PARAM_INT(Cosine, period, 0, 0, 1 << 30, "epochs", "The first; 0: all epochs."),
    AB_PARAM_INT(Cosine, multiply, 1, 1, 1 << 20, "", "Growth of the period."),
    AB_PARAM_REAL(Cosine, minimum, 0, 0, 1, "", "Where it ends."),
    AB_PARAM_CHOICE(Cosine, per, "step", units, "When the rate changes."),
};

/* Epochs so far, with the part of the one under way where every step counts. */
static double now(const Cosine *s, const AbProgress *p) {
  return s->per == 0 ? (double)p->step / (double)p->steps_per_epoch : (double)p->epoch;
}

static double factor(AbSchedule *self, const AbProgress *progress) {
  const Cosine *s = (const Cosine *)self;
  double t = now(s, progress), period = (double)(s->period ? s->period : progress->epochs);
  if (s->multiply == 1) {
    t = fmod(t, period);
  } else {
    for (; t >= period; period *= (double)s->multiply) t -= period;
  }
  return s->minimum + (1 - s->minimum) * (1 + cos(3.14159265358979323846 * t / period)) / 2;
}

static const AbScheduleVtable vtable = {.struct_size = sizeof vtable, .factor = factor};

static const AbComponent cosine = {
    .struct_size = sizeof cosine,
    .kind = AB_KIND_SCHEDULE,
    .name = "cosine",
    .doc = "Lets the learning rate down along half a cosine, again and again.",
    .citation =
        "Loshchilov, Hutter: SGDR: stochastic gradient descent with warm restarts. ICLR 2017.",
    .instance_size = sizeof(Cosine),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.schedule.cosine", "0.1.0", "Apache-2.0", &cosine)
