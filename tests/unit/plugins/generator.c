/* SPDX-License-Identifier: Apache-2.0
 *
 * Generator: what it draws through decoders that show it (identities), conditions given and drawn,
 * decoding against loops in double, and what is refused.                                        */
#include "net-test.h"
#include <math.h>
#include <string.h>

typedef struct {
  AbContext *ctx;
  AbModel *model, *decoder;
} Pair;

static void pair_begin(Pair *pair, AbContext *ctx, gint64 code, gint64 classes) {
  pair->ctx = ctx;
  pair->model = plugin_test_new(ctx, AB_KIND_MODEL, "generator");
  pair->decoder = plugin_test_new_at(ctx, AB_KIND_MODEL, "mlp", "model/decoder");
  plugin_test_slot(pair->model, "decoder", pair->decoder);
  plugin_test_set_ints(pair->decoder, "units", 0, NULL);
  plugin_test_set_int(pair->model, "code", code);
  plugin_test_set_bool(pair->model, "conditional", classes > 0);
  plugin_test_set_int(pair->model, "classes", classes);
}

static void pair_end(Pair *pair) {
  ab_instance_free(pair->model);
  ab_instance_free(pair->decoder);
}

/* As the host asks: nothing goes in, samples [a, b] come out. */
static void pair_build(Pair *pair, gint64 a, gint64 b) {
  AbSpec out = plugin_test_spec(pair->ctx, AB_RANGE_REAL, a, b, 0), in = {.rank = -1};
  AbSignature wanted = ab_signature(AB_ROLE_GENERATE, &in, &out);

  ab_build(pair->model, &wanted);
}

/* W[i][i - from] = 1 for rows from `from` on, else 0; b = 0. */
static void show_rows(AbModel *decoder, gint64 rows, gint64 columns, gint64 from) {
  g_autofree double *w = g_new0(double, (gsize)(rows * columns));

  for (gint64 i = 0; i < columns && from + i < rows; i++) w[(from + i) * columns + i] = 1;
  plugin_test_fill(plugin_test_state(decoder, "W1"), w);
}

/* ---- the prior ------------------------------------------------------------------------------- */

#define DRAWS 20000

/* Mean 0 and variance; the bounds are five deviations of the mean of DRAWS numbers. */
static void check_prior(const PluginTestCase *at, const char *prior, double variance,
                        double fourth) {
  AbContext *ctx = plugin_test_context(at);
  Pair pair;
  double sum = 0, squares = 0, most = 0;

  pair_begin(&pair, ctx, 4, 0);
  plugin_test_set_choice(pair.model, "prior", prior);
  pair_build(&pair, 2, 2);
  plugin_test_fine(ctx);
  g_assert_cmpint(ab_model_multiply_adds(pair.model), ==, 4 * 4);
  show_rows(pair.decoder, 4, 4, 0);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  {
    AbTensor *x = ab_generate(pair.model, DRAWS / 4);
    g_autofree double *z = plugin_test_values(x);

    g_assert_cmpint(ab_rank(x), ==, 3);
    g_assert_cmpint(ab_dim(x, 0), ==, DRAWS / 4);
    g_assert_cmpint(ab_dim(x, 1), ==, 2);
    for (int i = 0; i < DRAWS; i++) {
      sum += z[i] / DRAWS;
      squares += z[i] * z[i] / DRAWS;
      most = fmax(most, fabs(z[i]));
    }
  }
  g_assert_cmpfloat(fabs(sum), <, 5 * sqrt(variance / DRAWS));
  g_assert_cmpfloat(fabs(squares - variance), <, 5 * sqrt((fourth - variance * variance) / DRAWS));
  if (strcmp(prior, "uniform") == 0) g_assert_cmpfloat(most, <=, 1);
  if (strcmp(prior, "normal") == 0) g_assert_cmpfloat(most, >, 3);
  pair_end(&pair);
  plugin_test_finish(ctx);
}

static void test_prior(const PluginTestCase *at) {
  check_prior(at, "normal", 1, 3);
  check_prior(at, "uniform", 1. / 3, 1. / 5);
}

/* The same step gives the same samples, another step others, and so does a second call. */
static void test_streams(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  Pair pair;
  double *draws[4];

  pair_begin(&pair, ctx, 3, 0);
  pair_build(&pair, 5, 0);
  for (int i = 0; i < 4; i++) {
    if (i < 3) ab_begin(ctx, AB_PURPOSE_EVALUATE, i == 2 ? 1 : 0);
    draws[i] = plugin_test_values(ab_generate(pair.model, 2));
  }
  g_assert_cmpmem(draws[0], 10 * sizeof(double), draws[1], 10 * sizeof(double));
  g_assert_cmpint(memcmp(draws[0], draws[2], 10 * sizeof(double)), !=, 0);
  g_assert_cmpint(memcmp(draws[2], draws[3], 10 * sizeof(double)), !=, 0);
  for (int i = 0; i < 4; i++) g_free(draws[i]);
  pair_end(&pair);
  plugin_test_finish(ctx);
}

/* ---- the condition --------------------------------------------------------------------------- */

/* The classes of the batch at hand, where there are as many as samples. */
static void test_given(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  Pair pair;
  const double labels[] = {2, 0, 1, 2}, zeros[4] = {0};
  const double hot[] = {0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1};
  AbBatch *batch = plugin_test_batch(ctx, plugin_test_tensor(ctx, AB_SHAPE(4, 1), zeros),
                                     plugin_test_tensor_of(ctx, AB_I64, AB_SHAPE(4), labels));

  pair_begin(&pair, ctx, 5, 3);
  pair_build(&pair, 3, 0);
  plugin_test_fine(ctx);
  show_rows(pair.decoder, 8, 3, 5); /* what comes after the code */
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  ab_set_batch(ctx, batch);
  plugin_test_near(ab_generate(pair.model, 4), hot, 12, 0);
  ab_set_batch(ctx, NULL);
  ab_batch_free(batch);
  pair_end(&pair);
  plugin_test_finish(ctx);
}

/* Without a batch: one class each, all equally often (5 deviations of a binomial). */
static void test_drawn(const PluginTestCase *at) {
  AbContext *ctx = plugin_test_context(at);
  Pair pair;
  int counts[3] = {0};

  pair_begin(&pair, ctx, 5, 3);
  pair_build(&pair, 3, 0);
  show_rows(pair.decoder, 8, 3, 5);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  {
    g_autofree double *x = plugin_test_values(ab_generate(pair.model, 3000));

    for (int i = 0; i < 3000; i++) {
      g_assert_cmpfloat(x[3 * i] + x[3 * i + 1] + x[3 * i + 2], ==, 1);
      for (int c = 0; c < 3; c++) counts[c] += x[3 * i + c] == 1;
    }
  }
  g_assert_cmpint(counts[0] + counts[1] + counts[2], ==, 3000);
  for (int c = 0; c < 3; c++) g_assert_cmpint(ABS(counts[c] - 1000), <, 130);
  pair_end(&pair);
  plugin_test_finish(ctx);
}

/* ---- decoding -------------------------------------------------------------------------------- */

/* Its codes through the decoder, by a layer of 4 tanh; built for either role. */
static void check_decode(const PluginTestCase *at, AbRole role) {
  AbContext *ctx = plugin_test_context(at);
  Pair pair;
  Net net = {2, {3, 4, 6}, {0, AB_TANH, AB_IDENTITY}};
  const gint64 units = 4;
  g_autofree double *z = plugin_test_numbers(5 * 3, -1, 1, 3);
  double w[NET_WEIGHTS], y[5 * 6];
  AbTensor *x;

  pair_begin(&pair, ctx, 3, 0);
  plugin_test_set_ints(pair.decoder, "units", 1, &units);
  plugin_test_set_choice(pair.decoder, "activation", "tanh");
  if (role == AB_ROLE_GENERATE) {
    pair_build(&pair, 2, 3);
  } else {
    AbSpec code = plugin_test_spec(ctx, AB_RANGE_REAL, 3, 0, 0);
    AbSpec out = plugin_test_spec(ctx, AB_RANGE_REAL, 2, 3, 0);
    AbSignature wanted = ab_signature(role, &code, &out);

    plugin_test_set_int(pair.model, "code", 77); /* what it is given counts */
    ab_build(pair.model, &wanted);
  }
  plugin_test_fine(ctx);
  net_read(pair.decoder, &net, w);
  for (int r = 0; r < 5; r++) net_forward(&net, 2, w, z + 3 * r, y + 6 * r);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  x = ab_decode(pair.model, plugin_test_tensor(ctx, AB_SHAPE(5, 3), z));
  plugin_test_near(x, y, 30, at->exact);
  g_assert_cmpint(ab_rank(x), ==, 3);
  x = ab_generate(pair.model, 7);
  plugin_test_fine(ctx);
  g_assert_cmpint(ab_count(x), ==, 42);
  pair_end(&pair);
  plugin_test_finish(ctx);
}

static void test_decode(const PluginTestCase *at) {
  check_decode(at, AB_ROLE_GENERATE);
  check_decode(at, AB_ROLE_DECODE);
}

/* The other way round of an rbm is a decoder too. */
static void test_other_decoder(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  AbModel *model = plugin_test_new(ctx, AB_KIND_MODEL, "generator");
  AbModel *rbm = plugin_test_new_at(ctx, AB_KIND_MODEL, "rbm", "model/decoder");
  AbSpec in = {.rank = -1}, out = plugin_test_spec(ctx, AB_RANGE_UNIT, 4, 4, 0);
  AbSignature wanted = ab_signature(AB_ROLE_GENERATE, &in, &out);

  plugin_test_slot(model, "decoder", rbm);
  plugin_test_set_int(model, "code", 128);
  ab_build(model, &wanted);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  g_assert_cmpint(ab_count(ab_generate(model, 3)), ==, 48);
  ab_instance_free(model);
  ab_instance_free(rbm);
  plugin_test_finish(ctx);
}

static void test_dry_run(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  Pair pair;

  ab_dry_run(ctx, true);
  pair_begin(&pair, ctx, 6, 10);
  pair_build(&pair, 4, 5);
  plugin_test_fine(ctx);
  g_assert_cmpint(ab_output(pair.model, AB_ROLE_GENERATE).rank, ==, 2);
  g_assert_cmpint(ab_output(pair.model, AB_ROLE_GENERATE).shape[1], ==, 5);
  g_assert_cmpint(ab_model_multiply_adds(pair.model), ==, 16 * 20);
  pair_end(&pair);
  plugin_test_finish(ctx);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void test_errors(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbSpec in = {.rank = -1}, nothing = {.rank = -1};
  AbSignature wanted = ab_signature(AB_ROLE_GENERATE, &in, &nothing);
  const double numbers[] = {0.5, 1, 2};
  AbBatch *batch;
  Pair pair;

  pair_begin(&pair, ctx, 3, 0);
  ab_build(pair.model, &wanted);
  plugin_test_error(ctx, AB_CONFIG, "model (generator): *must be told what to give*");
  pair_end(&pair);

  pair_begin(&pair, ctx, 3, 1);
  pair_build(&pair, 2, 0);
  plugin_test_error(ctx, AB_CONFIG, "model (generator): conditional: set classes*2 or more*");
  pair_end(&pair);

  pair_begin(&pair, ctx, 3, 4);
  pair_build(&pair, 2, 0);
  plugin_test_fine(ctx);
  batch = plugin_test_batch(ctx, plugin_test_tensor(ctx, AB_SHAPE(3, 1), numbers),
                            plugin_test_tensor(ctx, AB_SHAPE(3), numbers));
  ab_set_batch(ctx, batch);
  g_assert_null(ab_generate(pair.model, 3));
  plugin_test_error(ctx, AB_CONFIG, "model (generator): *y of the data is not one class per*");
  ab_set_batch(ctx, NULL);
  ab_batch_free(batch);
  ab_decode(pair.model, plugin_test_tensor(ctx, AB_SHAPE(1, 2), numbers));
  plugin_test_error(ctx, AB_CONFIG, "model/decoder (mlp): *[1, 6]*[7]*");
  pair_end(&pair);
  plugin_test_finish(ctx);
}

static void test_roles(void) {
  const AbComponent *component = plugin_test_load(AB_KIND_MODEL, "generator", NULL);

  g_assert_cmpuint(ab_component_roles(component), ==,
                   AB_ROLE_BIT(AB_ROLE_GENERATE) | AB_ROLE_BIT(AB_ROLE_DECODE));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/generator/prior", test_prior);
  plugin_test_add("/generator/given", test_given);
  plugin_test_add("/generator/drawn", test_drawn);
  plugin_test_add("/generator/decode", test_decode);
  g_test_add_func("/generator/streams", test_streams);
  g_test_add_func("/generator/other-decoder", test_other_decoder);
  g_test_add_func("/generator/dry-run", test_dry_run);
  g_test_add_func("/generator/errors", test_errors);
  g_test_add_func("/generator/roles", test_roles);
  return g_test_run();
}
