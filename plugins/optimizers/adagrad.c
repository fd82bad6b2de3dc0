/* SPDX-License-Identifier: Apache-2.0
 *
 * AdaGrad (Duchi, Hazan, Singer 2011):
 *   s := s + g^2,   w := w - lr g / (sqrt(s) + epsilon)
 * Defaults are those of PyTorch. */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, epsilon;
  AbSchedule *schedule;
} Adagrad;

static const AbParam params[] = {
    AB_PARAM_REAL(Adagrad, lr, 1e-2, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Adagrad, epsilon, 1e-10, 1e-30, 1, "", "Keeps the quotient finite."),
};
static const AbSlot slots[] = {
    AB_SLOT(Adagrad, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL,
            "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Adagrad *o = (Adagrad *)self;
  ab_step_adagrad(ab_update_weights(u), ab_update_unclipped(u), ab_update_state(u, "sum"),
                  ab_update_rate(u, o->lr, o->schedule), o->epsilon);
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent adagrad = {
    .struct_size = sizeof adagrad,
    .kind = AB_KIND_OPTIMIZER,
    .name = "adagrad",
    .doc = "AdaGrad: steps scaled by the sum of all squared gradients.",
    .citation = "Duchi, Hazan, Singer: Adaptive subgradient methods. JMLR 12, 2011.",
    .instance_size = sizeof(Adagrad),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.adagrad", "0.1.0", "Apache-2.0", &adagrad)
