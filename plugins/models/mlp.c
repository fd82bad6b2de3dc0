/* SPDX-License-Identifier: Apache-2.0
 *
 * Multi-layer perceptron (Rumelhart, Hinton, Williams 1986).
 *
 *   h_0 = x (flattened),   h_l = f(h_{l-1} W_l + b_l)          for each width in `units`
 *   y   = g(h_L W_{L+1} + b_{L+1})                             where an output is asked for
 *
 * As an encoder the code is h_L. As a classifier y are logits, as an actor one value per action, as
 * a score one number; as a predictor or decoder it has the shape of what it must give. Dropout
 * follows every hidden layer.                                                                    */
#include <absdk/absdk.h>

typedef struct {
  AbModel base;
  AbInts units;
  int64_t activation;
  int64_t output_activation;
  double dropout;
  AbLinear *hidden; /* units.count layers */
  AbLinear head;    /* W is NULL for an encoder */
  AbShape sample;   /* of one output */
} Mlp;

static const AbParam params[] = {
    AB_PARAM_INTS(Mlp, units, "[128]", 1, 1 << 20, "units", "Widths of the hidden layers."),
    AB_PARAM_CHOICE(Mlp, activation, "relu", ab_activation_names, "f, of the hidden layers."),
    AB_PARAM_CHOICE(Mlp, output_activation, "auto", ab_output_activation_names,
                    "g; auto: sigmoid where values from 0 to 1 are wanted, else identity."),
    AB_PARAM_REAL(Mlp, dropout, 0, 0, 0.95, "", "Part of the hidden units left out in training."),
};

static void build(AbModel *self, const AbSignature *wanted) {
  Mlp *m = (Mlp *)self;
  int64_t width = ab_spec_count(&wanted->in), count = m->units.count;
  bool output = wanted->role != AB_ROLE_ENCODE;
  if (output && wanted->out.rank < 0) {
    ab_fail(self, AB_CONFIG, "the role %s must be told what to give", ab_role_name(wanted->role));
    return;
  }
  if (count == 0 && !output) {
    ab_fail(self, AB_CONFIG, "an encoder needs at least one entry in units: the width of its code");
    return;
  }
  m->hidden = ab_alloc(self, (size_t)count * sizeof *m->hidden);
  if (!m->hidden) return;
  for (int64_t i = 0; i < count; i++) {
    m->hidden[i] = ab_linear_make(self, i + 1, width, m->units.items[i], m->activation);
    width = m->units.items[i];
  }
  if (count > 0 && m->activation == AB_SIGMOID && m->dropout == 0)
    ab_output_range(self, AB_ROLE_ENCODE, AB_RANGE_UNIT);
  if (!output) return;
  m->sample = ab_spec_shape(&wanted->out);
  m->head = ab_linear_make(self, count + 1, width, ab_spec_count(&wanted->out),
                           ab_output_activation(m->output_activation, &wanted->out));
}

/* The last hidden layer: as a code, or as features of what was learned for another role. */
static AbTensor *encode(AbModel *self, AbTensor *x) {
  Mlp *m = (Mlp *)self;
  AbTensor *h = ab_flatten(x);
  for (int64_t i = 0; i < m->units.count; i++)
    h = ab_dropout(ab_linear_apply(&m->hidden[i], h), m->dropout);
  return h;
}

static AbTensor *output(AbModel *self, AbTensor *x) {
  Mlp *m = (Mlp *)self;
  return ab_reshape_samples(ab_linear_apply(&m->head, encode(self, x)), m->sample);
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .flags = AB_ONE_ROLE,
    .build = build,
    .encode = encode,
    .decode = output,
    .classify = output,
    .predict = output,
    .score = output,
    .act = output,
};

static const AbComponent mlp = {
    .struct_size = sizeof mlp,
    .kind = AB_KIND_MODEL,
    .name = "mlp",
    .doc = "Multi-layer perceptron.",
    .citation = "Rumelhart, Hinton, Williams: Learning representations by back-propagating errors. "
                "Nature 323, 1986.",
    .instance_size = sizeof(Mlp),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.mlp", "0.1.0", "Apache-2.0", &mlp)
