/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain training: every step moves the model down the gradient of its objective, or as its own rule
 * of learning says. */
#include <absdk/absdk.h>

static AbTensor *step(AbController *self, AbStep *s) {
  (void)self;
  return ab_step_learn(s);
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
