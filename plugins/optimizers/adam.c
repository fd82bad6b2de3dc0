/* SPDX-License-Identifier: Apache-2.0
 *
 * Adam (Kingma & Ba 2015):
 *   m := b1 m + (1 - b1) g,   s := b2 s + (1 - b2) g^2
 *   w := w - lr m^ / (sqrt(s^) + epsilon),   m^ = m / (1 - b1^t),  s^ = s / (1 - b2^t) */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, beta1, beta2, epsilon;
  AbSchedule *schedule;
} Adam;

static const AbParam params[] = {
    AB_PARAM_REAL(Adam, lr, 1e-3, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Adam, beta1, 0.9, 0, 0.999999, "", "Decay of the mean of the gradient."),
    AB_PARAM_REAL(Adam, beta2, 0.999, 0, 0.999999, "", "Decay of the mean of its square."),
    AB_PARAM_REAL(Adam, epsilon, 1e-8, 1e-30, 1, "", "Keeps the quotient finite."),
};
static const AbSlot slots[] = {
    AB_SLOT(Adam, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL, "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Adam *o = (Adam *)self;
  ab_step_adam(ab_update_weights(u), ab_update_unclipped(u), ab_update_state(u, "first_moment"),
               ab_update_state(u, "second_moment"), ab_update_rate(u, o->lr, o->schedule), o->beta1,
               o->beta2, o->epsilon, ab_update_count(u));
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent adam = {
    .struct_size = sizeof adam,
    .kind = AB_KIND_OPTIMIZER,
    .name = "adam",
    .doc = "Adam: steps scaled by running moments of the gradient.",
    .citation = "Kingma, Ba: Adam: a method for stochastic optimization. ICLR 2015.",
    .instance_size = sizeof(Adam),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .default_for = AB_ANY_ROLE,
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.adam", "0.1.0", "Apache-2.0", &adam)
