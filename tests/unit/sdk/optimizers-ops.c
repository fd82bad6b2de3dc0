/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of the optimizers: trajectories of torch.optim, devices against each other, threads,
 * clipping in the same pass, errors. */
#include "device-test.h"
#include "golden-test.h"
#include <math.h>

/* One step of an optimizer; s are its states, zeros at first. */
typedef void (*Move)(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t);
#define STATES 3

static void sgd(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  (void)s, (void)t;
  ab_step_sgd(w, g, AB_NONE, 0.1, 0, false);
}
static void momentum(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  (void)t;
  ab_step_sgd(w, g, s[0], 0.1, 0.9, false);
}
static void nesterov(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  (void)t;
  ab_step_sgd(w, g, s[0], 0.1, 0.9, true);
}
static void adagrad(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  (void)t;
  ab_step_adagrad(w, g, s[0], 0.05, 1e-10);
}
static void rmsprop(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  (void)t;
  ab_step_rmsprop(w, g, s[0], AB_NONE, AB_NONE, 0.01, 0.99, 1e-8, 0);
}
static void rmsprop_momentum(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  (void)t;
  ab_step_rmsprop(w, g, s[0], s[1], AB_NONE, 0.01, 0.9, 1e-8, 0.8);
}
static void rmsprop_centred(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  (void)t;
  ab_step_rmsprop(w, g, s[0], AB_NONE, s[2], 0.01, 0.9, 1e-8, 0);
}
static void rmsprop_both(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  (void)t;
  ab_step_rmsprop(w, g, s[0], s[1], s[2], 0.01, 0.9, 1e-8, 0.8);
}
static void adadelta(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  (void)t;
  ab_step_adadelta(w, g, s[0], s[1], 1, 0.9, 1e-6);
}
static void adam(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  ab_step_adam(w, g, s[0], s[1], 0.01, 0.9, 0.999, 1e-8, t);
}
static void adamw(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  ab_step_adamw(w, g, s[0], s[1], 0.01, 0.9, 0.999, 1e-8, 0.3, t);
}
static void adamax(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  ab_step_adamax(w, g, s[0], s[1], 0.02, 0.9, 0.999, 1e-8, t);
}
static void nadam(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  ab_step_nadam(w, g, s[0], s[1], 0.02, 0.9, 0.999, 1e-8, t);
}
static void radam(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  ab_step_radam(w, g, s[0], s[1], 0.02, 0.9, 0.99, 1e-8, t);
}
static void lion(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  (void)t;
  ab_step_lion(w, g, s[0], 0.01, 0.9, 0.99, 0.1);
}
static void novograd(AbTensor *w, AbTensor *g, AbTensor *const *s, int64_t t) {
  ab_step_novograd(w, g, s[0], ab_slice(s[1], 0, 0, 1), 0.01, 0.95, 0.98, 1e-8, 0.1, t);
}

static const struct {
  const char *name;
  Move move;
} rules[] = {
    {"sgd", sgd},
    {"momentum", momentum},
    {"nesterov", nesterov},
    {"adagrad", adagrad},
    {"rmsprop", rmsprop},
    {"rmsprop-momentum", rmsprop_momentum},
    {"rmsprop-centred", rmsprop_centred},
    {"rmsprop-both", rmsprop_both},
    {"adadelta", adadelta},
    {"adam", adam},
    {"adamw", adamw},
    {"adamax", adamax},
    {"nadam", nadam},
    {"radam", radam},
    {"lion", lion},
    {"novograd", novograd},
};
#define RULES ((int)G_N_ELEMENTS(rules))

/* ---- golden ---------------------------------------------------------------------------------- */

/* start [n], gradients [steps, n] -> the weights after each step [steps, n] */
static AbTensor *run(Move move, AbTensor *start, AbTensor *gradients) {
  AbContext *ctx = ab_context_of(start);
  AbShape one = ab_shape(start), all = ab_shape(gradients);
  AbTensor *w = ab_zeros(ctx, one), *s[STATES], *path = ab_zeros(ctx, all);
  for (int k = 0; k < STATES; k++) s[k] = ab_zeros(ctx, one);
  ab_assign(w, start);
  for (int64_t t = 0; t < all.dims[0]; t++) {
    AbTensor *row = ab_reshape(ab_slice(gradients, 0, t, t + 1), one);
    move(w, row, s, t + 1);
    ab_assign(ab_reshape(ab_slice(path, 0, t, t + 1), one), w);
  }
  return path;
}
#define TRAJECTORY(rule) FUNCTION(rule##_run, run(rule, x[0], x[1]))
TRAJECTORY(sgd)
TRAJECTORY(momentum)
TRAJECTORY(nesterov)
TRAJECTORY(adagrad)
TRAJECTORY(rmsprop)
TRAJECTORY(rmsprop_momentum)
TRAJECTORY(rmsprop_centred)
TRAJECTORY(rmsprop_both)
TRAJECTORY(adadelta)
TRAJECTORY(adam)
TRAJECTORY(adamw)
TRAJECTORY(adamax)
TRAJECTORY(nadam)
TRAJECTORY(radam)
TRAJECTORY(lion)
TRAJECTORY(novograd)

static const SdkGoldenCase golden[] = {
    {"sgd", sgd_run_of},
    {"momentum", momentum_run_of},
    {"nesterov", nesterov_run_of},
    {"adagrad", adagrad_run_of},
    {"rmsprop", rmsprop_run_of},
    {"rmsprop-momentum", rmsprop_momentum_run_of},
    {"rmsprop-centred", rmsprop_centred_run_of},
    {"rmsprop-both", rmsprop_both_run_of},
    {"adadelta", adadelta_run_of},
    {"adam", adam_run_of},
    {"adamw", adamw_run_of},
    {"adamax", adamax_run_of},
    {"nadam", nadam_run_of},
    {"radam", radam_run_of},
    {"lion", lion_run_of},
    {"novograd", novograd_run_of},
};

static void test_golden(void) {
  sdk_check_golden("optimizers", golden, G_N_ELEMENTS(golden));
}

/* ---- devices and threads --------------------------------------------------------------------- */

#define LARGE 70001 /* for two threads, and no multiple of a vector */

static AbTensor *large_run(AbContext *ctx, Move move, int64_t n) {
  g_autofree double *w = sdk_numbers(n, -1, 1, 3), *g = sdk_numbers(4 * n, -2, 2, 4);
  for (int64_t i = 0; i < n; i++) w[i] = (double)(float)w[i];
  for (int64_t i = 0; i < 4 * n; i++) g[i] = (double)(float)g[i];
  return run(move, sdk_tensor(ctx, AB_SHAPE(n), w), sdk_tensor(ctx, AB_SHAPE(4, n), g));
}

static void test_devices(void) {
  for (int i = 0; i < RULES; i++) {
    AbContext *cpu = sdk_context("cpu", AB_F32), *exact = sdk_context("reference", AB_F64);
    double error = sdk_worst_error(large_run(cpu, rules[i].move, LARGE),
                                   large_run(exact, rules[i].move, LARGE), 1);
    g_test_message("%s: %.3g of %d", rules[i].name, error, 4);
    g_assert_cmpfloat(error, <=, 4);
    sdk_finish(cpu);
    sdk_finish(exact);
  }
}

static int at_work;
static GByteArray *bits_of_run(void) {
  AbContext *ctx = sdk_context("cpu", AB_F32);
  GByteArray *bits =
      sdk_bits_of(large_run(ctx, rules[at_work].move, 5 * LARGE), g_byte_array_new());
  sdk_finish(ctx);
  return bits;
}

static void test_threads(void) {
  for (at_work = 0; at_work < RULES; at_work++) sdk_same_bits(rules[at_work].name, bits_of_run);
}

/* ---- edges and errors ------------------------------------------------------------------------ */

/* After very many steps corrections are 1, and NAdam's product is 0: nothing overflows. */
static void test_late(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  for (int i = 0; i < RULES; i++) {
    AbTensor *w = ab_full(ctx, AB_F64, AB_SHAPE(3), 1), *s[STATES];
    for (int k = 0; k < STATES; k++) s[k] = ab_full(ctx, AB_F64, AB_SHAPE(3), 0.25);
    rules[i].move(w, ab_full(ctx, AB_F64, AB_SHAPE(3), 0.5), s, INT64_C(1) << 40);
    sdk_assert_ok(ctx);
    g_autofree double *values = sdk_values(w);
    for (int k = 0; k < 3; k++) g_assert_true(values[k] < 1 && values[k] > 0);
  }
  sdk_finish(ctx);
}

static void test_nothing(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *none = ab_zeros(ctx, AB_SHAPE(0)),
           *s[STATES] = {none, ab_zeros(ctx, AB_SHAPE(1)), none};
  for (int i = 0; i < RULES; i++) {
    AbTensor *const all[] = {none, rules[i].move == novograd ? s[1] : none, none};
    rules[i].move(none, none, all, 1);
    sdk_assert_ok(ctx);
  }
  sdk_finish(ctx);
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64), *other = sdk_context(device, AB_F64);
  AbTensor *w = ab_zeros(ctx, AB_SHAPE(4)), *g = ab_zeros(ctx, AB_SHAPE(4));
  AbTensor *good[] = {ab_zeros(ctx, AB_SHAPE(4)), ab_zeros(ctx, AB_SHAPE(4)),
                      ab_zeros(ctx, AB_SHAPE(4))};
  AbTensor *bad = ab_zeros(ctx, AB_SHAPE(5)), *far = ab_zeros(other, AB_SHAPE(4));
  for (int i = 0; i < RULES; i++) {
    Move move = rules[i].move;
    move(w, bad, good, 1);
    sdk_assert_error(ctx, AB_INTERNAL, "f64 [4]", "f64 [5]", NULL);
    move(w, ab_cast(g, AB_F32), good, 1);
    sdk_assert_error(ctx, AB_INTERNAL, "f64 [4]", "f32 [4]", NULL);
    move(w, far, good, 1);
    sdk_assert_error(ctx, AB_INTERNAL, "two contexts", NULL);
    move(w, AB_NONE, good, 1);
    sdk_assert_error(ctx, AB_INTERNAL, "AB_NONE", NULL);
    move(NULL, g, good, 1);
    move(w, NULL, good, 1);
    sdk_assert_ok(ctx);
    if (move == sgd) continue;
    AbTensor *const worse[] = {bad, bad, bad}, *const nowhere[] = {NULL, good[1], NULL};
    move(w, g, worse, 1);
    sdk_assert_error(ctx, AB_INTERNAL, "f64 [4]", "f64 [5]", NULL);
    move(w, g, nowhere, 1);
    sdk_assert_ok(ctx);
  }
  const Move counted[] = {adam, adamw, adamax, nadam, radam, novograd};
  for (size_t i = 0; i < G_N_ELEMENTS(counted); i++) {
    counted[i](w, g, good, 0);
    sdk_assert_error(ctx, AB_INTERNAL, "count from 1", NULL);
  }
  ab_step_rmsprop(w, g, good[0], AB_NONE, AB_NONE, 1, 0.9, 1e-8, 0.5);
  sdk_assert_error(ctx, AB_INTERNAL, "step_rmsprop", "velocity", NULL);
  ab_step_novograd(w, g, good[0], good[1], 1, 0.9, 0.9, 1e-8, 0, 1);
  sdk_assert_error(ctx, AB_INTERNAL, "step_novograd", "one number", "f64 [4]", NULL);
  ab_step_adam(ab_cast(w, AB_I64), g, good[0], good[1], 1, 0.9, 0.9, 1e-8, 1);
  sdk_assert_error(ctx, AB_CONFIG, "step_adam", "i64", NULL);
  sdk_finish(other);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/optimizers/golden", test_golden);
  g_test_add_func("/optimizers/devices", test_devices);
  g_test_add_func("/optimizers/threads", test_threads);
  sdk_add("/optimizers/late", test_late);
  sdk_add("/optimizers/nothing", test_nothing);
  sdk_add("/optimizers/errors", test_errors);
  return g_test_run();
}
