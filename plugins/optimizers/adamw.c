/* SPDX-License-Identifier: Apache-2.0
 *
 * AdamW (Loshchilov & Hutter 2019): Adam after  w := (1 - lr decay) w,  so that decay does not pass
 * through the moments. All weights decay, biases too (the regularizer weight-decay spares those).
 * Defaults are those of PyTorch. */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, beta1, beta2, epsilon, decay;
  AbSchedule *schedule;
} Adamw;

static const AbParam params[] = {
    AB_PARAM_REAL(Adamw, lr, 1e-3, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Adamw, beta1, 0.9, 0, 0.999999, "", "Decay of the mean of the gradient."),
    AB_PARAM_REAL(Adamw, beta2, 0.999, 0, 0.999999, "", "Decay of the mean of its square."),
    AB_PARAM_REAL(Adamw, epsilon, 1e-8, 1e-30, 1, "", "Keeps the quotient finite."),
    AB_PARAM_REAL(Adamw, decay, 0.01, 0, 1e6, "", "Of the weights, times the learning rate."),
};
static const AbSlot slots[] = {
    AB_SLOT(Adamw, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL, "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Adamw *o = (Adamw *)self;
  ab_step_adamw(ab_update_weights(u), ab_update_unclipped(u), ab_update_state(u, "first_moment"),
                ab_update_state(u, "second_moment"), ab_update_rate(u, o->lr, o->schedule),
                o->beta1, o->beta2, o->epsilon, o->decay, ab_update_count(u));
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent adamw = {
    .struct_size = sizeof adamw,
    .kind = AB_KIND_OPTIMIZER,
    .name = "adamw",
    .doc = "AdamW: Adam with decoupled weight decay.",
    .citation = "Loshchilov, Hutter: Decoupled weight decay regularization. ICLR 2019.",
    .instance_size = sizeof(Adamw),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.adamw", "0.1.0", "Apache-2.0", &adamw)
