/* SPDX-License-Identifier: Apache-2.0
 *
 * AdaMax (Kingma & Ba 2015, section 7.1):
 *   m := b1 m + (1 - b1) g,   u := max(b2 u, |g| + epsilon),   w := w - lr m / ((1 - b1^t) u)
 * The paper has no epsilon; its place is that of PyTorch, as are the defaults. */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, beta1, beta2, epsilon;
  AbSchedule *schedule;
} Adamax;

static const AbParam params[] = {
    AB_PARAM_REAL(Adamax, lr, 2e-3, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Adamax, beta1, 0.9, 0, 0.999999, "", "Decay of the mean of the gradient."),
    AB_PARAM_REAL(Adamax, beta2, 0.999, 0, 0.999999, "", "Decay of the largest gradient."),
    AB_PARAM_REAL(Adamax, epsilon, 1e-8, 1e-30, 1, "", "Keeps the quotient finite."),
};
static const AbSlot slots[] = {
    AB_SLOT(Adamax, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL, "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Adamax *o = (Adamax *)self;
  ab_step_adamax(ab_update_weights(u), ab_update_unclipped(u), ab_update_state(u, "first_moment"),
                 ab_update_state(u, "infinity_norm"), ab_update_rate(u, o->lr, o->schedule),
                 o->beta1, o->beta2, o->epsilon, ab_update_count(u));
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent adamax = {
    .struct_size = sizeof adamax,
    .kind = AB_KIND_OPTIMIZER,
    .name = "adamax",
    .doc = "AdaMax: Adam with the largest gradient of late for a scale.",
    .citation = "Kingma, Ba: Adam: a method for stochastic optimization. ICLR 2015.",
    .instance_size = sizeof(Adamax),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.adamax", "0.1.0", "Apache-2.0", &adamax)
