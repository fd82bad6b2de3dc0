/* SPDX-License-Identifier: Apache-2.0
 *
 * Adadelta (Zeiler 2012):
 *   s := rho s + (1 - rho) g^2,   d = g sqrt((u + epsilon) / (s + epsilon))
 *   u := rho u + (1 - rho) d^2,   w := w - lr d
 * The paper has no lr (1) and uses rho 0.95; 0.9 and epsilon 1e-6 are the defaults of PyTorch. */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, rho, epsilon;
  AbSchedule *schedule;
} Adadelta;

static const AbParam params[] = {
    AB_PARAM_REAL(Adadelta, lr, 1, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Adadelta, rho, 0.9, 0, 0.999999, "", "Decay of both means."),
    AB_PARAM_REAL(Adadelta, epsilon, 1e-6, 1e-30, 1, "", "Keeps the quotient finite."),
};
static const AbSlot slots[] = {
    AB_SLOT(Adadelta, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL,
            "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Adadelta *o = (Adadelta *)self;
  ab_step_adadelta(ab_update_weights(u), ab_update_unclipped(u),
                   ab_update_state(u, "second_moment"),
                   ab_update_state(u, "second_moment_of_steps"),
                   ab_update_rate(u, o->lr, o->schedule), o->rho, o->epsilon);
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent adadelta = {
    .struct_size = sizeof adadelta,
    .kind = AB_KIND_OPTIMIZER,
    .name = "adadelta",
    .doc = "Adadelta: steps in the units of the weights, without a rate to choose.",
    .citation = "Zeiler: ADADELTA: an adaptive learning rate method. 2012.",
    .instance_size = sizeof(Adadelta),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.adadelta", "0.1.0", "Apache-2.0", &adadelta)
