/* SPDX-License-Identifier: Apache-2.0
 *
 * Images as loops; see image-test.h.                                                            */
#include "image-test.h"
#include "net-test.h"
#include "store/service.h"
#include "store/store.h"
#include <math.h>
#include <string.h>

/* ---- loops ----------------------------------------------------------------------------------- */

gint64 images_count(const Images *x) {
  return (gint64)x->n * x->channels * x->size[0] * x->size[1] * x->size[2];
}

Images images_new(int n, int channels, const int *size) {
  Images x = {.n = n, .channels = channels, .size = {size[0], size[1], size[2]}};

  x.v = g_new0(double, (gsize)images_count(&x) + 1);
  return x;
}

/* NULL outside of the image. */
static double *at(const Images *x, int n, int c, const int *p) {
  gint64 index = (gint64)n * x->channels + c;

  for (int a = 0; a < 3; a++) {
    if (p[a] < 0 || p[a] >= x->size[a]) return NULL;
    index = index * x->size[a] + p[a];
  }
  return x->v + index;
}

/* The place in row-major order `i` of a box. */
static void place(int i, const int *size, int *p) {
  p[2] = i % size[2];
  p[1] = i / size[2] % size[1];
  p[0] = i / size[2] / size[1];
}

static int volume(const int *size) {
  return size[0] * size[1] * size[2];
}

static void kernel_size(const Windows *w, int *size) {
  for (int a = 0; a < 3; a++) size[a] = a >= 3 - w->axes ? w->kernel : 1;
}

/* Where tap `t` of window `q` is; along an axis without windows it is q. */
static void tap_place(const Windows *w, const int *q, const int *t, int *p) {
  for (int a = 0; a < 3; a++)
    p[a] = a < 3 - w->axes ? q[a] : q[a] * w->stride - (w->same ? (w->kernel - 1) / 2 : 0) + t[a];
}

/* The windows of x in a row: f(y, x, W) for each pair of channels, window and tap in the image. */
static void walk(const Images *inner, const Images *outer, const Windows *w, const double *W,
                 gboolean back) {
  int kernel[3], q[3], t[3], p[3];

  kernel_size(w, kernel);
  for (int n = 0; n < inner->n; n++)
    for (int o = 0; o < inner->channels; o++)
      for (int c = 0; c < outer->channels; c++)
        for (int i = 0; i < volume(inner->size); i++)
          for (int k = 0; k < volume(kernel); k++) {
            double weight = W[(o * outer->channels + c) * volume(kernel) + k], *x, *y;

            place(i, inner->size, q);
            place(k, kernel, t);
            tap_place(w, q, t, p);
            x = at(outer, n, c, p);
            y = at(inner, n, o, q);
            if (x == NULL) continue;
            if (back)
              *x += weight * *y;
            else
              *y += weight * *x;
          }
}

static void add_bias(Images *y, const double *b) {
  int numbers = volume(y->size);

  for (gint64 i = 0; b != NULL && i < images_count(y); i++) y->v[i] += b[i / numbers % y->channels];
}

Images images_convolution(Images x, const Windows *w, int out, const double *W, const double *b) {
  int size[3];
  Images y;

  for (int a = 0; a < 3; a++) {
    int last = x.size[a] - (w->same ? 1 : w->kernel); /* where the last window may begin */

    size[a] = a < 3 - w->axes ? x.size[a] : last / w->stride + 1;
  }
  y = images_new(x.n, out, size);
  walk(&y, &x, w, W, FALSE);
  add_bias(&y, b);
  g_free(x.v);
  return y;
}

Images images_transposed(Images x, const Windows *w, int out, const int *size, const double *W,
                         const double *b) {
  Images y = images_new(x.n, out, size);

  walk(&x, &y, w, W, TRUE);
  add_bias(&y, b);
  g_free(x.v);
  return y;
}

Images images_max_pool(Images x, int axes, int window) {
  Windows w = {axes, window, window, FALSE};
  int size[3], kernel[3], q[3], t[3], p[3];
  Images y;

  kernel_size(&w, kernel);
  for (int a = 0; a < 3; a++) size[a] = x.size[a] / kernel[a];
  y = images_new(x.n, x.channels, size);
  for (int n = 0; n < y.n; n++)
    for (int c = 0; c < y.channels; c++)
      for (int i = 0; i < volume(size); i++) {
        double largest = -INFINITY;

        place(i, size, q);
        for (int k = 0; k < volume(kernel); k++) {
          place(k, kernel, t);
          tap_place(&w, q, t, p);
          largest = fmax(largest, *at(&x, n, c, p));
        }
        *at(&y, n, c, q) = largest;
      }
  g_free(x.v);
  return y;
}

/* Of a channel. */
static void statistics(const Images *x, int c, double *mean, double *variance) {
  int numbers = volume(x->size), all = x->n * numbers;
  const double *v = x->v + c * numbers;
  int stride = x->channels * numbers;

  *mean = *variance = 0;
  for (int i = 0; i < all; i++) *mean += v[i / numbers * stride + i % numbers] / all;
  for (int i = 0; i < all; i++) {
    double d = v[i / numbers * stride + i % numbers] - *mean;

    *variance += d * d / all;
  }
}

void images_batch_norm(Images *x, const double *gain, const double *bias, const double *running) {
  int numbers = volume(x->size);

  for (int c = 0; c < x->channels; c++) {
    double mean, variance;

    statistics(x, c, &mean, &variance);
    if (running != NULL) mean = running[c], variance = running[x->channels + c];
    for (int i = 0; i < x->n * numbers; i++) {
      double *v = x->v + (i / numbers * x->channels + c) * numbers + i % numbers;

      *v = gain[c] * (*v - mean) / sqrt(variance + 1e-5) + bias[c];
    }
  }
}

void images_activate(Images *x, int activation) {
  for (gint64 i = 0; i < images_count(x); i++) x->v[i] = net_activation(activation, x->v[i]);
}

/* ---- weights --------------------------------------------------------------------------------- */

double *image_weights(AbModel *model, gint64 *count) {
  double *w = NULL;

  *count = 0;
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbTensor *tensor = ab_state(model, i).tensor;
    g_autofree double *values = plugin_test_values(tensor);

    if (!ab_state(model, i).weight) continue;
    w = g_renew(double, w, (gsize)(*count + ab_count(tensor)));
    memcpy(w + *count, values, (gsize)ab_count(tensor) * sizeof *w);
    *count += ab_count(tensor);
  }
  return w;
}

void image_set_weights(AbModel *model, const double *w) {
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbState state = ab_state(model, i);

    if (!state.weight) continue;
    plugin_test_fill(state.tensor, w);
    w += ab_count(state.tensor);
  }
}

void image_shake(AbModel *model, double *running) {
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbState state = ab_state(model, i);
    g_autofree double *numbers =
        state.weight ? plugin_test_numbers(ab_count(state.tensor), -0.6, 0.6, (guint64)i + 50)
                     : plugin_test_numbers(ab_count(state.tensor), 0.5, 1.5, (guint64)i + 50);

    plugin_test_fill(state.tensor, numbers);
    if (state.weight) continue;
    memcpy(running, numbers, (gsize)ab_count(state.tensor) * sizeof *numbers);
    running += ab_count(state.tensor);
  }
}

void image_check_gradients(AbModel *model, const double *slopes, double tolerance) {
  for (gint64 i = 0; i < ab_state_count(model); i++) {
    AbState state = ab_state(model, i);

    if (!state.weight) continue;
    plugin_test_near(ab_gradient(state.tensor), slopes, ab_count(state.tensor), tolerance);
    slopes += ab_count(state.tensor);
  }
}

/* ---- learning -------------------------------------------------------------------------------- */

#define BATCH   51
#define BATCHES 28 /* of the 1437 digits of the training split */

static AbBatch *digits_batch(AbContext *ctx, AbRole role, const double *x, const double *y) {
  AbTensor *images = plugin_test_tensor(ctx, AB_SHAPE(BATCH, 8, 8), x);
  AbTensor *labels = plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(BATCH), y);

  return plugin_test_batch(ctx, images, role == AB_ROLE_CLASSIFY ? labels : images);
}

static void learn(AbContext *ctx, AbStepParts *parts, const double *x, const double *y,
                  int epochs) {
  AbStep *step = ab_step_new(ctx, parts);
  AbBatch *batches[BATCHES];

  ab_step_build(step);
  plugin_test_fine(ctx);
  for (int i = 0; i < BATCHES; i++)
    batches[i] = digits_batch(ctx, parts->role, x + i * BATCH * 64, y + i * BATCH);
  for (int t = 0; t < epochs * BATCHES; t++)
    plugin_test_step(ctx, step, batches[t % BATCHES], t, BATCHES);
  plugin_test_fine(ctx);
  for (int i = 0; i < BATCHES; i++) ab_batch_free(batches[i]);
  ab_step_free(step);
}

double *image_learn_digits(AbModel *model, AbRole role, const char *loss, double rate, int epochs,
                           double **x, double **y) {
  AbContext *ctx = ab_context(model);
  AbData *digits = plugin_test_new(ctx, AB_KIND_DATA, "digits");
  AbStepParts parts = {.role = role, .model = model};
  g_autofree double *images = NULL, *labels = NULL;
  double *y_hat;

  parts.loss = plugin_test_new(ctx, AB_KIND_LOSS, loss);
  parts.optimizer = plugin_test_new(ctx, AB_KIND_OPTIMIZER, "adam");
  parts.controller = plugin_test_new(ctx, AB_KIND_CONTROLLER, "trainer");
  plugin_test_set_real(parts.optimizer, "lr", rate);
  store_init();
  ab_set_store(ctx, store_service());
  g_assert_true(plugin_test_open(digits));
  g_assert_cmpint(ab_data_samples(digits, AB_TRAIN), >=, BATCH * BATCHES);
  g_assert_cmpint(ab_data_samples(digits, AB_TEST), ==, IMAGE_TESTED);
  images = plugin_test_fetch_all(digits, "x", AB_TRAIN);
  labels = plugin_test_fetch_all(digits, "y", AB_TRAIN);
  learn(ctx, &parts, images, labels, epochs);
  *x = plugin_test_fetch_all(digits, "x", AB_TEST);
  *y = plugin_test_fetch_all(digits, "y", AB_TEST);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  y_hat = plugin_test_values(
      ab_call(model, role, plugin_test_tensor(ctx, AB_SHAPE(IMAGE_TESTED, 8, 8), *x)));
  ab_instance_free(parts.controller);
  ab_instance_free(parts.optimizer);
  ab_instance_free(parts.loss);
  ab_instance_free(digits);
  return y_hat;
}
