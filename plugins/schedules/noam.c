/* SPDX-License-Identifier: Apache-2.0
 *
 * The schedule of the Transformer (Vaswani et al. 2017, section 5.3), step counted from 1:
 *   width^-0.5 min(step^-0.5, step warm_up^-1.5);   to be used with a learning rate of 1 */
#include <absdk/absdk.h>
#include <math.h>

typedef struct {
  AbSchedule base;
  int64_t width, warm_up;
} Noam;

static const AbParam params[] = {
    AB_PARAM_INT(Noam, width, 512, 1, 1 << 30, "units", "Of the model."),
    AB_PARAM_INT(Noam, warm_up, 4000, 1, 1 << 30, "steps", "Until the top."),
};

static double factor(AbSchedule *self, const AbProgress *progress) {
  const Noam *s = (const Noam *)self;
  double step = (double)progress->step + 1, warm_up = (double)s->warm_up;
  return fmin(1 / sqrt(step), step / (warm_up * sqrt(warm_up))) / sqrt((double)s->width);
}

static const AbScheduleVtable vtable = {.struct_size = sizeof vtable, .factor = factor};

static const AbComponent noam = {
    .struct_size = sizeof noam,
    .kind = AB_KIND_SCHEDULE,
    .name = "noam",
    .doc = "Up in a line, then down with the root of the steps.",
    .citation = "Vaswani et al.: Attention is all you need. NIPS 2017.",
    .instance_size = sizeof(Noam),
    AB_PARAMS(params),

    .vtable = &vtable,
};

AB_PLUGIN("abhost.schedule.noam", "0.1.0", "Apache-2.0", &noam)
