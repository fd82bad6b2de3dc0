/* SPDX-License-Identifier: Apache-2.0
 *
 * NovoGrad (Ginsburg et al. 2019): a second moment for each weight (matrix, bias) as a whole:
 *   s := |g|^2 at the first step, then b2 s + (1 - b2) |g|^2
 *   m := b1 m + g / (sqrt(s) + epsilon) + decay w,   w := w - lr m
 * s is kept in the first element of the state's piece for the weight. Defaults are the paper's.  */
#include <absdk/absdk.h>

typedef struct {
  AbOptimizer base;
  double lr, beta1, beta2, epsilon, decay;
  AbSchedule *schedule;
} Novograd;

static const AbParam params[] = {
    AB_PARAM_REAL(Novograd, lr, 1e-2, 0, 1e6, "", "Learning rate."),
    AB_PARAM_REAL(Novograd, beta1, 0.95, 0, 0.999999, "", "Decay of the mean of the gradient."),
    AB_PARAM_REAL(Novograd, beta2, 0.98, 0, 0.999999, "",
                  "Decay of the mean of its squared length."),
    AB_PARAM_REAL(Novograd, epsilon, 1e-8, 1e-30, 1, "", "Keeps the quotient finite."),
    AB_PARAM_REAL(Novograd, decay, 0, 0, 1e6, "", "Of the weights."),
};
static const AbSlot slots[] = {
    AB_SLOT(Novograd, schedule, AB_KIND_SCHEDULE, AB_ROLE_NONE, AB_OPTIONAL,
            "Of the learning rate."),
};

static void update(AbOptimizer *self, AbUpdate *u) {
  Novograd *o = (Novograd *)self;
  AbTensor *w = ab_update_weights(u), *g = ab_update_gradients(u);
  AbTensor *m = ab_update_state(u, "first_moment"), *s = ab_update_state(u, "second_moment");
  double rate = ab_update_rate(u, o->lr, o->schedule);
  for (int64_t i = 0; i < ab_update_member_count(u); i++) {
    int64_t from, to;
    ab_update_member(u, i, &from, &to);
    if (from == to) continue;
    ab_step_novograd(ab_slice(w, 0, from, to), ab_slice(g, 0, from, to), ab_slice(m, 0, from, to),
                     ab_slice(s, 0, from, from + 1), rate, o->beta1, o->beta2, o->epsilon, o->decay,
                     ab_update_count(u));
  }
}

static const AbOptimizerVtable vtable = {.struct_size = sizeof vtable, .update = update};

static const AbComponent novograd = {
    .struct_size = sizeof novograd,
    .kind = AB_KIND_OPTIMIZER,
    .name = "novograd",
    .doc = "NovoGrad: gradients scaled to one length, layer by layer.",
    .citation =
        "Ginsburg et al.: Stochastic gradient methods with layer-wise adaptive moments. 2019.",
    .instance_size = sizeof(Novograd),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.optimizer.novograd", "0.1.0", "Apache-2.0", &novograd)
