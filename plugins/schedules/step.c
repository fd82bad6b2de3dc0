/* SPDX-License-Identifier: Apache-2.0
 *
 * Attenuation by steps:  factor^floor(epoch / every),  epoch counted from 0. */
#include <absdk/absdk.h>
#include <math.h>

typedef struct {
  AbSchedule base;
  double factor;
  int64_t every;
} Step;

static const AbParam params[] = {
    AB_PARAM_REAL(Step, factor, 0.1, 1e-9, 1, "", "What the rate is multiplied with."),
    AB_PARAM_INT(Step, every, 50, 1, 1 << 30, "epochs", "Epochs between attenuations."),
};

static double factor(AbSchedule *self, const AbProgress *progress) {
  const Step *s = (Step *)self;
  return pow(s->factor, (double)(progress->epoch / s->every));
}

static const AbScheduleVtable vtable = {.struct_size = sizeof vtable, .factor = factor};

static const AbComponent step = {
    .struct_size = sizeof step,
    .kind = AB_KIND_SCHEDULE,
    .name = "step",
    .doc = "Attenuates the learning rate by a factor every so many epochs.",
    .citation = "",
    .instance_size = sizeof(Step),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.schedule.step", "0.1.0", "Apache-2.0", &step)
