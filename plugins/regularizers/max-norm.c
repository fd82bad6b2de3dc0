/* SPDX-License-Identifier: Apache-2.0
 *
 * Max-norm (Srebro & Shraibman 2005; Srivastava et al. 2014): after each step the weights into each
 * unit, a column of W, are shortened to the limit where they are longer:
 *   w_j := w_j min(1, limit / |w_j|)                                                             */
#include <absdk/absdk.h>

typedef struct {
  AbRegularizer base;
  double limit;
} MaxNorm;

static const AbParam params[] = {
    AB_PARAM_REAL(MaxNorm, limit, 3, 1e-6, 1e6, "",
                  "Longest allowed norm of the weights of a unit."),
};

static void project(AbRegularizer *self, AbTensor *weight) {
  AbContext *ctx = ab_context(self);
  AbDtype real = ab_dtype(weight);
  uint32_t inputs = (UINT32_C(1) << (ab_rank(weight) - 1)) - 1; /* all axes but the last */
  AbTensor *norm = ab_sqrt(ab_sum_axes(ab_square(weight), inputs, true));
  AbTensor *limit = ab_full(ctx, real, ab_scalar_shape(), ((MaxNorm *)self)->limit);
  AbTensor *shorten = ab_div(limit, ab_maximum(norm, limit));
  ab_assign(weight, ab_mul(weight, shorten));
}

static const AbRegularizerVtable vtable = {.struct_size = sizeof vtable, .project = project};

static const AbComponent max_norm = {
    .struct_size = sizeof max_norm,
    .kind = AB_KIND_REGULARIZER,
    .name = "max-norm",
    .doc = "Limit on the norm of the weights into each unit.",
    .citation = "Srivastava et al.: Dropout. JMLR 15, 2014, section 5.1.",
    .instance_size = sizeof(MaxNorm),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.regularizer.max-norm", "0.1.0", "Apache-2.0", &max_norm)
