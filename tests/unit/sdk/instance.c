/* SPDX-License-Identifier: Apache-2.0
 *
 * Instances and models: memory, messages, building, roles given and derived, the small kinds. */
#include "sdk-test.h"
#include <math.h>
#include <string.h>

/* ---- a model of affine maps ------------------------------------------------------------------ */

typedef enum { SOUND, WIDE, NO_BATCH, NOTHING, UNBUILDABLE } Fault;
typedef struct {
  AbModel base;
  Fault fault;
  int calls;
} Box;

static void box_build(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  if (((Box *)self)->fault == UNBUILDABLE) ab_fail(self, AB_CONFIG, "it cannot be");
}

static AbTensor *box_encode(AbModel *self, AbTensor *x) {
  Box *box = (Box *)self;
  box->calls++;
  switch (box->fault) {
  case WIDE: return ab_reshape(x, AB_SHAPE(ab_dim(x, 0), 3, 2));
  case NO_BATCH: return ab_sum_axes(x, 1, false);
  case NOTHING: return NULL;
  default: return ab_affine(x, 2, 1);
  }
}

static AbTensor *box_decode(AbModel *self, AbTensor *code) {
  (void)self;
  return ab_affine(code, 3, -1);
}

static AbTensor *box_generate(AbModel *self, int64_t count) {
  return ab_zeros(ab_context(self), AB_SHAPE(count, 6));
}

#define BOX(id, ...)                                                         \
  static const AbModelVtable id##_table = {                                  \
      .struct_size = sizeof id##_table, .build = box_build, __VA_ARGS__};    \
  static const AbComponent id = {                                            \
      sizeof(AbComponent),          AB_KIND_MODEL,        #id, "A box.", "", \
      .instance_size = sizeof(Box), .vtable = &id##_table}

BOX(coder, .encode = box_encode, .decode = box_decode);
BOX(encoder, .encode = box_encode);
BOX(one, .flags = AB_ONE_ROLE, .encode = box_encode, .decode = box_decode);
BOX(rebuilder, .reconstruct = box_encode);
BOX(generator, .generate = box_generate);
BOX(everything, .reconstruct = box_encode, .encode = box_encode, .decode = box_encode,
    .generate = box_generate, .classify = box_encode, .predict = box_encode, .score = box_encode,
    .act = box_encode, .cluster = box_encode);
/* of an older plugin, whose table ends before decode */
static const AbModelVtable older_table = {.struct_size = offsetof(AbModelVtable, decode),
                                          .build = box_build,
                                          .encode = box_encode,
                                          .decode = box_decode};
static const AbComponent older = {
    sizeof(AbComponent),          AB_KIND_MODEL,         "older", "A box.", "",
    .instance_size = sizeof(Box), .vtable = &older_table};

static Box *box_new(AbContext *ctx, const AbComponent *component) {
  return (Box *)ab_instance_new(ctx, component, "model/box", "/somewhere/plugins/box.so");
}

static AbSpec six(void) {
  return (AbSpec){.rank = 1, .dtype = AB_F64, .shape = {6}};
}

static AbSpec build(Box *box, AbRole role, const AbSpec *out) {
  AbSpec in = six();
  AbSignature wanted = ab_signature(role, &in, out);
  return ab_build(&box->base, &wanted);
}

static void test_roles(void) {
  const uint32_t encode = AB_ROLE_BIT(AB_ROLE_ENCODE), decode = AB_ROLE_BIT(AB_ROLE_DECODE);
  const uint32_t rebuild = AB_ROLE_BIT(AB_ROLE_RECONSTRUCT), score = AB_ROLE_BIT(AB_ROLE_SCORE);
  g_assert_cmphex(ab_component_roles(&coder), ==, encode | decode | rebuild | score);
  g_assert_cmphex(ab_component_roles(&encoder), ==, encode);
  g_assert_cmphex(ab_component_roles(&one), ==, encode | decode);
  g_assert_cmphex(ab_component_roles(&rebuilder), ==, rebuild | score);
  g_assert_cmphex(ab_component_roles(&generator), ==, AB_ROLE_BIT(AB_ROLE_GENERATE));
  g_assert_cmphex(ab_component_roles(&everything), ==, 0x3fe);
  g_assert_cmphex(ab_component_roles(&older), ==, encode);
  AbComponent loss = coder;
  loss.kind = AB_KIND_LOSS;
  g_assert_cmphex(ab_component_roles(&loss), ==, 0);
}

static void test_names(void) {
  const char *const kinds[] = {NULL,       "data",        "noise",       "model",
                               "loss",     "regularizer", "controller",  "optimizer",
                               "schedule", "metric",      "environment", NULL};
  for (int i = 0; i <= AB_KIND_COUNT; i++) g_assert_cmpstr(ab_kind_name(i), ==, kinds[i]);
  const char *const roles[] = {NULL,       "reconstruct", "encode",  "decode",
                               "generate", "classify",    "predict", "score",
                               "act",      "cluster",     NULL};
  for (int i = 0; i <= AB_ROLE_COUNT; i++) g_assert_cmpstr(ab_role_name(i), ==, roles[i]);
  g_assert_null(ab_kind_name(-1));
  g_assert_null(ab_role_name(-1));
  const char *const splits[] = {"train", "validation", "test", "?"};
  for (int i = 0; i < 4; i++) g_assert_cmpstr(ab_split_name(i), ==, splits[i]);
  AbSpec spec = {.rank = 2, .shape = {3, 4}};
  g_assert_cmpint(ab_spec_count(&spec), ==, 12);
  spec.rank = 0;
  g_assert_cmpint(ab_spec_count(&spec), ==, 1);
  spec.rank = -1;
  g_assert_cmpint(ab_spec_count(&spec), ==, -1);
  spec.rank = 9;
  g_assert_cmpint(ab_spec_count(&spec), ==, -1);
}

static void test_instance(void) {
  AbContext *ctx = sdk_context("cpu", AB_F64);
  Box *box = box_new(ctx, &coder);
  g_assert_true(ab_context(&box->base) == ctx);
  g_assert_cmpstr(ab_path(&box->base), ==, "model/box");
  g_assert_cmpint(box->calls, ==, 0);
  for (int size = 0; size < 100; size += 33) {
    unsigned char *memory = ab_alloc(&box->base, (size_t)size);
    for (int i = 0; i < size; i++) g_assert_cmpint(memory[i], ==, 0);
    memset(memory, 1, (size_t)size);
  }
  g_assert_cmpstr(ab_plugin_file(&box->base, "table.h5"), ==, "/somewhere/plugins/table.h5");
  ab_fail(&box->base, AB_DATA, "row %d is %s", 7, "odd");
  g_assert_cmpstr(ab_error_message(ctx), ==, "model/box (coder): row 7 is odd");
  sdk_assert_error(ctx, AB_DATA, NULL);
#ifndef __SANITIZE_ADDRESS__ /* which ends the program instead */
  g_assert_null(ab_alloc(&box->base, (size_t)1 << 62));
  sdk_assert_error(ctx, AB_INTERNAL, "model/box (coder): ", "memory", NULL);
#endif
  AbInstance *plain = ab_instance_new(ctx, &coder, "plain", NULL);
  g_assert_cmpstr(ab_plugin_file(plain, "table.h5"), ==, "table.h5");
  ab_instance_free(plain);
  ab_instance_free(&box->base);
  ab_instance_free(NULL);
  sdk_finish(ctx);
}

/* ---- building -------------------------------------------------------------------------------- */

static void test_build(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  Box *box = box_new(ctx, &coder);
  AbSpec out = six(), given = build(box, AB_ROLE_ENCODE, NULL);
  sdk_assert_ok(ctx);
  g_assert_cmpint(given.rank, ==, 1);
  g_assert_cmpint(given.shape[0], ==, 6);
  g_assert_cmpint(given.dtype, ==, AB_F64);
  AbSignature built = ab_model_signature(&box->base);
  g_assert_cmpint(built.role, ==, AB_ROLE_ENCODE);
  g_assert_cmpint(built.in.shape[0], ==, 6);
  g_assert_cmpint(built.out.shape[0], ==, 6);
  g_assert_cmpint(box->calls, ==, 1);
  g_assert_cmpint(build(box, AB_ROLE_ENCODE, NULL).rank, ==, -1);
  sdk_assert_error(ctx, AB_INTERNAL, "model/box (coder): ", "twice", NULL);
  ab_instance_free(&box->base);
  /* the range that was asked for is the range that is promised */
  box = box_new(ctx, &coder);
  out.range = AB_RANGE_UNIT;
  g_assert_cmpint(build(box, AB_ROLE_RECONSTRUCT, &out).range, ==, AB_RANGE_UNIT);
  ab_instance_free(&box->base);
  box = box_new(ctx, &generator);
  g_assert_cmpint(build(box, AB_ROLE_GENERATE, &out).shape[0], ==, 6);
  sdk_assert_ok(ctx);
  g_assert_cmpint(ab_model_multiply_adds(&box->base), ==, 0);
  ab_instance_free(&box->base);
  sdk_finish(ctx);
}

static void check_unbuildable(AbContext *ctx, const AbComponent *component, Fault fault,
                              AbRole role, const AbSpec *out, AbCode code, const char *text,
                              const char *other) {
  Box *box = box_new(ctx, component);
  box->fault = fault;
  g_assert_cmpint(build(box, role, out).rank, ==, -1);
  sdk_assert_error(ctx, code, "model/box (", text, other, NULL);
  ab_instance_free(&box->base);
  g_assert_true(ab_set_recording(ctx, true));
}

static void test_generate(void) {
  AbContext *ctx = sdk_context("cpu", AB_F64);
  Box *box = box_new(ctx, &generator), *other = box_new(ctx, &encoder);
  g_assert_null(ab_generate(&box->base, 3));
  sdk_assert_error(ctx, AB_INTERNAL, "model/box (generator)", "generate", "built", NULL);
  g_assert_cmpint(build(box, AB_ROLE_GENERATE, NULL).shape[0], ==, 6);
  AbTensor *x = ab_generate(&box->base, 3);
  sdk_assert_ok(ctx);
  g_assert_cmpint(ab_dim(x, 0), ==, 3);
  g_assert_cmpint(ab_dim(x, 1), ==, 6);
  g_assert_null(ab_call(&box->base, AB_ROLE_GENERATE, x));
  sdk_assert_error(ctx, AB_INTERNAL, "count", "ab_generate", NULL);
  build(other, AB_ROLE_ENCODE, NULL);
  g_assert_null(ab_generate(&other->base, 3));
  sdk_assert_error(ctx, AB_CONFIG, "does not offer", "generate", NULL);
  ab_instance_free(&box->base);
  ab_instance_free(&other->base);
  sdk_finish(ctx);
}

static void test_build_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbSpec seven = {.rank = 1, .dtype = AB_F64, .shape = {7}}, flat = six();
  check_unbuildable(ctx, &coder, SOUND, AB_ROLE_ENCODE, &seven, AB_CONFIG, "[6]", "[7]");
  check_unbuildable(ctx, &coder, WIDE, AB_ROLE_ENCODE, &flat, AB_CONFIG, "[3, 2]", "[6]");
  check_unbuildable(ctx, &coder, NO_BATCH, AB_ROLE_ENCODE, &flat, AB_INTERNAL, "batch", "f64 [6]");
  check_unbuildable(ctx, &coder, NOTHING, AB_ROLE_ENCODE, NULL, AB_INTERNAL, "encode", "nothing");
  check_unbuildable(ctx, &coder, UNBUILDABLE, AB_ROLE_ENCODE, NULL, AB_CONFIG, "cannot be", "");
  check_unbuildable(ctx, &coder, SOUND, AB_ROLE_CLASSIFY, NULL, AB_CONFIG, "classify", "");
  check_unbuildable(ctx, &coder, SOUND, AB_ROLE_GENERATE, NULL, AB_CONFIG, "generate", "");
  check_unbuildable(ctx, &coder, SOUND, AB_ROLE_NONE, NULL, AB_CONFIG, "(none)", "");
  check_unbuildable(ctx, &one, SOUND, AB_ROLE_RECONSTRUCT, NULL, AB_CONFIG, "reconstruct", "");
  check_unbuildable(ctx, &older, SOUND, AB_ROLE_DECODE, NULL, AB_CONFIG, "decode", "");
  sdk_finish(ctx);
}

/* ---- calling --------------------------------------------------------------------------------- */

static void assert_affine(AbTensor *y, const double *x, double scale, double shift) {
  g_autofree double *values = sdk_values(y);
  g_assert_cmpint(ab_count(y), ==, 12);
  for (int i = 0; i < 12; i++)
    g_assert_cmpfloat_with_epsilon(values[i], scale * x[i] + shift, 1e-14);
}

static void test_call(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  Box *box = box_new(ctx, &coder);
  g_autofree double *numbers = sdk_numbers(12, -1, 1, 3);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 6), numbers);
  g_assert_null(ab_encode(&box->base, x));
  sdk_assert_error(ctx, AB_INTERNAL, "model/box (coder): ", "encode", "before", NULL);
  build(box, AB_ROLE_RECONSTRUCT, NULL);
  assert_affine(ab_encode(&box->base, x), numbers, 2, 1);
  assert_affine(ab_decode(&box->base, x), numbers, 3, -1);
  assert_affine(ab_reconstruct(&box->base, x), numbers, 6, 2);
  /* the score is the mean squared error of a sample */
  AbTensor *score = ab_call(&box->base, AB_ROLE_SCORE, x);
  g_autofree double *scores = sdk_values(score);
  g_assert_cmpint(ab_rank(score), ==, 1);
  for (int r = 0; r < 2; r++) {
    double sum = 0;
    for (int i = 0; i < 6; i++) sum += pow(5 * numbers[6 * r + i] + 2, 2);
    g_assert_cmpfloat_with_epsilon(scores[r], sum / 6, 1e-13);
  }
  sdk_assert_ok(ctx);
  /* what does not fit */
  const AbShape wrong[] = {AB_SHAPE(2, 7), AB_SHAPE(6), AB_SHAPE(2, 3, 2), ab_scalar_shape()};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    char text[200];
    g_assert_null(ab_reconstruct(&box->base, ab_zeros(ctx, wrong[i])));
    sdk_assert_error(ctx, AB_CONFIG, "model/box (coder): reconstruct", "[6]",
                     ab_shape_text(wrong[i], text, sizeof text), NULL);
  }
  g_assert_null(ab_encode(&box->base, ab_zeros(ctx, AB_SHAPE(2, 5)))); /* takes data as well */
  sdk_assert_error(ctx, AB_CONFIG, "encode", "[2, 5]", "[6]", NULL);
  g_assert_nonnull(ab_decode(&box->base, ab_zeros(ctx, AB_SHAPE(2, 5)))); /* a code, of any width */
  g_assert_nonnull(ab_encode(&box->base, ab_zeros(ctx, AB_SHAPE(0, 6))));
  sdk_assert_ok(ctx);
  const AbRole others[] = {AB_ROLE_CLASSIFY, AB_ROLE_GENERATE, AB_ROLE_NONE, AB_ROLE_COUNT, -1};
  for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
    g_assert_null(ab_call(&box->base, others[i], x));
    sdk_assert_error(ctx, AB_CONFIG, "model/box (coder): ", "role", NULL);
  }
  g_assert_null(ab_encode(&box->base, NULL));
  sdk_assert_ok(ctx);
  box->fault = NOTHING;
  g_assert_null(ab_reconstruct(&box->base, x));
  sdk_assert_error(ctx, AB_INTERNAL, "model/box (coder): encode", "nothing", NULL);
  ab_instance_free(&box->base);
  sdk_finish(ctx);
}

/* ---- the small kinds ------------------------------------------------------------------------- */

static bool misbehaves;

static AbTensor *shift_corrupt(AbNoise *self, AbTensor *x) {
  (void)self;
  return misbehaves ? ab_sum(x) : ab_affine(x, 1, 1);
}
static const AbNoiseVtable shift_table = {.struct_size = sizeof shift_table,
                                          .corrupt = shift_corrupt};
static const AbComponent shift = {
    sizeof(AbComponent),   AB_KIND_NOISE, "shift", "Adds 1.", "", .instance_size = sizeof(AbNoise),
    .vtable = &shift_table};

static AbTensor *gap_loss(AbLoss *self, AbTensor *output, AbTensor *target) {
  (void)self;
  AbTensor *gap = ab_abs(ab_sub(output, target));
  return misbehaves ? gap : ab_mean(gap);
}
static void gap_check(AbLoss *self, const AbSpec *output, const AbSpec *target) {
  if (output->rank != target->rank) ab_fail(self, AB_CONFIG, "of other ranks");
}
static const AbLossVtable gap_table = {
    .struct_size = sizeof gap_table, .check = gap_check, .loss = gap_loss};
static const AbComponent gap = {sizeof(AbComponent), AB_KIND_LOSS, "gap",
                                "The gap.",          "",           .instance_size = sizeof(AbLoss),
                                .vtable = &gap_table};

typedef struct {
  AbMetric base;
  double sum;
  int64_t count;
} Largest;
static void largest_reset(AbMetric *self) {
  ((Largest *)self)->sum = 0;
  ((Largest *)self)->count = 0;
}
static void largest_update(AbMetric *self, AbTensor *output, AbTensor *target) {
  (void)target;
  ((Largest *)self)->sum += ab_item(ab_sum(output));
  ((Largest *)self)->count += ab_dim(output, 0);
}
static double largest_value(AbMetric *self) {
  return ((Largest *)self)->sum / (double)((Largest *)self)->count;
}
static const AbMetricVtable largest_table = {.struct_size = sizeof largest_table,
                                             .flags = AB_HIGHER_IS_BETTER,
                                             .reset = largest_reset,
                                             .update = largest_update,
                                             .value = largest_value};
static const AbComponent largest = {sizeof(AbComponent),
                                    AB_KIND_METRIC,
                                    "mean",
                                    "The mean.",
                                    "",
                                    .instance_size = sizeof(Largest),
                                    .vtable = &largest_table};

static void test_kinds(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbInstance *noise = ab_instance_new(ctx, &shift, "noise", NULL);
  AbInstance *loss = ab_instance_new(ctx, &gap, "loss", NULL);
  AbInstance *metric = ab_instance_new(ctx, &largest, "metrics/mean", NULL);
  AbTensor *x = ab_full(ctx, AB_F64, AB_SHAPE(4), 2), *y = ab_full(ctx, AB_F64, AB_SHAPE(4), 5);
  misbehaves = false;
  g_assert_cmpfloat(ab_item(ab_mean(ab_noise_corrupt(noise, x))), ==, 3);
  g_assert_cmpfloat(ab_item(ab_loss_value(loss, x, y)), ==, 3);
  AbSpec flat = six(), square = {.rank = 2, .shape = {2, 3}};
  ab_loss_check(loss, &flat, &flat);
  sdk_assert_ok(ctx);
  ab_loss_check(loss, &flat, &square);
  sdk_assert_error(ctx, AB_CONFIG, "loss (gap): of other ranks", NULL);
  misbehaves = true;
  g_assert_null(ab_noise_corrupt(noise, x));
  sdk_assert_error(ctx, AB_INTERNAL, "noise (shift): ", "f64 []", "f64 [4]", NULL);
  g_assert_null(ab_loss_value(loss, x, y));
  sdk_assert_error(ctx, AB_INTERNAL, "loss (gap): ", "f64 [4]", NULL);
  g_assert_null(ab_loss_value(loss, NULL, y));
  g_assert_null(ab_noise_corrupt(noise, NULL));
  ab_metric_update(metric, NULL, y);
  for (int round = 0; round < 2; round++) {
    ab_metric_begin(metric, NULL);
    ab_metric_update(metric, x, y);
    ab_metric_update(metric, y, x);
    g_assert_cmpfloat(ab_metric_value(metric), ==, 3.5);
  }
  ab_metric_check(metric, &flat, &flat);
  g_assert_true(ab_metric_higher_is_better(metric));
  ab_instance_free(noise);
  ab_instance_free(loss);
  ab_instance_free(metric);
  sdk_finish(ctx);
}

/* ---- data ------------------------------------------------------------------------------------ */

static int closed;
static void (*on_open)(AbData *self);

static void rows_open(AbData *self) {
  on_open(self);
}
static void rows_fetch(AbData *self, AbSplit split, const int64_t *rows, int64_t count,
                       void *const *fields) {
  (void)self;
  for (int64_t i = 0; i < count; i++) ((double *)fields[0])[i] = (double)(rows[i] + 100 * split);
}
static void rows_close(AbData *self) {
  (void)self;
  closed++;
}
static const AbDataVtable rows_table = {
    .struct_size = sizeof rows_table, .open = rows_open, .fetch = rows_fetch, .close = rows_close};
static const AbComponent rows = {
    sizeof(AbComponent),  AB_KIND_DATA, "rows", "Row numbers.", "", .instance_size = sizeof(AbData),
    .vtable = &rows_table};

static void place(AbData *self, AbSplit split, int64_t row, char *text, size_t size) {
  (void)self;
  g_snprintf(text, (gulong)size, "rows.txt:%d of %s", (int)row + 1, ab_split_name(split));
}

static void open_sound(AbData *self) {
  AbSpec x = {.rank = 0, .dtype = AB_F64}, y = {.dtype = AB_I64, .range = AB_RANGE_CLASS};
  y.classes = 10;
  ab_data_field(self, "x", &x);
  ab_data_field(self, "y", &y);
  ab_data_length(self, AB_TRAIN, 60);
  ab_data_length(self, AB_TEST, 10);
  ab_data_locality(self, 8);
}
static void open_nothing(AbData *self) {
  (void)self;
}
static void open_twice(AbData *self) {
  open_sound(self);
  open_sound(self);
}
static void open_classless(AbData *self) {
  AbSpec y = {.dtype = AB_I64, .range = AB_RANGE_CLASS};
  ab_data_field(self, "y", &y);
}
static void open_empty(AbData *self) {
  AbSpec x = {.rank = 2, .dtype = AB_F32, .shape = {3, 0}};
  ab_data_field(self, "x", &x);
}
static void open_negative(AbData *self) {
  open_sound(self);
  ab_data_length(self, AB_TRAIN, -1);
}
static void open_unnamed(AbData *self) {
  open_sound(self);
  ab_data_class_names(self, "z", (const char *const[]){"zero"});
}
static void open_named_numbers(AbData *self) {
  open_sound(self);
  ab_data_class_names(self, "x", (const char *const[]){"zero"});
}
static void open_store(AbData *self) {
  open_sound(self);
  g_assert_null(ab_store_open(self, "/nowhere/rows.h5"));
}

/* The texts are copies, and those that were given last. */
static void test_class_names(void) {
  AbContext *ctx = sdk_context("cpu", AB_F64);
  AbInstance *data = ab_instance_new(ctx, &rows, "data", NULL);
  char text[10][2];
  const char *names[10];
  on_open = open_sound;
  ab_data_open(data);
  for (int i = 0; i < 10; i++) {
    g_snprintf(text[i], sizeof text[i], "%d", i);
    names[i] = "";
  }
  ab_data_class_names(data, "y", names);
  for (int i = 0; i < 10; i++) names[i] = text[i];
  ab_data_class_names(data, "y", names);
  text[7][0] = 'x';
  g_assert_cmpstr(ab_data_field_at(data, 1).classes[7], ==, "7");
  g_assert_cmpstr(ab_data_field_at(data, 1).classes[9], ==, "9");
  sdk_assert_ok(ctx);
  ab_instance_free(data);
  ab_context_free(ctx);
}

static void test_data(void) {
  AbContext *ctx = sdk_context("cpu", AB_F64);
  AbInstance *data = ab_instance_new(ctx, &rows, "data", NULL);
  char text[100];
  closed = 0;
  on_open = open_sound;
  g_assert_cmpint(ab_data_field_count(data), ==, 0);
  g_assert_cmpint(ab_data_samples(data, AB_TRAIN), ==, 0);
  ab_data_open(data);
  ab_data_load(data); /* not offered */
  sdk_assert_ok(ctx);
  g_assert_cmpint(ab_data_field_count(data), ==, 2);
  g_assert_cmpstr(ab_data_field_at(data, 1).name, ==, "y");
  g_assert_cmpint(ab_data_field_at(data, 1).spec.classes, ==, 10);
  g_assert_null(ab_data_field_at(data, 1).classes);
  const int64_t samples[] = {60, 0, 10};
  for (int i = 0; i < 3; i++) g_assert_cmpint(ab_data_samples(data, i), ==, samples[i]);
  g_assert_cmpint(ab_data_slab(data), ==, 8);
  double numbers[3];
  ab_data_fetch(data, AB_TEST, (int64_t[]){4, 0, 9}, 3, (void *[]){numbers, NULL});
  g_assert_cmpfloat(numbers[2], ==, 209);
  ab_data_place(data, AB_TEST, 16, text, sizeof text);
  g_assert_cmpstr(text, ==, "sample 16 of test");
  ab_data_origin(data, place);
  ab_data_place(data, AB_TEST, 16, text, sizeof text);
  g_assert_cmpstr(text, ==, "rows.txt:17 of test");
  ab_data_close(data);
  ab_instance_free(data); /* closes but once */
  g_assert_cmpint(closed, ==, 1);
  const struct {
    void (*open)(AbData *self);
    const char *text;
  } faults[] = {{open_nothing, "no field"}, {open_twice, "'x'"},        {open_classless, "'y'"},
                {open_empty, "'x'"},        {open_negative, "-1"},      {open_store, "rows.h5"},
                {open_unnamed, "'z'"},      {open_named_numbers, "'x'"}};
  for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
    data = ab_instance_new(ctx, &rows, "data", NULL);
    on_open = faults[i].open;
    ab_data_open(data);
    sdk_assert_error(ctx, AB_INTERNAL, "data (rows): ", faults[i].text, NULL);
    ab_instance_free(data);
  }
  g_assert_cmpint(closed, ==, 1 + (int)G_N_ELEMENTS(faults));
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/instance/roles", test_roles);
  g_test_add_func("/instance/names", test_names);
  g_test_add_func("/instance/instance", test_instance);
  sdk_add("/instance/build", test_build);
  sdk_add("/instance/build-errors", test_build_errors);
  sdk_add("/instance/call", test_call);
  sdk_add("/instance/kinds", test_kinds);
  g_test_add_func("/instance/generate", test_generate);
  g_test_add_func("/instance/data", test_data);
  g_test_add_func("/instance/class-names", test_class_names);
  return g_test_run();
}
