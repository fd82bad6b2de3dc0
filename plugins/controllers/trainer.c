/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain training: every step moves the model down the gradient of its objective. */
#include <absdk/absdk.h>

static AbTensor *step(AbController *self, AbStep *s) {
  (void)self;
  AbTensor *loss = ab_step_objective(s);
  ab_update(s, loss, ab_step_group(s));
  return loss;
}

static const AbControllerVtable vtable = {.struct_size = sizeof vtable, .step = step};

static const AbComponent trainer = {
    .struct_size = sizeof trainer,
    .kind = AB_KIND_CONTROLLER,
    .name = "trainer",
    .doc = "Gradient descent on the model's objective.",
    .citation = "",
    .instance_size = sizeof(AbController),
    .default_for = AB_ANY_ROLE,
    .vtable = &vtable,
};

AB_PLUGIN("abhost.controller.trainer", "0.1.0", "Apache-2.0", &trainer)
