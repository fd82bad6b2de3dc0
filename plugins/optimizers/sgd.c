/* SPDX-License-Identifier: Apache-2.0
 *
 * Stochastic gradient descent, with momentum (Polyak 1964) or in Nesterov's form (1983):
 *   v := m v + g,   w := w - lr v        or   w := w - lr (g + m v)                              */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, momentum;
  bool nesterov;
  AbSchedule *schedule;
} Sgd;

static const AbParam params[] = {
    AB_PARAM_REAL(Sgd, lr, 0.1, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Sgd, momentum, 0, 0, 1, "", "m"),
    AB_PARAM_BOOL(Sgd, nesterov, false, "Nesterov's form."),
};
static const AbSlot slots[] = {
    AB_SLOT(Sgd, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL, "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Sgd *o = (Sgd *)self;
  AbTensor *v = o->momentum > 0 ? ab_update_state(u, "velocity") : AB_NONE;
  ab_step_sgd(ab_update_weights(u), ab_update_unclipped(u), v,
              ab_update_rate(u, o->lr, o->schedule), o->momentum, o->nesterov);
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent sgd = {
    .struct_size = sizeof sgd,
    .kind = AB_KIND_OPTIMIZER,
    .name = "sgd",
    .doc = "Stochastic gradient descent with momentum.",
    .citation = "Polyak: Some methods of speeding up the convergence of iteration methods. 1964.",
    .instance_size = sizeof(Sgd),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.sgd", "0.1.0", "Apache-2.0", &sgd)
