/* SPDX-License-Identifier: Apache-2.0
 *
 * RMSProp (Hinton 2012; centred: Graves 2013):
 *   s := alpha s + (1 - alpha) g^2,   d = g / (sqrt(s) + epsilon),   v := momentum v + d
 *   w := w - lr v;   centred: s less the square of the running mean of g
 * Defaults are those of PyTorch. */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, alpha, epsilon, momentum;
  bool centred;
  AbSchedule *schedule;
} Rmsprop;

static const AbParam params[] = {
    AB_PARAM_REAL(Rmsprop, lr, 1e-2, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Rmsprop, alpha, 0.99, 0, 0.999999, "", "Decay of the mean of the square."),
    AB_PARAM_REAL(Rmsprop, epsilon, 1e-8, 1e-30, 1, "", "Keeps the quotient finite."),
    AB_PARAM_REAL(Rmsprop, momentum, 0, 0, 1, "", "Of the velocity."),
    AB_PARAM_BOOL(Rmsprop, centred, false, "Scale by the deviation, not the size."),
};
static const AbSlot slots[] = {
    AB_SLOT(Rmsprop, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL,
            "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Rmsprop *o = (Rmsprop *)self;
  AbTensor *v = o->momentum > 0 ? ab_update_state(u, "velocity") : AB_NONE;
  AbTensor *mean = o->centred ? ab_update_state(u, "first_moment") : AB_NONE;
  ab_step_rmsprop(ab_update_weights(u), ab_update_unclipped(u), ab_update_state(u, "second_moment"),
                  v, mean, ab_update_rate(u, o->lr, o->schedule), o->alpha, o->epsilon,
                  o->momentum);
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent rmsprop = {
    .struct_size = sizeof rmsprop,
    .kind = AB_KIND_OPTIMIZER,
    .name = "rmsprop",
    .doc = "RMSProp: steps scaled by the running size of the gradient.",
    .citation =
        "Tieleman, Hinton: Lecture 6.5 - RMSProp. 2012; Graves: Generating sequences. 2013.",
    .instance_size = sizeof(Rmsprop),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.rmsprop", "0.1.0", "Apache-2.0", &rmsprop)
