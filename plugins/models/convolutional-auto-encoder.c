/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutional auto-encoder (Masci, Meier, Ciresan, Schmidhuber 2011).
 *
 *   h_0 = x,        h_l = f(h_{l-1} * W_l + b_l)                  for l = 1 .. L, the `channels`
 *   g_L = h_L,      g_{l-1} = f(g_l *' V_l + c_l)                 for l = L .. 1
 *
 * with * the convolution and *' its transpose, which leads from the shape of h_l back to that of
 * h_{l-1} (Dumoulin & Visin 2016). The reconstruction is g_0; its activation is that of the output.
 * With `tied` V_l is W_l: one weight, whose two gradients add (the transpose flips the filters, as
 * the paper writes it). Without max pooling a `stride` makes the images smaller. With `norm` batch
 * normalisation precedes each f, and its bias stands for b_l and c_l.
 *
 * The code is h_L, or, where `code` gives a width, a linear layer of it:
 *
 *   code = h_L W + b,      g_L = f(code V + c),      tied: V = W'
 *
 * x is [channels, height, width], or [height, width] for one channel; [channels, depth, height,
 * width] is convolved in three dimensions. Padding `same` surrounds the image with zeros, so that
 * an axis of n numbers becomes one of n / stride, rounded up; `valid` keeps windows inside it.
 *
 * Weights are numbered as they are applied: the convolutions from 1, the layers to and from the
 * code, the transposed convolutions. Of tied weights the decoder has the biases only.            */
#include <absdk/absdk.h>
#include <stdio.h>
#include <string.h>

enum { SAME, VALID };
static const char *const paddings[] = {"same", "valid", NULL};

typedef struct {
  AbConvolution convolution;
  AbBatchNorm norm;
  bool normed;
} Layer;

typedef struct {
  AbModel base;
  AbInts channels;
  int64_t kernel, stride, padding, activation, output_activation, code;
  bool tied, norm;
  AbShape sample;         /* of x */
  AbShape image;          /* of x as [channels, spatial ...] */
  AbShape maps;           /* of h_L */
  Layer *down, *up;       /* down[l - 1] makes h_l of h_{l-1}, up[l - 1] makes g_{l-1} of g_l */
  AbLinear narrow, widen; /* to the code and from it, if any; widen.W is NULL if tied */
} Cae;

static const AbParam params[] = {
    AB_PARAM_INTS(Cae, channels, "[16, 32]", 1, 1 << 20, "channels",
                  "Filters of each convolution of the encoder."),
    AB_PARAM_INT(Cae, kernel, 3, 1, 1024, "pixels", "Size of a filter along each axis."),
    AB_PARAM_INT(Cae, stride, 2, 1, 1024, "pixels", "From one position of a filter to the next."),
    AB_PARAM_CHOICE(Cae, padding, "same", paddings, "same: zeros around the image; valid: none."),
    AB_PARAM_CHOICE(Cae, activation, "relu", ab_activation_names, "f."),
    AB_PARAM_CHOICE(Cae, output_activation, "auto", ab_output_activation_names,
                    "Of the reconstruction; auto: sigmoid where x is from 0 to 1, else identity."),
    AB_PARAM_INT(Cae, code, 0, 0, 1 << 20, "units",
                 "Width of a dense code; 0: the code is what the last convolution gives."),
    AB_PARAM_BOOL(Cae, tied, true, "The decoder's weights are the encoder's."),
    AB_PARAM_BOOL(Cae, norm, false, "Batch normalisation of all layers but the last and the code."),
};

/* ---- building -------------------------------------------------------------------------------- */

/* What x is, as [channels, spatial ...]. */
static bool read_image(Cae *m, const AbSpec *x) {
  bool gray = x->rank == 2;
  char text[220];
  m->sample = ab_spec_shape(x);
  if (x->rank < 2 || x->rank > 4) {
    ab_fail(&m->base, AB_CONFIG,
            "samples of x are %s; it takes images [height, width] or [channels, height, width], or "
            "volumes [channels, depth, height, width] (data.transform.reshape makes them)",
            x->rank < 0 ? "not given" : ab_shape_text(m->sample, text, sizeof text));
    return false;
  }
  m->image = (AbShape){.rank = x->rank + gray, .dims = {1}};
  memcpy(m->image.dims + gray, x->shape, (size_t)x->rank * sizeof *x->shape);
  return true;
}

/* The windows of convolution `l`, which is given `image`, both ways: the numbers at the end that no
 * window reaches are those by which the transpose must be longer. `image` becomes what it gives. */
static bool window(Cae *m, int64_t l, AbShape *image, AbConvolutionOptions *down,
                   AbConvolutionOptions *up) {
  int64_t zeros = m->padding == SAME ? m->kernel - 1 : 0;
  for (int32_t i = 0; i < image->rank - 1; i++) {
    int64_t room = image->dims[1 + i] + zeros - m->kernel;
    if (room < 0) {
      char text[220];
      ab_fail(&m->base, AB_CONFIG,
              "convolution %lld: a kernel of %lld does not fit into what it is given, channels and "
              "pixels %s; use fewer channels entries, a smaller kernel or padding: same",
              (long long)l, (long long)m->kernel, ab_shape_text(*image, text, sizeof text));
      return false;
    }
    down->stride[i] = up->stride[i] = m->stride;
    down->padding[i] = up->padding[i] = zeros / 2;
    down->more_after[i] = up->more_after[i] = zeros % 2;
    up->output_padding[i] = room % m->stride;
    image->dims[1 + i] = room / m->stride + 1;
  }
  return true;
}

static AbTensor *bias(Cae *m, int64_t number, int64_t count) {
  char name[32];
  AbInit zero = {.kind = AB_INIT_CONSTANT};
  snprintf(name, sizeof name, "b%lld", (long long)number);
  return ab_weight(&m->base, name, AB_SHAPE(count), zero, "output");
}

static Layer make_down(Cae *m, int64_t number, int64_t in, int64_t out, AbShape kernel,
                       AbConvolutionOptions options) {
  Layer layer = {.normed = m->norm};
  options.activation = m->norm ? AB_IDENTITY : m->activation;
  layer.convolution = m->norm
                          ? ab_convolution_make_unbiased(&m->base, number, in, out, kernel, options)
                          : ab_convolution_make(&m->base, number, in, out, kernel, options);
  if (m->norm) layer.norm = ab_batch_norm_make(&m->base, number, out, m->activation);
  return layer;
}

/* The transpose of `down`; the last of the decoder has `activation` in the place of f. */
static Layer make_up(Cae *m, int64_t number, const Layer *down, bool last, AbActivation activation,
                     AbConvolutionOptions options) {
  AbShape shape = ab_shape(down->convolution.W), kernel = {.rank = shape.rank - 2};
  int64_t in = shape.dims[0], out = shape.dims[1];
  Layer layer = {.normed = m->norm && !last};
  memcpy(kernel.dims, shape.dims + 2, (size_t)kernel.rank * sizeof *kernel.dims);
  options.activation = layer.normed ? AB_IDENTITY : last ? activation : m->activation;
  if (m->tied)
    layer.convolution = (AbConvolution){.W = down->convolution.W,
                                        .b = layer.normed ? AB_NONE : bias(m, number, out),
                                        .options = options};
  else if (layer.normed)
    layer.convolution =
        ab_transposed_convolution_make_unbiased(&m->base, number, in, out, kernel, options);
  else
    layer.convolution = ab_transposed_convolution_make(&m->base, number, in, out, kernel, options);
  if (layer.normed) layer.norm = ab_batch_norm_make(&m->base, number, out, m->activation);
  return layer;
}

static void make_code(Cae *m, int64_t number) {
  int64_t width = ab_shape_count(m->maps);
  m->narrow = ab_linear_make(&m->base, number, width, m->code, AB_IDENTITY);
  if (m->tied)
    m->widen = (AbLinear){.b = bias(m, number + 1, width), .activation = m->activation};
  else
    m->widen = ab_linear_make(&m->base, number + 1, m->code, width, m->activation);
}

static bool make_layers(Cae *m, AbActivation output) {
  int64_t count = m->channels.count, between = m->code > 0 ? 2 : 0;
  AbConvolutionOptions *ups = ab_alloc(&m->base, (size_t)count * sizeof *ups);
  AbShape kernel = {.rank = m->image.rank - 1};
  m->down = ab_alloc(&m->base, (size_t)count * sizeof *m->down);
  m->up = ab_alloc(&m->base, (size_t)count * sizeof *m->up);
  if (!ups || !m->down || !m->up) return false;
  for (int32_t i = 0; i < kernel.rank; i++) kernel.dims[i] = m->kernel;
  m->maps = m->image;
  for (int64_t i = 0; i < count; i++) {
    AbConvolutionOptions down = {{0}};
    int64_t in = m->maps.dims[0], out = m->channels.items[i];
    if (!window(m, i + 1, &m->maps, &down, &ups[i])) return false;
    m->maps.dims[0] = out;
    m->down[i] = make_down(m, i + 1, in, out, kernel, down);
    if (!m->down[i].convolution.W) return false;
  }
  if (m->code > 0) make_code(m, count + 1);
  for (int64_t i = count - 1; i >= 0; i--)
    m->up[i] = make_up(m, 2 * count + between - i, &m->down[i], i == 0, output, ups[i]);
  return ab_ok(ab_context(&m->base));
}

/* A decoder is given its code, which must be the encoder's. */
static void check_code(Cae *m, const AbSpec *given) {
  AbShape code = m->code > 0 ? AB_SHAPE(m->code) : m->maps, in = ab_spec_shape(given);
  char a[220], b[220];
  if (in.rank == code.rank && memcmp(in.dims, code.dims, (size_t)in.rank * sizeof *in.dims) == 0)
    return;
  ab_fail(&m->base, AB_CONFIG,
          "it is given a code of %s and its own is %s; `code` makes it a vector of that width",
          given->rank < 0 ? "no shape" : ab_shape_text(in, a, sizeof a),
          ab_shape_text(code, b, sizeof b));
}

static void build(AbModel *self, const AbSignature *wanted) {
  Cae *m = (Cae *)self;
  bool decodes = wanted->role == AB_ROLE_DECODE; /* it is then given a code, and gives x */
  const AbSpec *x = decodes ? &wanted->out : &wanted->in;
  if (m->channels.count == 0) {
    ab_fail(self, AB_CONFIG, "channels has no entry: it needs at least one convolution");
    return;
  }
  if (!read_image(m, x) || !make_layers(m, ab_output_activation(m->output_activation, x))) return;
  if (decodes) check_code(m, &wanted->in);
  if (m->code == 0 && m->activation == AB_SIGMOID)
    ab_output_range(self, AB_ROLE_ENCODE, AB_RANGE_UNIT);
}

/* ---- roles ----------------------------------------------------------------------------------- */

static AbTensor *normalised(const Layer *layer, AbTensor *h) {
  return layer->normed ? ab_batch_norm_apply(&layer->norm, h) : h;
}

static AbTensor *encode(AbModel *self, AbTensor *x) {
  Cae *m = (Cae *)self;
  AbTensor *h = ab_reshape_samples(x, m->image);
  for (int64_t i = 0; i < m->channels.count; i++)
    h = normalised(&m->down[i], ab_convolution_apply(&m->down[i].convolution, h));
  return m->code > 0 ? ab_linear_apply(&m->narrow, ab_flatten(h)) : h;
}

/* The code as what the last convolution gave. */
static AbTensor *widened(const Cae *m, AbTensor *code) {
  AbLinear layer = m->widen;
  if (m->tied) layer.W = ab_transpose(m->narrow.W, 0, 1);
  return ab_reshape_samples(ab_linear_apply(&layer, code), m->maps);
}

static AbTensor *decode(AbModel *self, AbTensor *code) {
  Cae *m = (Cae *)self;
  AbTensor *g = m->code > 0 ? widened(m, code) : code;
  for (int64_t i = m->channels.count - 1; i >= 0; i--)
    g = normalised(&m->up[i], ab_transposed_convolution_apply(&m->up[i].convolution, g));
  return ab_reshape_samples(g, m->sample);
}

static const AbModelVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .encode = encode,
    .decode = decode,
};

static const AbComponent convolutional_auto_encoder = {
    .struct_size = sizeof convolutional_auto_encoder,
    .kind = AB_KIND_MODEL,
    .name = "convolutional-auto-encoder",
    .doc = "Auto-encoder of convolutions and their transposes.",
    .citation = "Masci, Meier, Ciresan, Schmidhuber: Stacked convolutional auto-encoders for "
                "hierarchical feature extraction. ICANN 2011.",
    .instance_size = sizeof(Cae),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.model.convolutional-auto-encoder", "0.1.0", "Apache-2.0",
          &convolutional_auto_encoder)
