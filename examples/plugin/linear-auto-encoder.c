/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear auto-encoder with tied weights (Baldi & Hornik 1989): what it learns spans the first
 * principal components of the data.
 *
 *   code = (x - b) W,   reconstruction = code W' + b                                             */
#include <absdk/absdk.h>
#include <string.h>

typedef struct {
  AbModel base;
  int64_t units;   /* from the manifest */
  AbTensor *W, *b; /* [x, units], [x] */
  AbShape sample;  /* of x, without the samples' axis */
} LinearAutoEncoder;

static const AbParam params[] = {
    AB_PARAM_INT(LinearAutoEncoder, units, 16, 1, 1 << 20, "units", "Width of the code."),
};

static void build(AbModel *self, const AbSignature *wanted) {
  LinearAutoEncoder *m = (LinearAutoEncoder *)self;
  int64_t width = ab_spec_count(&wanted->in);
  AbInit start = {.kind = AB_INIT_XAVIER_NORMAL, .a = 1}, zero = {.kind = AB_INIT_CONSTANT, .a = 0};
  m->W = ab_weight(self, "W", AB_SHAPE(width, m->units), start, "x code");
  m->b = ab_weight(self, "b", AB_SHAPE(width), zero, "x");
  m->sample.rank = wanted->in.rank;
  memcpy(m->sample.dims, wanted->in.shape, sizeof m->sample.dims);
}

static AbTensor *encode(AbModel *self, AbTensor *x) {
  LinearAutoEncoder *m = (LinearAutoEncoder *)self;
  return ab_matmul(ab_sub(ab_flatten(x), m->b), m->W);
}

static AbTensor *decode(AbModel *self, AbTensor *code) {
  LinearAutoEncoder *m = (LinearAutoEncoder *)self;
  AbTensor *flat = ab_linear(code, ab_transpose(m->W, 0, 1), m->b, AB_IDENTITY);
  AbShape shape = {.rank = m->sample.rank + 1, .dims = {ab_dim(code, 0)}};
  memcpy(shape.dims + 1, m->sample.dims, (size_t)m->sample.rank * sizeof *shape.dims);
  return ab_reshape(flat, shape);
}

/* `reconstruct` and `score` follow from these two. */
static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .encode = encode,
    .decode = decode,
};

static const AbComponent linear_auto_encoder = {
    .struct_size = sizeof linear_auto_encoder,
    .kind = AB_KIND_MODEL,
    .name = "linear-auto-encoder",
    .doc = "Linear auto-encoder with tied weights: principal components.",
    .citation = "Baldi, Hornik: Neural networks and principal component analysis. Neural Networks "
                "2, 1989.",
    .instance_size = sizeof(LinearAutoEncoder),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("org.example.linear-auto-encoder", "0.1", "Apache-2.0", &linear_auto_encoder)
