/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution and its transpose.
 *
 * Three operations are linear in each of two operands and each other's derivatives, with
 * <a, b> the sum of all products of elements:
 *   <forward(x, W), g> = <x, data(g, W)> = <W, weights(x, g)>
 * so that for z = forward(x, W):  dx = data(dz, W),     dW = weights(x, dz);
 *            for z = data(g, W):  dg = forward(dz, W),  dW = weights(dz, g);
 *         for z = weights(x, g):  dx = data(g, dz),     dg = forward(x, dz).
 * The first two may have a bias and an activation on top.                                        */
#include "convolution.h"
#include <stdio.h>

static AbTensor *forward(const Settings *s, AbTensor *x, AbTensor *W, AbTensor *b,
                         const int64_t *shape);
static AbTensor *data(const Settings *s, AbTensor *g, AbTensor *W, AbTensor *b,
                      const int64_t *shape);
static AbTensor *weights(const Settings *s, AbTensor *x, AbTensor *g, const int64_t *shape);

/* Settings without bias and activation, which belong to one result alone. */
static Settings plain(const AbTensor *y) {
  Settings s = ab_convolution_kept(y);
  s.f = AB_IDENTITY;
  return s;
}

static AbConvolutionShape sizes_of(const Settings *s, const AbTensor *x, const AbTensor *W,
                                   const AbTensor *y) {
  AbConvolutionShape c = {
      .n = x->shape[0], .in = x->shape[1], .out = y->shape[1], .groups = s->groups};
  ab_convolution_axes(c.x, x->shape + 2, x->rank - 2);
  ab_convolution_axes(c.y, y->shape + 2, x->rank - 2);
  ab_convolution_axes(c.k, W->shape + 2, x->rank - 2);
  for (int i = 0; i < CONVOLUTION_AXES; i++) {
    c.stride[i] = s->stride[i];
    c.dilation[i] = s->dilation[i];
    c.before[i] = s->before[i];
  }
  return c;
}

static void count(AbContext *ctx, const AbConvolutionShape *c) {
  int64_t taps = c->k[0] * c->k[1] * c->k[2], places = c->y[0] * c->y[1] * c->y[2];
  ctx->multiply_adds += c->n * places * c->out * (c->in / c->groups) * taps;
}

/* Memory for a pass: *work is NULL where it needs none. False after an error. */
static bool scratch(AbContext *ctx, AbDtype dtype, const AbConvolutionShape *c,
                    AbConvolutionPass pass, void **work) {
  size_t bytes = ctx->device->convolution->work(dtype, c, pass);
  *work = NULL;
  if (bytes == 0) return true;
  AbTensor *memory = ab_tensor_new(ctx, AB_U8, 1, (int64_t[]){(int64_t)bytes}, false);
  if (!memory) return false;
  *work = ab_data_of(memory);
  return true;
}

/* The kernel of weights, in a scope of its own for its memory. */
static void weigh(const AbConvolutionShape *c, AbTensor *W, AbTensor *x, AbTensor *g, bool add) {
  AbContext *ctx = x->ctx;
  AbScope scope = ab_scope_begin(ctx);
  void *work;
  if (scratch(ctx, x->dtype, c, K_CONVOLUTION_WEIGHTS, &work))
    ctx->device->convolution->weights(x->dtype, c, ab_data_of(W), ab_data_of(x), ab_data_of(g), add,
                                      work);
  ab_scope_end(ctx, scope, NULL, 0);
}

/* ---- through bias and activation -------------------------------------------------------------
 * Both are left behind here: h = g f'(z), as y = f(z) gives it, and the gradient of the bias, which
 * is input 2. h in channels-last order.                                                          */

static AbTensor *through_recorded(AbTensor *y, AbTensor *g) {
  AbTensor *h = ab_activation_gradient(y->ints[10], g, y);
  if (y->input_count == 3 && ab_wants(y, 2))
    ab_accumulate(y, 2, ab_sum_axes(h, ((1u << y->rank) - 1) & ~2u, false));
  return ab_channels_last(h);
}

static AbTensor *through(AbTensor *y, AbTensor *g) {
  AbContext *ctx = y->ctx;
  if (ctx->differentiable) return through_recorded(y, g);
  AbActivation f = y->ints[10];
  bool add = false;
  AbTensor *db = y->input_count == 3 ? ab_gradient_target(y, 2, &add) : NULL, *h = g;
  if (!(g = ab_channels_last(g))) return NULL;
  h = f == AB_IDENTITY ? g : ab_channels_last_new(ctx, g->dtype, g->rank, g->shape, false);
  if (!h || !ab_ok(ctx)) return NULL;
  int64_t channels = y->shape[1];
  if (channels > 0 && (f != AB_IDENTITY || db))
    ctx->device->convolution->unactivate(y->dtype, f, ab_tensor_count(y) / channels, channels,
                                         ab_data_of(h), ab_data_of(g), ab_data_of(y),
                                         db ? ab_data_of(db) : NULL, add);
  if (db) ab_accumulated(y, 2, db);
  return h;
}

/* Adds weights(x, g) to the gradient of input i of y. */
static void give_weights(AbTensor *y, int32_t i, const Settings *s, AbTensor *x, AbTensor *g) {
  AbTensor *W = y->inputs[i];
  if (!g || !ab_wants(y, i)) return;
  if (y->ctx->differentiable) {
    ab_accumulate(y, i, weights(s, x, g, W->shape));
    return;
  }
  bool add;
  AbTensor *target = ab_gradient_target(y, i, &add);
  if (!target || !(x = ab_channels_last(x))) return;
  AbConvolutionShape c = sizes_of(s, x, W, g);
  weigh(&c, target, x, g, add);
  ab_accumulated(y, i, target);
}

/* ---- forward --------------------------------------------------------------------------------- */

static void forward_backward(AbTensor *y, AbTensor *g) {
  AbTensor *x = y->inputs[0], *W = y->inputs[1], *h = through(y, g);
  Settings s = plain(y);
  if (!h) return;
  give_weights(y, 1, &s, x, h);
  if (ab_wants(y, 0)) ab_accumulate(y, 0, data(&s, h, W, AB_NONE, x->shape));
}
static const AbOp forward_op = {"convolution", forward_backward};

/* What forward and data have in common. */
static AbTensor *pass(AbConvolutionPass which, const AbOp *op, const Settings *s, AbTensor *x,
                      AbTensor *W, AbTensor *b, const int64_t *shape) {
  AbContext *ctx = x->ctx;
  if (!(x = ab_channels_last(x)) || !(W = ab_dense(W))) return NULL;
  if (b != AB_NONE && !(b = ab_dense(b))) return NULL;
  bool shape_only = !x->storage || !W->storage || ab_is_shape_only(b);
  AbTensor *y = ab_channels_last_new(ctx, x->dtype, x->rank, shape, shape_only);
  if (!y) return NULL;
  bool data_pass = which == K_CONVOLUTION_DATA;
  AbConvolutionShape c = data_pass ? sizes_of(s, y, W, x) : sizes_of(s, x, W, y);
  if (shape_only) {
    count(ctx, &c);
  } else {
    AbScope scope = ab_scope_begin(ctx);
    const AbConvolutionKernels *kernels = ctx->device->convolution;
    void *work;
    if (scratch(ctx, x->dtype, &c, which, &work) && ab_tensor_count(y) > 0)
      (data_pass ? kernels->data
                 : kernels->forward)(x->dtype, &c, ab_data_of(y), ab_data_of(x), ab_data_of(W),
                                     b == AB_NONE ? NULL : ab_data_of(b), s->f, work);
    ab_scope_end(ctx, scope, NULL, 0);
  }
  ab_convolution_keep(y, s);
  return ab_record(y, op, (AbTensor *[]){x, W, b}, b == AB_NONE ? 2 : 3);
}

static AbTensor *forward(const Settings *s, AbTensor *x, AbTensor *W, AbTensor *b,
                         const int64_t *shape) {
  return x && W ? pass(K_CONVOLUTION_FORWARD, &forward_op, s, x, W, b, shape) : NULL;
}

/* ---- data ------------------------------------------------------------------------------------ */

static void data_backward(AbTensor *z, AbTensor *u) {
  AbTensor *g = z->inputs[0], *W = z->inputs[1], *h = through(z, u);
  Settings s = plain(z);
  if (!h) return;
  if (ab_wants(z, 1)) {
    AbTensor *places = ab_channels_last(g);
    if (places) give_weights(z, 1, &s, h, places);
  }
  if (ab_wants(z, 0)) ab_accumulate(z, 0, forward(&s, h, W, AB_NONE, g->shape));
}
static const AbOp data_op = {"transposed_convolution", data_backward};

static AbTensor *data(const Settings *s, AbTensor *g, AbTensor *W, AbTensor *b,
                      const int64_t *shape) {
  return g && W ? pass(K_CONVOLUTION_DATA, &data_op, s, g, W, b, shape) : NULL;
}

/* ---- weights --------------------------------------------------------------------------------- */

static void weights_backward(AbTensor *z, AbTensor *u) {
  AbTensor *x = z->inputs[0], *g = z->inputs[1];
  Settings s = plain(z);
  if (ab_wants(z, 0)) ab_accumulate(z, 0, data(&s, g, u, AB_NONE, x->shape));
  if (ab_wants(z, 1)) ab_accumulate(z, 1, forward(&s, x, u, AB_NONE, g->shape));
}
static const AbOp weights_op = {"convolution_weights", weights_backward};

static AbTensor *weights(const Settings *s, AbTensor *x, AbTensor *g, const int64_t *shape) {
  if (!x || !g || !(x = ab_channels_last(x)) || !(g = ab_channels_last(g))) return NULL;
  AbTensor *W = ab_tensor_new(x->ctx, x->dtype, x->rank, shape, !x->storage || !g->storage);
  if (!W) return NULL;
  AbConvolutionShape c = sizes_of(s, x, W, g);
  if (W->storage) weigh(&c, W, x, g, false);
  ab_convolution_keep(W, s);
  return ab_record(W, &weights_op, (AbTensor *[]){x, g}, 2);
}

/* ---- public ---------------------------------------------------------------------------------- */

static void misfit(const char *operation, const AbTensor *x, const AbTensor *W, const AbTensor *b,
                   const char *why) {
  char xs[220], Ws[220], bs[220] = "none";
  if (b != AB_NONE) ab_tensor_text(b, bs, sizeof bs);
  ab_error(x->ctx, AB_CONFIG, "%s: of x of %s, W of %s and b of %s: %s", operation,
           ab_tensor_text(x, xs, sizeof xs), ab_tensor_text(W, Ws, sizeof Ws), bs, why);
}

/* Checks everything but the sizes of the axes; `channels` of the result. */
static bool check(const char *operation, AbTensor *x, AbTensor *W, AbTensor *b, bool transposed,
                  const AbConvolutionOptions *options, Settings *s, int64_t *channels) {
  if (!b || !ab_fit(operation, x, W) || (b != AB_NONE && !ab_fit(operation, x, b))) return false;
  const char *why = NULL;
  if (x->rank < 3 || x->rank > 5 || W->rank != x->rank) {
    misfit(operation, x, W, b,
           transposed ? "wanted are x [n, c, 1 to 3 spatial axes] and W [c, out / groups, kernel]"
                      : "wanted are x [n, c, 1 to 3 spatial axes] and W [out, c / groups, kernel]");
    return false;
  }
  if (!ab_convolution_settings(operation, x, x->rank - 2, options, s)) return false;
  int64_t from = transposed ? W->shape[0] : W->shape[1],
          to = transposed ? W->shape[1] : W->shape[0];
  *channels = to;
  bool overflow = false;
  if (transposed)
    overflow = __builtin_mul_overflow(to, s->groups, channels);
  else
    overflow = __builtin_mul_overflow(from, s->groups, &from);
  if (overflow || x->shape[1] % s->groups != 0 || *channels % s->groups != 0)
    why = "channels cannot be divided into groups";
  else if (from != x->shape[1])
    why = "channels of x and W differ";
  else if (b != AB_NONE && (b->rank != 1 || b->shape[0] != *channels))
    why = "wanted is b [out]";
  if (why) {
    char text[100];
    snprintf(text, sizeof text, "%s (%lld groups)", why, (long long)s->groups);
    misfit(operation, x, W, b, text);
  }
  return !why;
}

typedef bool (*Sizes)(const Settings *s, const int64_t *from, const int64_t *k, int64_t *to);

/* The shape of the result. */
static bool shape_of(const Settings *s, const AbTensor *x, const AbTensor *W, int64_t channels,
                     Sizes sizes, int64_t *shape) {
  int64_t from[CONVOLUTION_AXES], k[CONVOLUTION_AXES], to[CONVOLUTION_AXES];
  int32_t axes = x->rank - 2;
  ab_convolution_axes(from, x->shape + 2, axes);
  ab_convolution_axes(k, W->shape + 2, axes);
  if (!sizes(s, from, k, to)) return false;
  shape[0] = x->shape[0];
  shape[1] = channels;
  for (int32_t a = 0; a < axes; a++) shape[2 + a] = to[CONVOLUTION_AXES - axes + a];
  return true;
}

/* An activation whose derivative needs its argument is an operation of its own. */
static AbTensor *finish(AbTensor *y, const Settings *s, AbActivation f) {
  return s->f == f ? y : ab_activate(f, y);
}

AbTensor *ab_convolution(AbTensor *x, AbTensor *W, AbTensor *b, AbConvolutionOptions options) {
  static const char *const name = "convolution";
  Settings s;
  int64_t channels, shape[AB_MAX_RANK];
  if (!check(name, x, W, b, false, &options, &s, &channels)) return NULL;
  for (int i = 0; i < CONVOLUTION_AXES; i++) {
    if (s.more[i] == 0) continue;
    misfit(name, x, W, b, "output_padding is for the transposed convolution");
    return NULL;
  }
  if (!shape_of(&s, x, W, channels, ab_convolution_sizes, shape)) {
    misfit(name, x, W, b, "the kernel is empty, or larger than the padded input");
    return NULL;
  }
  s.f = ab_activation_by_result(s.f) ? s.f : AB_IDENTITY;
  return finish(forward(&s, x, W, b, shape), &s, options.activation);
}

AbTensor *ab_transposed_convolution(AbTensor *x, AbTensor *W, AbTensor *b,
                                    AbConvolutionOptions options) {
  static const char *const name = "transposed_convolution";
  Settings s;
  int64_t channels, shape[AB_MAX_RANK];
  if (!check(name, x, W, b, true, &options, &s, &channels)) return NULL;
  if (!shape_of(&s, x, W, channels, ab_convolution_transposed_sizes, shape)) {
    misfit(name, x, W, b,
           "nothing would be left of an axis, or output_padding reaches stride and dilation");
    return NULL;
  }
  s.f = ab_activation_by_result(s.f) ? s.f : AB_IDENTITY;
  return finish(data(&s, x, W, b, shape), &s, options.activation);
}
