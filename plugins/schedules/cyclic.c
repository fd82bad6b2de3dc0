/* SPDX-License-Identifier: Apache-2.0
 *
 * Triangles (Smith 2017): from `low` up to 1 in `up` steps and down in as many, again and again;
 * `triangular2` halves their height with each cycle. */
#include <absdk/absdk.h>
#include <math.h>

typedef struct {
  AbSchedule base;
  double low;
  int64_t up, mode;
} Cyclic;

static const char *const modes[] = {"triangular", "triangular2", NULL};
static const AbParam params[] = {
    AB_PARAM_REAL(Cyclic, low, 0.1, 0, 1, "", "The lowest."),
    AB_PARAM_INT(Cyclic, up, 2000, 1, 1 << 30, "steps", "From the lowest to the top."),
    AB_PARAM_CHOICE(Cyclic, mode, "triangular", modes, "What becomes of their height."),
};

static double factor(AbSchedule *self, const AbProgress *progress) {
  const Cyclic *s = (const Cyclic *)self;
  int64_t cycle = progress->step / (2 * s->up), at = progress->step % (2 * s->up);
  double height = (double)(at <= s->up ? at : 2 * s->up - at) / (double)s->up;
  if (s->mode == 1) height *= pow(0.5, (double)cycle);
  return s->low + (1 - s->low) * height;
}

static const AbScheduleVtable vtable = {.struct_size = sizeof vtable, .factor = factor};

static const AbComponent cyclic = {
    .struct_size = sizeof cyclic,
    .kind = AB_KIND_SCHEDULE,
    .name = "cyclic",
    .doc = "Up to the learning rate and down again, in cycles.",
    .citation = "Smith: Cyclical learning rates for training neural networks. WACV 2017.",
    .instance_size = sizeof(Cyclic),
    AB_PARAMS(params),

    .vtable = &vtable,
};

AB_PLUGIN("abhost.schedule.cyclic", "0.1.0", "Apache-2.0", &cyclic)
