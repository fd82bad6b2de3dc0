/* SPDX-License-Identifier: Apache-2.0
 *
 * Cosine distance: the mean over the batch of  1 - y t / (|y| |t|),  a sample being one vector. */
#include <absdk/absdk.h>

static void check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the target is a class; a loss for classes is cross-entropy");
}

/* [n, ...] -> [n, elements] */
static AbTensor *rows(AbTensor *x) {
  if (!x || ab_rank(x) == 2) return x;
  int64_t n = ab_dim(x, 0);
  return ab_reshape(x, AB_SHAPE(n, n ? ab_count(x) / n : 0));
}

static AbTensor *loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  (void)self;
  return ab_affine(ab_mean(ab_cosine_similarity(rows(output), rows(target))), -1, 1);
}

static const AbLossVtable vtable = {.struct_size = sizeof vtable, .check = check, .loss = loss};

static const AbComponent cosine = {
    .struct_size = sizeof cosine,
    .kind = AB_KIND_LOSS,
    .name = "cosine",
    .doc = "Angle between output and target.",
    .citation = "",
    .instance_size = sizeof(AbLoss),

    .vtable = &vtable,
};

AB_PLUGIN("abhost.loss.cosine", "0.1.0", "Apache-2.0", &cosine)
