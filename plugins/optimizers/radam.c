/* SPDX-License-Identifier: Apache-2.0
 *
 * RAdam (Liu et al. 2020): Adam without its scale while too few gradients have been seen for it,
 * and later with a scale that makes good for its variance; the equations are at ab_step_radam.
 * Defaults are those of PyTorch. */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, beta1, beta2, epsilon;
  AbSchedule *schedule;
} Radam;

static const AbParam params[] = {
    AB_PARAM_REAL(Radam, lr, 1e-3, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Radam, beta1, 0.9, 0, 0.999999, "", "Decay of the mean of the gradient."),
    AB_PARAM_REAL(Radam, beta2, 0.999, 0, 0.999999, "", "Decay of the mean of its square."),
    AB_PARAM_REAL(Radam, epsilon, 1e-8, 1e-30, 1, "", "Keeps the quotient finite."),
};
static const AbSlot slots[] = {
    AB_SLOT(Radam, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL, "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Radam *o = (Radam *)self;
  ab_step_radam(ab_update_weights(u), ab_update_unclipped(u), ab_update_state(u, "first_moment"),
                ab_update_state(u, "second_moment"), ab_update_rate(u, o->lr, o->schedule),
                o->beta1, o->beta2, o->epsilon, ab_update_count(u));
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent radam = {
    .struct_size = sizeof radam,
    .kind = AB_KIND_OPTIMIZER,
    .name = "radam",
    .doc = "RAdam: Adam that warms up by itself.",
    .citation = "Liu et al.: On the variance of the adaptive learning rate and beyond. ICLR 2020.",
    .instance_size = sizeof(Radam),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.radam", "0.1.0", "Apache-2.0", &radam)
