/* SPDX-License-Identifier: Apache-2.0
 *
 * Lion (Chen et al. 2023): the sign of a mean, with decoupled decay:
 *   c = b1 m + (1 - b1) g,   m := b2 m + (1 - b2) g,   w := (1 - lr decay) w - lr sign(c) */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, beta1, beta2, decay;
  AbSchedule *schedule;
} Lion;

static const AbParam params[] = {
    AB_PARAM_REAL(Lion, lr, 1e-4, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Lion, beta1, 0.9, 0, 0.999999, "", "Share of the mean in the direction."),
    AB_PARAM_REAL(Lion, beta2, 0.99, 0, 0.999999, "", "Decay of the mean of the gradient."),
    AB_PARAM_REAL(Lion, decay, 0, 0, 1e6, "", "Of the weights, times the learning rate."),
};
static const AbSlot slots[] = {
    AB_SLOT(Lion, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL, "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Lion *o = (Lion *)self;
  ab_step_lion(ab_update_weights(u), ab_update_unclipped(u), ab_update_state(u, "first_moment"),
               ab_update_rate(u, o->lr, o->schedule), o->beta1, o->beta2, o->decay);
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent lion = {
    .struct_size = sizeof lion,
    .kind = AB_KIND_OPTIMIZER,
    .name = "lion",
    .doc = "Lion: steps of one size, along the sign of a mean of the gradient.",
    .citation = "Chen et al.: Symbolic discovery of optimization algorithms. NeurIPS 2023.",
    .instance_size = sizeof(Lion),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.lion", "0.1.0", "Apache-2.0", &lion)
