/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutional neural network (LeCun, Bottou, Bengio, Haffner 1998).
 *
 *   h_0 = x,   h_l = pool(f_l(norm(h_{l-1} * W_l + b_l)))      for each entry l of `blocks`
 *   z_0 = h_L (flattened),   z_l = f(z_{l-1} W_{L+l} + b_{L+l})      for each width in `units`
 *   y   = g(z_K W_{L+K+1} + b_{L+K+1})                         where an output is asked for
 *
 * with * the convolution, `pool` the largest of each window (Zhou & Chellappa 1988) and `norm`
 * batch normalisation (Ioffe & Szegedy 2015), whose bias stands for b_l. In training, dropout
 * leaves out a part of what each dense layer is given, the head's too.
 *
 * The features z_K are the code. As a classifier y are logits, as an actor one value per action, as
 * a score one number; as a predictor it has the shape of what it must give. x is [channels, height,
 * width], or [height, width] for one channel; [channels, depth, height, width] is convolved in
 * three dimensions (Ji, Xu, Yang, Yu 2013). Padding `same` surrounds the image with zeros, so that
 * an axis of n numbers becomes one of n / stride, rounded up; `valid` keeps windows inside it.   */
#include <absdk/absdk.h>
#include <string.h>

enum { SAME, VALID };
static const char *const paddings[] = {"same", "valid", NULL};

typedef struct {
  int64_t channels, kernel, stride, padding, activation, pool;
  bool norm;
} Block;

typedef struct {
  const Block *block;
  AbConvolution convolution;
  AbBatchNorm norm; /* where the block has one */
  AbPool pool;
} Layer;

typedef struct {
  AbModel base;
  AbRecords blocks;
  AbInts units;
  int64_t activation;
  int64_t output_activation;
  double dropout;
  AbShape image;   /* of x: [channels, spatial ...] */
  Layer *layers;   /* blocks.count of them */
  AbLinear *dense; /* units.count of them */
  AbLinear head;   /* W is NULL for an encoder */
  AbShape sample;  /* of one output */
} Cnn;

static const AbParam block_params[] = {
    AB_PARAM_INT(Block, channels, 32, 1, 1 << 20, "channels", "Filters of the convolution."),
    AB_PARAM_INT(Block, kernel, 3, 1, 1024, "pixels", "Size of a filter along each axis."),
    AB_PARAM_INT(Block, stride, 1, 1, 1024, "pixels", "From one position of a filter to the next."),
    AB_PARAM_CHOICE(Block, padding, "same", paddings, "same: zeros around the image; valid: none."),
    AB_PARAM_BOOL(Block, norm, false, "Batch normalisation before the activation."),
    AB_PARAM_CHOICE(Block, activation, "relu", ab_activation_names, "f_l."),
    AB_PARAM_INT(Block, pool, 0, 0, 1024, "pixels",
                 "Size of the windows of which the largest is kept, along each axis; 0: none."),
};

static const AbParam params[] = {
    {.key = "blocks",
     .type = AB_TYPE_RECORDS,
     .offset = AB_FIELD(Cnn, blocks, AbRecords),
     .text_default = "[{channels: 16, pool: 2}, {channels: 32, pool: 2}]",
     .record = block_params,
     .record_count = AB_COUNT(block_params),
     .record_size = sizeof(Block),
     .unit = "",
     .doc = "The convolutions, from x on.",
     .since = "0.1"},
    AB_PARAM_INTS(Cnn, units, "[128]", 1, 1 << 20, "units", "Widths of the dense hidden layers."),
    AB_PARAM_CHOICE(Cnn, activation, "relu", ab_activation_names, "f, of the dense layers."),
    AB_PARAM_CHOICE(Cnn, output_activation, "auto", ab_output_activation_names,
                    "g; auto: sigmoid where values from 0 to 1 are wanted, else identity."),
    AB_PARAM_REAL(Cnn, dropout, 0, 0, 0.95, "",
                  "Part of the inputs of each dense layer left out in training."),
};

/* ---- building -------------------------------------------------------------------------------- */

/* [channels, spatial ...]; rank 0 after an error. */
static AbShape image_of(AbModel *self, const AbSpec *x) {
  AbShape image = {.rank = x->rank, .dims = {1}};
  bool gray = x->rank == 2;
  if (x->rank < 2 || x->rank > 4) {
    char text[220];
    memcpy(image.dims, x->shape, sizeof image.dims);
    ab_fail(self, AB_CONFIG,
            "samples of x are %s; a cnn takes images [height, width] or [channels, height, width], "
            "or volumes [channels, depth, height, width] (data.transform.reshape makes them)",
            x->rank < 0 ? "not given" : ab_shape_text(image, text, sizeof text));
    return ab_scalar_shape();
  }
  memcpy(image.dims + gray, x->shape, (size_t)x->rank * sizeof *image.dims);
  image.rank += gray;
  return image;
}

/* The windows of a block, one every `stride` pixels along each spatial axis of an image to which
 * so many zeros are added. False, and an error, where not even one fits.                        */
static bool shrink(Cnn *m, int64_t block, const char *what, int64_t size, int64_t stride,
                   int64_t zeros, AbShape *image) {
  AbShape space = {.rank = image->rank - 1};
  memcpy(space.dims, image->dims + 1, (size_t)space.rank * sizeof *space.dims);
  for (int32_t i = 0; i < space.rank; i++) {
    if (space.dims[i] + zeros < size) {
      char text[220];
      ab_fail(&m->base, AB_CONFIG,
              "blocks[%lld]: a %s of %lld does not fit into images that have become %s; make it "
              "smaller, or stride and pool of the blocks before it, or use padding: same",
              (long long)block, what, (long long)size, ab_shape_text(space, text, sizeof text));
      return false;
    }
    image->dims[1 + i] = (space.dims[i] + zeros - size) / stride + 1;
  }
  return true;
}

/* Makes layer `i` for `image`, which becomes what it gives. */
static bool make_layer(Cnn *m, int64_t i, AbShape *image) {
  Layer *l = &m->layers[i];
  const Block *b = l->block = (const Block *)m->blocks.items + i;
  int64_t zeros = b->padding == SAME ? b->kernel - 1 : 0, channels = image->dims[0];
  AbConvolutionOptions options = {.activation = b->norm ? AB_IDENTITY : b->activation};
  AbShape kernel = {.rank = image->rank - 1};
  for (int32_t axis = 0; axis < kernel.rank; axis++) {
    kernel.dims[axis] = b->kernel;
    options.stride[axis] = b->stride;
    options.padding[axis] = zeros / 2;
    options.more_after[axis] = zeros % 2;
    l->pool.size[axis] = b->pool;
  }
  if (!shrink(m, i, "kernel", b->kernel, b->stride, zeros, image)) return false;
  if (b->pool > 0 && !shrink(m, i, "pool", b->pool, b->pool, 0, image)) return false;
  image->dims[0] = b->channels;
  AbModel *self = &m->base;
  if (b->norm) {
    l->convolution =
        ab_convolution_make_unbiased(self, i + 1, channels, b->channels, kernel, options);
    l->norm = ab_batch_norm_make(self, i + 1, b->channels, b->activation);
  } else {
    l->convolution = ab_convolution_make(self, i + 1, channels, b->channels, kernel, options);
  }
  return ab_ok(ab_context(self));
}

static void make_head(Cnn *m, const AbSignature *wanted, int64_t number, int64_t width) {
  AbSpec out = wanted->out;
  if (wanted->role == AB_ROLE_ENCODE) return;
  if (wanted->role == AB_ROLE_SCORE && out.rank < 0) out = (AbSpec){.rank = 0}; /* one number */
  if (out.rank < 0) {
    ab_fail(&m->base, AB_CONFIG, "it must be told what %s is to give", ab_role_name(wanted->role));
    return;
  }
  m->sample = ab_spec_shape(&out);
  m->head = ab_linear_make(&m->base, number, width, ab_spec_count(&out),
                           ab_output_activation(m->output_activation, &out));
}

static void build(AbModel *self, const AbSignature *wanted) {
  Cnn *m = (Cnn *)self;
  if (m->blocks.count == 0) {
    ab_fail(self, AB_CONFIG, "blocks has no entry; without a convolution it is an mlp");
    return;
  }
  AbShape image = m->image = image_of(self, &wanted->in);
  m->layers = ab_alloc(self, (size_t)m->blocks.count * sizeof *m->layers);
  m->dense = ab_alloc(self, (size_t)m->units.count * sizeof *m->dense);
  if (image.rank == 0 || !m->layers || !m->dense) return;
  for (int64_t i = 0; i < m->blocks.count; i++)
    if (!make_layer(m, i, &image)) return;
  int64_t width = ab_shape_count(image), number = m->blocks.count;
  for (int64_t i = 0; i < m->units.count; i++) {
    m->dense[i] = ab_linear_make(self, ++number, width, m->units.items[i], m->activation);
    width = m->units.items[i];
  }
  make_head(m, wanted, number + 1, width);
}

/* ---- roles ----------------------------------------------------------------------------------- */

static AbTensor *apply(const Layer *l, AbTensor *x) {
  AbTensor *h = ab_convolution_apply(&l->convolution, x);
  if (l->block->norm) h = ab_batch_norm_apply(&l->norm, h);
  return l->block->pool > 1 ? ab_max_pool(h, l->pool, NULL) : h;
}

/* The last hidden layer: as a code, or as features of what was learned for another role. */
static AbTensor *encode(AbModel *self, AbTensor *x) {
  Cnn *m = (Cnn *)self;
  AbTensor *h = ab_reshape_samples(x, m->image);
  for (int64_t i = 0; i < m->blocks.count; i++) h = apply(&m->layers[i], h);
  h = ab_flatten(h);
  for (int64_t i = 0; i < m->units.count; i++)
    h = ab_linear_apply(&m->dense[i], ab_dropout(h, m->dropout));
  return h;
}

static AbTensor *output(AbModel *self, AbTensor *x) {
  Cnn *m = (Cnn *)self;
  AbTensor *y = ab_linear_apply(&m->head, ab_dropout(encode(self, x), m->dropout));
  return ab_reshape_samples(y, m->sample);
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .flags = AB_ONE_ROLE,
    .build = build,
    .encode = encode,
    .classify = output,
    .predict = output,
    .score = output,
    .act = output,
};

static const AbComponent cnn = {
    .struct_size = sizeof cnn,
    .kind = AB_KIND_MODEL,
    .name = "cnn",
    .doc = "Convolutional neural network.",
    .citation = "LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document "
                "recognition. Proceedings of the IEEE 86, 1998.",
    .instance_size = sizeof(Cnn),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.cnn", "0.1.0", "Apache-2.0", &cnn)
