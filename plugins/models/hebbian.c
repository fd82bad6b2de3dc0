/* SPDX-License-Identifier: Apache-2.0
 *
 * Hebbian learning of principal components: linear units and rules that are local, no gradients of
 * a loss. x is taken less its mean m, in rows; the rules are means over the batch.
 *
 *   y = (x - m) W                                          W = [w_1 .. w_k], one column per unit
 *   hebb      dw_j = y_j (x - m),  w_j of length 1 always               Hebb 1949
 *   oja       dw_j = y_j (x - m - y_j w_j)                              Oja 1982
 *   subspace  dw_j = y_j (x - m - sum_i y_i w_i)                        Oja 1989
 *   sanger    dw_j = y_j (x - m - sum_{i <= j} y_i w_i)                 Sanger 1989
 *
 * sanger finds the first k principal components in their order, subspace a rotated basis of the
 * same space; with hebb and oja, which know of one unit only, each unit finds the first. W grows by
 * lr dW with the optimizer sgd and its lr, which stays below 1 / the largest variance of a
 * component and should fall towards 0 (a schedule): what is left of it is noise in W.
 *
 * As a decoder x = m + y W', of hebb and oja (whose units say the same) x = m + y W' / k. The loss
 * that is reported is the mean squared error of that.                                            */
#include <absdk/absdk.h>

enum { HEBB, OJA, SUBSPACE, SANGER };

typedef struct {
  AbModel base;
  int64_t units, rule;
  bool centre;
  AbShape sample;  /* of one x */
  AbTensor *W;     /* [x, units] */
  AbTensor *mean;  /* m: the mean of all that was learned from so far [x] */
  AbTensor *count; /* how many that were: one number */
} Hebbian;

static const char *const rules[] = {"hebb", "oja", "subspace", "sanger", NULL};

static const AbParam params[] = {
    AB_PARAM_INT(Hebbian, units, 16, 1, 1 << 20, "units", "Width of the code."),
    AB_PARAM_CHOICE(Hebbian, rule, "sanger", rules, "How W learns."),
    AB_PARAM_BOOL(Hebbian, centre, true, "Take x less its mean; else m = 0."),
};

static bool alone(const Hebbian *m) {
  return m->rule == HEBB || m->rule == OJA;
}

static void build(AbModel *self, const AbSignature *wanted) {
  Hebbian *m = (Hebbian *)self;
  bool decodes = wanted->role == AB_ROLE_DECODE; /* it is then given a code, and gives x */
  const AbSpec *x = decodes ? &wanted->out : &wanted->in;
  int64_t width = ab_spec_count(x);
  if (x->rank < 0 || (decodes && ab_spec_count(&wanted->in) != m->units)) {
    ab_fail(self, AB_CONFIG,
            "as a decoder it must be told what to give, and take a code as wide as units (%lld)",
            (long long)m->units);
    return;
  }
  if (!alone(m) && m->units > width) {
    ab_fail(self, AB_CONFIG,
            "units: there are %lld components in samples of %lld numbers, not %lld",
            (long long)width, (long long)width, (long long)m->units);
    return;
  }
  m->sample = ab_spec_shape(x);
  AbInit start = alone(m) ? (AbInit){.kind = AB_INIT_LECUN_NORMAL, .a = 1} /* of length 1 or so */
                          : (AbInit){.kind = AB_INIT_ORTHOGONAL, .a = 1};
  AbDtype real = ab_real_dtype(ab_context(self));
  m->W = ab_weight(self, "W", AB_SHAPE(width, m->units), start, "x unit");
  m->mean = ab_buffer(self, "mean", real, AB_SHAPE(width), "x");
  m->count = ab_buffer(self, "count", real, AB_SHAPE(1), "one");
}

/* W with columns of length 1. */
static AbTensor *unit_columns(AbTensor *W) {
  return ab_div(W, ab_norm(W, 2, 1, true));
}

static AbTensor *weights(Hebbian *m) {
  return m->rule == HEBB ? unit_columns(m->W) : m->W;
}

static AbTensor *centred(Hebbian *m, AbTensor *x) {
  x = ab_flatten(x);
  return m->centre ? ab_sub(x, m->mean) : x;
}

/* x - m, as far as the code tells. */
static AbTensor *from_code(Hebbian *m, AbTensor *y) {
  AbTensor *x = ab_matmul(y, ab_transpose(weights(m), 0, 1));
  return alone(m) ? ab_affine(x, 1.0 / (double)m->units, 0) : x;
}

/* ---- learning -------------------------------------------------------------------------------- */

/* count += n,  mean += sum (x - mean) / count */
static void see(Hebbian *m, AbTensor *x) {
  double n = (double)ab_dim(x, 0);
  ab_assign(m->count, ab_affine(m->count, 1, n));
  AbTensor *step = ab_mean_axes(ab_sub(x, m->mean), 1, false);
  ab_assign(m->mean,
            ab_add(m->mean,
                   ab_mul(step, ab_div(ab_full(ab_context(&m->base), ab_dtype(x), AB_SHAPE(1), n),
                                       m->count))));
}

/* c_ij: how much of unit i is taken from x before unit j learns it. [units, units] */
static AbTensor *taken(const Hebbian *m, AbTensor *y) {
  AbTensor *products =
      ab_affine(ab_matmul(ab_transpose(y, 0, 1), y), 1.0 / (double)ab_dim(y, 0), 0);
  if (m->rule == SUBSPACE) return products;
  AbContext *ctx = ab_context(&m->base);
  AbTensor *i = ab_cumulative_sum(ab_full(ctx, ab_dtype(y), AB_SHAPE(m->units, 1), 1), 0, false);
  AbTensor *j = ab_transpose(i, 0, 1);
  AbTensor *which = m->rule == OJA ? ab_equal(i, j) : ab_less_equal(i, j);
  return ab_mul(products, which);
}

static AbTensor *learn(AbModel *self, const AbBatch *batch) {
  Hebbian *m = (Hebbian *)self;
  AbTensor *x = ab_flatten(ab_batch_get(batch, "x"));
  if (!x) return NULL;
  if (m->rule == HEBB) ab_assign(m->W, unit_columns(m->W));
  if (m->centre) see(m, x);
  x = centred(m, x);
  AbTensor *y = ab_matmul(x, m->W);
  AbTensor *dW = ab_affine(ab_matmul(ab_transpose(x, 0, 1), y), 1.0 / (double)ab_dim(x, 0), 0);
  if (m->rule != HEBB) dW = ab_sub(dW, ab_matmul(m->W, taken(m, y)));
  ab_give_gradient(m->W, ab_neg(dW));
  return ab_squared_error(from_code(m, y), x, AB_LOSS_MEAN);
}

/* ---- roles ----------------------------------------------------------------------------------- */

static AbTensor *encode(AbModel *self, AbTensor *x) {
  Hebbian *m = (Hebbian *)self;
  return ab_matmul(centred(m, x), weights(m));
}

static AbTensor *decode(AbModel *self, AbTensor *code) {
  Hebbian *m = (Hebbian *)self;
  AbTensor *x = from_code(m, ab_flatten(code));
  if (m->centre) x = ab_add(x, m->mean);
  return ab_reshape_samples(x, m->sample);
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .encode = encode,
    .decode = decode,
    .learn = learn,
};

static const AbComponent hebbian = {
    .struct_size = sizeof hebbian,
    .kind = AB_KIND_MODEL,
    .name = "hebbian",
    .doc = "Principal components by Hebb's, Oja's or Sanger's rule.",
    .citation = "Sanger: Optimal unsupervised learning in a single-layer linear feedforward neural "
                "network. Neural Networks 2, 1989.",
    .instance_size = sizeof(Hebbian),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.hebbian", "0.1.0", "Apache-2.0", &hebbian)
