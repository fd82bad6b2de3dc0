/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights: names, initial values, ties, freezing, dry runs. The models are made by functions of the
 * tests, so that each can have the weights that it wants.                                        */
#include "sdk-test.h"
#include <math.h>
#include <string.h>

typedef struct Net Net;
struct Net {
  AbModel base;
  AbModel *child;
  void (*make)(Net *net);
  AbTensor *(*f)(Net *net, AbTensor *x);
  AbTensor *W, *V;
  int64_t in, out;
};

static void net_build(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  ((Net *)self)->make((Net *)self);
}
static AbTensor *net_predict(AbModel *self, AbTensor *x) {
  return ((Net *)self)->f((Net *)self, x);
}
static const AbModelVtable net_table = {
    .struct_size = sizeof net_table, .build = net_build, .predict = net_predict};
static const AbSlot net_slots[] = {
    AB_SLOT(Net, child, AB_KIND_MODEL, AB_ROLE_NONE, AB_OPTIONAL, "Another.")};
static const AbComponent net_component = {
    sizeof(AbComponent), AB_KIND_MODEL,       "net", "A net.", "", .instance_size = sizeof(Net),
    AB_SLOTS(net_slots), .vtable = &net_table};

static Net *net_new(AbContext *ctx, const char *path, void (*make)(Net *net)) {
  Net *net = (Net *)ab_instance_new(ctx, &net_component, path, NULL);
  net->make = make;
  return net;
}

static void build(Net *net, int64_t in) {
  AbSpec spec = {1, AB_F64, {in}, 0, 0, 0};
  AbSignature wanted = ab_signature(AB_ROLE_PREDICT, &spec, NULL);
  ab_build(&net->base, &wanted);
}

static AbTensor *same(Net *net, AbTensor *x) {
  (void)net;
  return x;
}

/* ---- names ----------------------------------------------------------------------------------- */

static void make_named(Net *net) {
  AbInit init = {AB_INIT_CONSTANT, 0, 0.25};
  ab_weight(&net->base, "W", AB_SHAPE(2, 3), init, "in out");
  ab_buffer(&net->base, "chain", AB_I64, AB_SHAPE(4), "row");
  ab_weight(&net->base, "bias-1", ab_scalar_shape(), init, "");
}

static void test_names(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  Net *net = net_new(ctx, "model/part", make_named);
  net->f = same;
  build(net, 3);
  sdk_assert_ok(ctx);
  g_assert_cmpint(ab_state_count(&net->base), ==, 3);
  const char *const names[] = {"model/part/W", "model/part/chain", "model/part/bias-1"};
  const char *const axes[] = {"in out", "row", ""};
  const AbDtype dtypes[] = {AB_F32, AB_I64, AB_F32};
  const double firsts[] = {0.25, 0, 0.25};
  for (int i = 0; i < 3; i++) {
    AbState state = ab_state(&net->base, i);
    g_assert_cmpstr(state.name, ==, names[i]);
    g_assert_cmpstr(state.axes, ==, axes[i]);
    g_assert_cmpint(state.weight, ==, i != 1);
    g_assert_false(state.tied);
    g_assert_false(state.frozen);
    g_assert_cmpint(ab_dtype(state.tensor), ==, dtypes[i]);
    g_assert_cmpint(ab_requires_grad(state.tensor), ==, i != 1);
    g_autofree double *values = sdk_values(state.tensor);
    for (int64_t j = 0; j < ab_count(state.tensor); j++)
      g_assert_cmpfloat(values[j], ==, firsts[i]);
  }
  g_assert_true(ab_find_weight(&net->base, "W") == ab_state(&net->base, 0).tensor);
  g_assert_true(ab_has_weight(&net->base, "bias-1"));
  g_assert_false(ab_has_weight(&net->base, "chain"));
  g_assert_null(ab_find_weight(&net->base, "chain"));
  sdk_assert_error(ctx, AB_INTERNAL, "model/part (net): ", "chain", NULL);
  /* names that cannot be */
  AbInit init = {AB_INIT_CONSTANT, 0, 0};
  const char *const wrong[] = {"W",
                               "chain",
                               "",
                               "a/b",
                               "a b",
                               "gr\xc3\xb6\xc3\x9f"
                               "e",
                               "a\n"};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_assert_null(ab_weight(&net->base, wrong[i], AB_SHAPE(1), init, ""));
    sdk_assert_error(ctx, AB_INTERNAL, "model/part (net): ", i < 2 ? "one of that name" : "name",
                     NULL);
    g_assert_null(ab_buffer(&net->base, wrong[i], AB_F32, AB_SHAPE(1), ""));
    sdk_assert_error(ctx, AB_INTERNAL, "model/part (net): ", NULL);
  }
  g_assert_null(ab_weight(&net->base, "next", AB_SHAPE(1), (AbInit){99, 0, 0}, ""));
  sdk_assert_error(ctx, AB_INTERNAL, "99", "next", NULL);
  g_assert_null(ab_weight(&net->base, "negative", AB_SHAPE(-1), init, ""));
  sdk_assert_error(ctx, AB_CONFIG, "[-1]", NULL);
  ab_instance_free(&net->base);
  sdk_finish(ctx);
}

/* ---- initial values -------------------------------------------------------------------------- */

static AbInitKind init_kind;

static void make_drawn(Net *net) {
  ab_weight(&net->base, "W", AB_SHAPE(300, 200), (AbInit){init_kind, 0, 0.5}, "in out");
}

static void make_drawn_late(Net *net) {
  for (int i = 0; i < 3; i++) {
    g_autofree char *name = g_strdup_printf("before%d", i);
    ab_weight(&net->base, name, AB_SHAPE(5), (AbInit){AB_INIT_NORMAL, 0, 1}, "");
  }
  make_drawn(net);
}

/* The weight W of a new net; to be freed with g_free. */
static double *drawn(const char *device, uint64_t seed, const char *path, void (*make)(Net *net)) {
  AbContext *ctx = ab_context_new(device, AB_F64, seed);
  Net *net = net_new(ctx, path, make);
  net->f = same;
  build(net, 3);
  double *values = sdk_values(ab_find_weight(&net->base, "W"));
  ab_instance_free(&net->base);
  sdk_finish(ctx);
  return values;
}

static void test_initial(const void *device) {
  const int n = 300 * 200;
  const struct {
    AbInitKind kind;
    double bound, deviation; /* bound 0: normal */
  } kinds[] = {
      {AB_INIT_UNIFORM, 0.5, 0},
      {AB_INIT_NORMAL, 0, 0.5},
      {AB_INIT_XAVIER_UNIFORM, 0.5 * sqrt(6.0 / 500), 0},
      {AB_INIT_XAVIER_NORMAL, 0, 0.5 * sqrt(2.0 / 500)},
      {AB_INIT_KAIMING_UNIFORM, 0.5 * sqrt(3.0 / 300), 0},
      {AB_INIT_KAIMING_NORMAL, 0, 0.5 / sqrt(300)},
  };
  for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
    init_kind = kinds[k].kind;
    double bound = kinds[k].bound, sum = 0, squares = 0, largest = 0;
    double deviation = bound > 0 ? bound / sqrt(3) : kinds[k].deviation;
    g_autofree double *w = drawn(device, 1, "model", make_drawn);
    for (int i = 0; i < n; i++) {
      sum += w[i];
      squares += w[i] * w[i];
      largest = fmax(largest, fabs(w[i]));
    }
    g_assert_cmpfloat(fabs(sum / n), <, 4 * deviation / sqrt(n));
    g_assert_cmpfloat(fabs(sqrt(squares / n) / deviation - 1), <, 4 / sqrt(n));
    if (bound > 0) {
      g_assert_cmpfloat(largest, <=, bound);
      g_assert_cmpfloat(largest, >, 0.999 * bound);
    } else {
      g_assert_cmpfloat(largest, >, 3.5 * deviation);
    }
  }
}

/* By seed and full name, and by nothing else. */
static void test_initial_names(const void *device) {
  init_kind = AB_INIT_NORMAL;
  const size_t size = 300 * 200 * sizeof(double);
  g_autofree double *first = drawn(device, 1, "model", make_drawn);
  g_autofree double *again = drawn(device, 1, "model", make_drawn);
  g_autofree double *late = drawn(device, 1, "model", make_drawn_late);
  g_autofree double *seed = drawn(device, 2, "model", make_drawn);
  g_autofree double *path = drawn(device, 1, "model/encoder", make_drawn);
  g_assert_cmpmem(first, size, again, size);
  g_assert_cmpmem(first, size, late, size);
  int equal = 0;
  for (int i = 0; i < 1000; i++) equal += first[i] == seed[i] || first[i] == path[i];
  g_assert_cmpint(equal, <, 3);
}

/* ---- a step around them ---------------------------------------------------------------------- */

static void keep_update(AbOptimizer *self, AbUpdate *update) {
  (void)self;
  ab_step_sgd(ab_update_weights(update), ab_update_gradients(update), AB_NONE, 0.5, 0, false);
}
static const AbOptimizerVtable keep_table = {.struct_size = sizeof keep_table,
                                             .update = keep_update};
static const AbComponent keep_component = {sizeof(AbComponent),
                                           AB_KIND_OPTIMIZER,
                                           "half",
                                           "A step of 1/2.",
                                           "",
                                           .instance_size = sizeof(AbOptimizer),
                                           .vtable = &keep_table};

/* The loss is sum(c f(x)). With `other` there is a second group, which is not moved. */
typedef struct {
  AbController base;
  AbModel *other;
  AbTensor *c;
  AbOptimizer *optimizer;
} Control;

static void control_build(AbController *self, AbStep *step) {
  Control *control = (Control *)self;
  if (control->other) ab_group(step, "other", control->other, control->optimizer);
}
static AbTensor *control_step(AbController *self, AbStep *step) {
  Control *control = (Control *)self;
  AbModel *model = control->other ? control->other : ab_step_model(step);
  AbTensor *y = ab_call(model, AB_ROLE_PREDICT, ab_batch_get(ab_step_batch(step), "x"));
  AbTensor *loss = ab_sum(ab_mul(y, control->c));
  ab_update(step, loss, ab_step_group(step));
  return loss;
}
static const AbControllerVtable control_table = {
    .struct_size = sizeof control_table, .build = control_build, .step = control_step};
static const AbComponent control_component = {sizeof(AbComponent),
                                              AB_KIND_CONTROLLER,
                                              "control",
                                              "A linear loss.",
                                              "",
                                              .instance_size = sizeof(Control),
                                              .vtable = &control_table};

typedef struct {
  AbOptimizer *optimizer;
  Control *control;
  AbStep *step;
} Machine;

static Machine machine_new(Net *net, Net *other) {
  AbContext *ctx = ab_context(&net->base);
  Machine m;
  m.optimizer = ab_instance_new(ctx, &keep_component, "optimizer", NULL);
  m.control = (Control *)ab_instance_new(ctx, &control_component, "controller", NULL);
  m.control->other = other ? &other->base : NULL;
  m.control->optimizer = m.optimizer;
  AbStepParts parts = {.role = AB_ROLE_PREDICT,
                       .model = &net->base,
                       .optimizer = m.optimizer,
                       .controller = &m.control->base};
  m.step = ab_step_new(ctx, &parts);
  ab_step_build(m.step);
  return m;
}

static void machine_run(Machine *m, AbTensor *x, AbTensor *c) {
  AbContext *ctx = ab_context(m->optimizer);
  AbProgress progress = {0, 1, 0, 1};
  AbBatch *batch = ab_batch_new(ctx, ab_dim(x, 0));
  ab_batch_put(batch, "x", x);
  m->control->c = c;
  ab_step_run(m->step, batch, &progress);
  ab_batch_free(batch);
}

static void machine_free(Machine *m) {
  ab_step_free(m->step);
  ab_instance_free(&m->control->base);
  ab_instance_free(m->optimizer);
}

/* ---- ties ------------------------------------------------------------------------------------ */

static bool tie_transposed;
static int64_t child_rows, child_cols;

static void make_child(Net *net) {
  net->W = ab_weight(&net->base, "V", AB_SHAPE(child_rows, child_cols),
                     (AbInit){AB_INIT_NORMAL, 0, 1}, "in out");
}
static AbTensor *apply_child(Net *net, AbTensor *x) {
  return ab_linear(x, net->W, AB_NONE, AB_TANH);
}

/* y = 2 child(h) + h W' (or h W), h = tanh(x W). The child is called before and after the other use
 * of the weight, so that its gradient is once the first of the sum and once added to it. */
static void make_parent(Net *net) {
  net->W = ab_weight(&net->base, "W", AB_SHAPE(net->in, net->out), (AbInit){AB_INIT_NORMAL, 0, 1},
                     "in out");
  if (!net->child) return;
  ab_tie(net->child, "V", net->W, tie_transposed);
  build((Net *)net->child, net->out);
}
static AbTensor *apply_parent(Net *net, AbTensor *x) {
  AbTensor *h = ab_tanh(ab_matmul(x, net->W)), *first = ab_call(net->child, AB_ROLE_PREDICT, h);
  AbTensor *again = ab_matmul(h, tie_transposed ? ab_transpose(net->W, 0, 1) : net->W);
  return ab_add(ab_add(first, ab_call(net->child, AB_ROLE_PREDICT, h)), again);
}

#define ROWS 4
/* The same in plain double. */
static double tied_loss(int in, int out, bool transposed, const double *x, const double *W,
                        const double *c) {
  int last = transposed ? in : out;
  double loss = 0, h[16];
  for (int r = 0; r < ROWS; r++) {
    for (int j = 0; j < out; j++) {
      h[j] = 0;
      for (int i = 0; i < in; i++) h[j] += x[r * in + i] * W[i * out + j];
      h[j] = tanh(h[j]);
    }
    for (int k = 0; k < last; k++) {
      double z = 0;
      for (int j = 0; j < out; j++) z += h[j] * (transposed ? W[k * out + j] : W[j * out + k]);
      loss += c[r * last + k] * (2 * tanh(z) + z);
    }
  }
  return loss;
}

typedef struct {
  AbContext *ctx;
  Net *parent, *child;
  AbTensor *x, *c;
  double *xs, *cs;
} Pair;

static Pair pair_new(const char *device, AbDtype real, int64_t in, int64_t out, bool transposed) {
  Pair p = {.ctx = sdk_context(device, real)};
  tie_transposed = transposed;
  int64_t last = child_cols = transposed ? in : out;
  child_rows = out;
  p.parent = net_new(p.ctx, "model", make_parent);
  p.child = net_new(p.ctx, "model/child", make_child);
  p.parent->child = &p.child->base;
  p.parent->f = apply_parent;
  p.child->f = apply_child;
  p.parent->in = in;
  p.parent->out = out;
  build(p.parent, in);
  p.xs = sdk_numbers(ROWS * in, -1, 1, 4);
  p.cs = sdk_numbers(ROWS * last, 0.5, 1.5, 5);
  p.x = sdk_tensor(p.ctx, AB_SHAPE(ROWS, in), p.xs);
  p.c = sdk_tensor(p.ctx, AB_SHAPE(ROWS, last), p.cs);
  return p;
}

static void pair_free(Pair *p) {
  g_free(p->xs);
  g_free(p->cs);
  ab_instance_free(&p->child->base);
  ab_instance_free(&p->parent->base);
  sdk_finish(p->ctx);
}

/* What is written to one is read through the other. */
static void assert_shared(Pair *p) {
  int64_t n = ab_count(p->parent->W);
  g_autofree double *numbers = sdk_numbers(n, -1, 1, (uint64_t)n);
  AbTensor *value = sdk_tensor(p->ctx, ab_shape(p->parent->W), numbers);
  ab_assign(p->parent->W, value);
  AbTensor *seen = tie_transposed ? ab_transpose(p->child->W, 0, 1) : p->child->W;
  g_autofree double *a = sdk_values(value), *b = sdk_values(seen);
  g_assert_cmpmem(a, (size_t)n * sizeof *a, b, (size_t)n * sizeof *b);
}

static void assert_tied_step(Pair *p, Machine *m) {
  int in = (int)p->parent->in, out = (int)p->parent->out;
  bool exact = ab_real_dtype(p->ctx) == AB_F64;
  g_autofree double *before = sdk_values(p->parent->W);
  machine_run(m, p->x, p->c);
  sdk_assert_ok(p->ctx);
  g_autofree double *after = sdk_values(p->parent->W);
  for (int i = 0; i < in * out; i++) {
    double w = before[i], h = 1e-5;
    before[i] = w + h;
    double above = tied_loss(in, out, tie_transposed, p->xs, before, p->cs);
    before[i] = w - h;
    double below = tied_loss(in, out, tie_transposed, p->xs, before, p->cs);
    before[i] = w;
    double wanted = w - 0.5 * (above - below) / (2 * h);
    g_assert_cmpfloat_with_epsilon(after[i], wanted, exact ? 1e-8 : 2e-5);
  }
}

static void check_tied(const char *device, AbDtype real, int64_t in, int64_t out, bool transposed) {
  Pair p = pair_new(device, real, in, out, transposed);
  sdk_assert_ok(p.ctx);
  AbState state = ab_state(&p.child->base, 0);
  g_assert_true(state.tied && state.weight && !ab_state(&p.parent->base, 0).tied);
  assert_shared(&p);
  Machine m = machine_new(p.parent, NULL);
  sdk_assert_ok(p.ctx);
  assert_shared(&p);
  for (int i = 0; i < 3; i++) assert_tied_step(&p, &m);
  assert_shared(&p);
  machine_free(&m);
  pair_free(&p);
}

static void test_tied(const void *device) {
  const AbDtype reals[] = {AB_F64, AB_F32};
  for (int i = 0; i < 2; i++) {
    check_tied(device, reals[i], 5, 5, false);
    check_tied(device, reals[i], 5, 3, true);
    check_tied(device, reals[i], 1, 6, true);
    check_tied(device, reals[i], 6, 1, true);
    check_tied(device, reals[i], 4, 4, true);
  }
}

/* Before there is a group, the leaves have gradients of their own, which add up by hand. */
static void test_tied_alone(const void *device) {
  Pair p = pair_new(device, AB_F64, 5, 3, true);
  AbTensor *y = ab_call(&p.parent->base, AB_ROLE_PREDICT, p.x);
  ab_backward(ab_sum(ab_mul(y, p.c)));
  AbTensor *sum = ab_add(ab_gradient(p.parent->W), ab_transpose(ab_gradient(p.child->W), 0, 1));
  g_autofree double *g = sdk_values(sum), *W = sdk_values(p.parent->W);
  for (int i = 0; i < 15; i++) {
    double w = W[i], h = 1e-6;
    W[i] = w + h;
    double above = tied_loss(5, 3, true, p.xs, W, p.cs);
    W[i] = w - h;
    double below = tied_loss(5, 3, true, p.xs, W, p.cs);
    W[i] = w;
    g_assert_cmpfloat_with_epsilon(g[i], (above - below) / (2 * h), 1e-8);
  }
  pair_free(&p);
}

/* The owner's weight in one group and the tied one in another, later group. */
static void test_tied_groups(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  tie_transposed = false;
  child_rows = child_cols = 3;
  for (int late = 0; late < 2; late++) {
    Net *owner = net_new(ctx, "owner", make_parent), *user = net_new(ctx, "user", make_child);
    owner->f = same;
    user->f = apply_child;
    owner->in = owner->out = 3;
    build(owner, 3);
    ab_tie(&user->base, "V", owner->W, false);
    build(user, 3);
    sdk_assert_ok(ctx);
    Machine m = late ? machine_new(user, owner) : machine_new(owner, user);
    if (late) {
      sdk_assert_error(ctx, AB_CONFIG, "user (net)", "'optimizer'", "V", NULL);
    } else {
      Pair p = {.ctx = ctx, .parent = owner, .child = user};
      assert_shared(&p);
      double x[ROWS * 3] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}, c[ROWS * 3];
      g_autofree double *W = sdk_values(owner->W);
      for (int i = 0; i < ROWS * 3; i++) c[i] = i + 1;
      machine_run(&m, sdk_tensor(ctx, AB_SHAPE(ROWS, 3), x), sdk_tensor(ctx, AB_SHAPE(ROWS, 3), c));
      sdk_assert_ok(ctx);
      assert_shared(&p);
      /* the gradient reached the owner's group: d sum c tanh(W) / dW */
      machine_run(&m, sdk_tensor(ctx, AB_SHAPE(ROWS, 3), x), sdk_tensor(ctx, AB_SHAPE(ROWS, 3), c));
      g_autofree double *numbers = sdk_numbers(9, -1, 1, 9), *after = sdk_values(owner->W);
      for (int i = 0; i < 9; i++) {
        double t = tanh(numbers[i]);
        g_assert_cmpfloat_with_epsilon(after[i], numbers[i] - 0.5 * c[i] * (1 - t * t), 1e-12);
      }
    }
    machine_free(&m);
    ab_instance_free(&user->base);
    ab_instance_free(&owner->base);
  }
  sdk_finish(ctx);
}

static void test_tie_errors(const void *device) {
  for (int i = 0; i < 5; i++) {
    AbContext *ctx = sdk_context(device, AB_F64);
    Net *owner = net_new(ctx, "owner", make_named), *user = net_new(ctx, "user", make_child);
    owner->f = user->f = same;
    child_rows = 2;
    child_cols = 3;
    build(owner, 3);
    AbTensor *W = ab_find_weight(&owner->base, "W"),
             *scalar = ab_find_weight(&owner->base, "bias-1");
    switch (i) {
    case 0:
      ab_tie(&user->base, "V", W, true);
      build(user, 3);
      sdk_assert_error(ctx, AB_CONFIG, "user (net)", "V", "[2, 3]", "[3, 2]", NULL);
      break;
    case 1:
      ab_tie(&user->base, "V", scalar, true);
      sdk_assert_error(ctx, AB_INTERNAL, "user (net)", "rank 2", NULL);
      break;
    case 2:
      ab_tie(&user->base, "V", ab_neg(W), false);
      sdk_assert_error(ctx, AB_INTERNAL, "user (net)", "weight only", NULL);
      ab_tie(&user->base, "V", AB_NONE, false);
      sdk_assert_error(ctx, AB_INTERNAL, "user (net)", "weight only", NULL);
      break;
    case 3: /* a tie that nothing takes up */
      ab_tie(&user->base, "nobody", W, false);
      build(user, 3);
      sdk_assert_error(ctx, AB_CONFIG, "user (net)", "nobody", NULL);
      break;
    default:
      ab_tie(&user->base, "V", NULL, false); /* passes through */
      ab_tie(&user->base, "V", W, false);
      build(user, 3);
      sdk_assert_ok(ctx);
      g_assert_null(ab_find_weight(&user->base, "W"));
      sdk_assert_error(ctx, AB_INTERNAL, "user (net)", "W", NULL);
    }
    ab_instance_free(&user->base);
    ab_instance_free(&owner->base);
    sdk_finish(ctx);
  }
}

/* A tie to a tied weight, transposed again, is a tie to its owner. */
static void test_tied_chain(const void *device) {
  Pair p = pair_new(device, AB_F64, 5, 3, true);
  Net *third = net_new(p.ctx, "third", make_child);
  third->f = same;
  child_rows = 5;
  child_cols = 3;
  ab_tie(&third->base, "V", p.child->W, true);
  build(third, 5);
  sdk_assert_ok(p.ctx);
  Machine m = machine_new(p.parent, third);
  sdk_assert_ok(p.ctx);
  Pair q = {.ctx = p.ctx, .parent = p.parent, .child = third};
  tie_transposed = false;
  assert_shared(&q);
  machine_free(&m);
  ab_instance_free(&third->base);
  pair_free(&p);
}

static void test_frozen_tie(const void *device) {
  Pair p = pair_new(device, AB_F64, 5, 3, true);
  ab_state_freeze(&p.parent->base, 0);
  g_autofree double *before = sdk_values(p.parent->W);
  Machine m = machine_new(p.parent, NULL);
  g_assert_false(ab_requires_grad(p.parent->W));
  g_assert_false(ab_requires_grad(p.child->W));
  machine_run(&m, p.x, p.c);
  sdk_assert_error(p.ctx, AB_CONFIG, "gradient", NULL); /* there is nothing left to learn */
  g_autofree double *after = sdk_values(p.child->W);
  for (int i = 0; i < 15; i++) g_assert_cmpfloat(after[i % 3 * 5 + i / 3], ==, before[i]);
  machine_free(&m);
  pair_free(&p);
}

/* ---- dry runs -------------------------------------------------------------------------------- */

static void make_large(Net *net) {
  AbInit init = {AB_INIT_NORMAL, 0, 1};
  net->W = ab_weight(&net->base, "W", AB_SHAPE(1000000, 1000000), init, "");
  net->V = ab_weight(&net->base, "V", AB_SHAPE(1000000, 7), init, "");
  ab_buffer(&net->base, "chain", AB_F64, AB_SHAPE(1000000, 1000000), "");
}
static AbTensor *apply_large(Net *net, AbTensor *x) {
  AbTensor *h = ab_linear(x, net->W, AB_NONE, AB_RELU);
  h = ab_mul(h, ab_bernoulli(ab_sigmoid(h)));
  h = ab_add(h, ab_normal(ab_context(&net->base), ab_shape(h), 0, 1));
  return ab_softmax(ab_matmul(h, ab_transpose(ab_transpose(net->V, 0, 1), 0, 1)));
}

static void test_dry_run(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  ab_dry_run(ctx, true);
  Net *net = net_new(ctx, "model", make_large);
  net->f = apply_large;
  build(net, 1000000);
  sdk_assert_ok(ctx);
  g_assert_true(ab_is_shape_only(net->W));
  g_assert_cmpint(ab_state_count(&net->base), ==, 3);
  AbSignature built = ab_model_signature(&net->base);
  g_assert_cmpint(built.out.rank, ==, 1);
  g_assert_cmpint(built.out.shape[0], ==, 7);
  g_assert_cmpint(ab_model_multiply_adds(&net->base), ==, INT64_C(1000000) * 1000007);
  g_assert_cmpint(ab_model_multiply_adds(&net->base), ==, INT64_C(1000000) * 1000007);
  Machine m = machine_new(net, NULL);
  sdk_assert_ok(ctx);
  int64_t bytes, allocations;
  ab_memory_use(ctx, &bytes, &allocations);
  g_assert_cmpint(bytes, ==, 0);
  g_assert_null(ab_map(net->W, false));
  sdk_assert_error(ctx, AB_INTERNAL, "dry run", "[1000000, 1000000]", NULL);
  machine_free(&m);
  ab_instance_free(&net->base);
  sdk_finish(ctx);
}

/* Shapes go through a model that has its memory too, and nothing of it is touched. */
static void test_multiply_adds(const void *device) {
  Pair p = pair_new(device, AB_F32, 5, 3, true);
  g_autofree double *before = sdk_values(p.parent->W);
  g_assert_cmpint(ab_model_multiply_adds(&p.parent->base), ==, 5 * 3 + 2 * 3 * 5 + 3 * 5);
  g_assert_cmpint(ab_model_multiply_adds(&p.child->base), ==, 3 * 5);
  g_autofree double *after = sdk_values(p.parent->W);
  g_assert_cmpmem(before, 15 * sizeof *before, after, 15 * sizeof *after);
  pair_free(&p);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/weights/names", test_names);
  sdk_add("/weights/initial", test_initial);
  sdk_add("/weights/initial-names", test_initial_names);
  sdk_add("/weights/tied", test_tied);
  sdk_add("/weights/tied-alone", test_tied_alone);
  sdk_add("/weights/tied-groups", test_tied_groups);
  sdk_add("/weights/tied-chain", test_tied_chain);
  sdk_add("/weights/tie-errors", test_tie_errors);
  sdk_add("/weights/frozen-tie", test_frozen_tie);
  sdk_add("/weights/dry-run", test_dry_run);
  sdk_add("/weights/multiply-adds", test_multiply_adds);
  return g_test_run();
}
