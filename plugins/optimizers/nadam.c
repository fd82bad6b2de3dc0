/* SPDX-License-Identifier: Apache-2.0
 *
 * Nadam (Dozat 2016), Adam with Nesterov's momentum, which grows towards b1:
 *   c_t = b1 (1 - 0.96^(0.004 t) / 2),   C_t = c_1 ... c_t,   m, s as in Adam
 *   w := w - lr (c_(t+1) m / (1 - C_(t+1)) + (1 - c_t) g / (1 - C_t)) / (sqrt(s^) + epsilon)
 * Defaults are those of PyTorch. */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, beta1, beta2, epsilon;
  AbSchedule *schedule;
} Nadam;

static const AbParam params[] = {
    AB_PARAM_REAL(Nadam, lr, 2e-3, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Nadam, beta1, 0.9, 0, 0.999999, "", "Decay of the mean of the gradient."),
    AB_PARAM_REAL(Nadam, beta2, 0.999, 0, 0.999999, "", "Decay of the mean of its square."),
    AB_PARAM_REAL(Nadam, epsilon, 1e-8, 1e-30, 1, "", "Keeps the quotient finite."),
};
static const AbSlot slots[] = {
    AB_SLOT(Nadam, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL, "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Nadam *o = (Nadam *)self;
  ab_step_nadam(ab_update_weights(u), ab_update_unclipped(u), ab_update_state(u, "first_moment"),
                ab_update_state(u, "second_moment"), ab_update_rate(u, o->lr, o->schedule),
                o->beta1, o->beta2, o->epsilon, ab_update_count(u));
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent nadam = {
    .struct_size = sizeof nadam,
    .kind = AB_KIND_OPTIMIZER,
    .name = "nadam",
    .doc = "Nadam: Adam with Nesterov's momentum.",
    .citation = "Dozat: Incorporating Nesterov momentum into Adam. ICLR workshop 2016.",
    .instance_size = sizeof(Nadam),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.nadam", "0.1.0", "Apache-2.0", &nadam)
