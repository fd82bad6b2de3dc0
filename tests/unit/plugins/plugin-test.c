/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading components and binding parameters for tests; see plugin-test.h.                       */
#include "plugin-test.h"
#include <dlfcn.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- loading --------------------------------------------------------------------------------- */

static const AbPlugin *open_plugin(const char *file) {
  void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  const AbPlugin *plugin;

  if (handle == NULL) g_error("cannot load %s: %s", file, dlerror());
  plugin = dlsym(handle, "ab_plugin");
  if (plugin == NULL || plugin->magic != AB_PLUGIN_MAGIC) g_error("%s is no plugin", file);
  g_assert_cmpstr(plugin->fingerprint, ==, ab_fingerprint());
  return plugin;
}

static const AbComponent *component_of(const AbPlugin *plugin, AbKind kind, const char *name) {
  for (uint32_t i = 0; i < plugin->component_count; i++)
    if (plugin->components[i]->kind == kind && strcmp(plugin->components[i]->name, name) == 0)
      return plugin->components[i];
  return NULL;
}

/* KIND-NAME.so, or the first of KIND-*.so that offers it: a plugin may have several components. */
static char *file_of(const char *folder, AbKind kind, const char *name) {
  g_autofree char *base = g_strdup_printf("%s-%s.so", ab_kind_name(kind), name);
  g_autofree char *prefix = g_strdup_printf("%s-", ab_kind_name(kind));
  char *full = g_canonicalize_filename(base, folder);
  g_autoptr(GDir) dir = NULL;

  if (g_file_test(full, G_FILE_TEST_EXISTS)) return full;
  dir = g_dir_open(folder, 0, NULL);
  for (const char *entry; dir != NULL && (entry = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *other = g_canonicalize_filename(entry, folder);

    if (!g_str_has_prefix(entry, prefix) || !g_str_has_suffix(entry, ".so")) continue;
    if (component_of(open_plugin(other), kind, name) == NULL) continue;
    g_free(full);
    return g_steal_pointer(&other);
  }
  return full;
}

const AbComponent *plugin_test_load(AbKind kind, const char *name, const char **file) {
  static GHashTable *files = NULL; /* name -> itself: full names that live until the end */
  const char *path = g_getenv("ABHOST_PLUGIN_PATH");
  g_auto(GStrv) folders = g_strsplit(path != NULL ? path : "", ":", 2);
  g_autofree char *full = NULL;
  const AbComponent *component;

  if (folders[0] == NULL || folders[0][0] == '\0')
    g_error("ABHOST_PLUGIN_PATH does not name the folder of the plugins; run through meson test");
  full = file_of(folders[0], kind, name);
  component = component_of(open_plugin(full), kind, name);
  if (files == NULL) files = g_hash_table_new(g_str_hash, g_str_equal);
  if (file != NULL) {
    if (!g_hash_table_contains(files, full)) g_hash_table_add(files, g_strdup(full));
    *file = g_hash_table_lookup(files, full);
  }
  if (component == NULL) g_error("%s offers no %s %s", full, ab_kind_name(kind), name);
  return component;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static const AbParam *param_at(const AbComponent *component, uint32_t index) {
  return (const AbParam *)(const void *)((const char *)component->params +
                                         (gsize)index * component->param_stride);
}

/* The field of a parameter, which must be of one of two types. */
static void *field_of(AbInstance *self, const char *key, AbParamType type, AbParamType other) {
  for (uint32_t i = 0; i < self->component->param_count; i++) {
    const AbParam *param = param_at(self->component, i);

    if (strcmp(param->key, key) != 0) continue;
    if (param->type != type && param->type != other)
      g_error("parameter %s of %s has type %d", key, self->component->name, param->type);
    return (char *)self + param->offset;
  }
  g_error("%s has no parameter %s", self->component->name, key);
}

static void *copy(AbInstance *self, const void *items, gsize size) {
  void *memory = ab_alloc(self, size);

  g_assert_nonnull(memory);
  if (size > 0) memcpy(memory, items, size);
  return memory;
}

void plugin_test_set_int(AbInstance *self, const char *key, gint64 value) {
  *(int64_t *)field_of(self, key, AB_TYPE_INT, AB_TYPE_INT) = value;
}

void plugin_test_set_real(AbInstance *self, const char *key, double value) {
  *(double *)field_of(self, key, AB_TYPE_REAL, AB_TYPE_REAL) = value;
}

void plugin_test_set_bool(AbInstance *self, const char *key, gboolean value) {
  *(bool *)field_of(self, key, AB_TYPE_BOOL, AB_TYPE_BOOL) = value;
}

static int64_t choice_index(const AbParam *param, const char *value) {
  for (int64_t i = 0; param->choices[i] != NULL; i++)
    if (strcmp(param->choices[i], value) == 0) return i;
  g_error("%s is no choice of %s", value, param->key);
}

void plugin_test_set_choice(AbInstance *self, const char *key, const char *value) {
  int64_t *field = field_of(self, key, AB_TYPE_CHOICE, AB_TYPE_CHOICE);

  for (uint32_t i = 0; i < self->component->param_count; i++)
    if (strcmp(param_at(self->component, i)->key, key) == 0)
      *field = choice_index(param_at(self->component, i), value);
}

void plugin_test_set_text(AbInstance *self, const char *key, const char *value) {
  const char **field = field_of(self, key, AB_TYPE_TEXT, AB_TYPE_PATH);

  *field = value != NULL ? copy(self, value, strlen(value) + 1) : NULL;
}

void plugin_test_set_ints(AbInstance *self, const char *key, gint64 count, const gint64 *items) {
  AbInts *field = field_of(self, key, AB_TYPE_INTS, AB_TYPE_INTS);

  *field = (AbInts){count, copy(self, items, (gsize)count * sizeof *items)};
}

void plugin_test_set_reals(AbInstance *self, const char *key, gint64 count, const double *items) {
  AbReals *field = field_of(self, key, AB_TYPE_REALS, AB_TYPE_REALS);

  *field = (AbReals){count, copy(self, items, (gsize)count * sizeof *items)};
}

void plugin_test_set_texts(AbInstance *self, const char *key, const char *const *items) {
  AbTexts *field = field_of(self, key, AB_TYPE_TEXTS, AB_TYPE_TEXTS);
  gsize count = g_strv_length((char **)items);
  const char **texts = copy(self, items, count * sizeof *items);

  for (gsize i = 0; i < count; i++) texts[i] = copy(self, items[i], strlen(items[i]) + 1);
  *field = (AbTexts){(int64_t)count, texts};
}

void plugin_test_set_records(AbInstance *self, const char *key, gint64 count, const void *items) {
  AbRecords *field = field_of(self, key, AB_TYPE_RECORDS, AB_TYPE_RECORDS);

  *field = (AbRecords){count, items};
}

/* The field of a slot, which is for many or not. */
static void *slot_field(AbInstance *self, const char *key, gboolean many) {
  const AbComponent *component = self->component;

  for (uint32_t i = 0; i < component->slot_count; i++) {
    const AbSlot *slot =
        (const void *)((const char *)component->slots + i * component->slot_stride);

    if (strcmp(slot->key, key) != 0) continue;
    g_assert_cmpint(slot->arity == AB_MANY, ==, many);
    return (char *)self + slot->offset;
  }
  g_error("%s has no slot %s", component->name, key);
}

void plugin_test_slot(AbInstance *self, const char *key, AbInstance *child) {
  *(AbInstance **)slot_field(self, key, FALSE) = child;
}

void plugin_test_slot_many(AbInstance *self, const char *key, gint64 count,
                           AbInstance *const *children) {
  AbChildren *field = slot_field(self, key, TRUE);

  *field = (AbChildren){count, copy(self, children, (gsize)count * sizeof *children)};
}

/* ---- defaults -------------------------------------------------------------------------------- */

/* "[1, 2]", the simple case of YAML in flow style. */
static void set_list(AbInstance *self, const AbParam *param) {
  g_autofree char *inner = g_strndup(param->text_default + 1, strlen(param->text_default) - 2);
  g_auto(GStrv) items = g_strsplit(inner, ",", -1);
  gsize count = g_strv_length(items);
  g_autofree gint64 *ints = g_new(gint64, count + 1);
  g_autofree double *reals = g_new(double, count + 1);

  for (gsize i = 0; i < count; i++) {
    g_strstrip(items[i]);
    ints[i] = g_ascii_strtoll(items[i], NULL, 10);
    reals[i] = g_ascii_strtod(items[i], NULL);
  }
  if (param->type == AB_TYPE_INTS) plugin_test_set_ints(self, param->key, (gint64)count, ints);
  if (param->type == AB_TYPE_REALS) plugin_test_set_reals(self, param->key, (gint64)count, reals);
  if (param->type == AB_TYPE_TEXTS)
    plugin_test_set_texts(self, param->key, (const char *const *)items);
}

static void set_default(AbInstance *self, const AbParam *param) {
  switch (param->type) {
  case AB_TYPE_INT: plugin_test_set_int(self, param->key, param->int_default); break;
  case AB_TYPE_REAL: plugin_test_set_real(self, param->key, param->real_default); break;
  case AB_TYPE_BOOL: plugin_test_set_bool(self, param->key, param->int_default != 0); break;
  case AB_TYPE_CHOICE: plugin_test_set_choice(self, param->key, param->text_default); break;
  case AB_TYPE_TEXT:
  case AB_TYPE_PATH: plugin_test_set_text(self, param->key, param->text_default); break;
  case AB_TYPE_RECORDS: break; /* as it is: empty */
  default:
    if (param->text_default != NULL && param->text_default[0] == '[') set_list(self, param);
  }
}

AbInstance *plugin_test_new(AbContext *ctx, AbKind kind, const char *name) {
  return plugin_test_new_at(ctx, kind, name, ab_kind_name(kind));
}

AbInstance *plugin_test_new_at(AbContext *ctx, AbKind kind, const char *name, const char *path) {
  const char *file;
  const AbComponent *component = plugin_test_load(kind, name, &file);
  AbInstance *self = ab_instance_new(ctx, component, path, file);

  g_assert_nonnull(self);
  for (uint32_t i = 0; i < component->param_count; i++) set_default(self, param_at(component, i));
  return self;
}

/* ---- errors ---------------------------------------------------------------------------------- */

void plugin_test_error(AbContext *ctx, AbCode code, const char *pattern) {
  const char *message = ab_error_message(ctx);
  gsize lines = 1;

  if (!g_pattern_match_simple(pattern, message))
    g_error("message \"%s\"\nis not like \"%s\"", message, pattern);
  g_assert_cmpint(ab_error_code(ctx), ==, code);
  g_assert_true(g_utf8_validate(message, -1, NULL));
  for (const char *c = message; *c != '\0'; c++) lines += *c == '\n';
  g_assert_cmpuint(lines, <=, 3);
  ab_error_clear(ctx);
}

void plugin_test_fine(AbContext *ctx) {
  if (!ab_ok(ctx)) g_error("unexpected error: %s", ab_error_message(ctx));
}

/* ---- numbers --------------------------------------------------------------------------------- */

void plugin_test_finish(AbContext *ctx) {
  plugin_test_fine(ctx);
  ab_context_free(ctx);
}

double plugin_test_number(guint64 *state) {
  *state = *state * G_GUINT64_CONSTANT(6364136223846793005) + 1442695040888963407u;
  return (double)(*state >> 33) * 0x1p-31;
}

static double number(AbDtype dtype, const void *values, gsize index) {
  if (dtype == AB_F32) return (double)((const float *)values)[index];
  if (dtype == AB_F64) return ((const double *)values)[index];
  g_assert_cmpint(dtype, ==, AB_I64);
  return (double)((const int64_t *)values)[index];
}

double *plugin_test_numbers(gint64 count, double low, double high, guint64 seed) {
  double *numbers = g_new(double, (gsize)count + 1);
  guint64 state = seed * 2654435761u + 99991;

  for (gint64 i = 0; i < count; i++) numbers[i] = low + (high - low) * plugin_test_number(&state);
  return numbers;
}

static void write_number(AbDtype dtype, void *values, gint64 index, double value) {
  switch (dtype) {
  case AB_F32: ((float *)values)[index] = (float)value; break;
  case AB_F64: ((double *)values)[index] = value; break;
  case AB_I32: ((int32_t *)values)[index] = (int32_t)value; break;
  default: g_assert_cmpint(dtype, ==, AB_I64); ((int64_t *)values)[index] = (int64_t)value;
  }
}

AbTensor *plugin_test_tensor_of(AbContext *ctx, AbDtype dtype, AbShape shape,
                                const double *values) {
  AbTensor *x = ab_empty(ctx, dtype, shape);

  g_assert_nonnull(x);
  plugin_test_fill(x, values);
  return x;
}

AbTensor *plugin_test_tensor(AbContext *ctx, AbShape shape, const double *values) {
  return plugin_test_tensor_of(ctx, ab_real_dtype(ctx), shape, values);
}

void plugin_test_fill(AbTensor *x, const double *values) {
  void *data = ab_map(x, true);

  g_assert_true(data != NULL || ab_count(x) == 0);
  for (gint64 i = 0; i < ab_count(x); i++) write_number(ab_dtype(x), data, i, values[i]);
  ab_unmap(x);
}

double *plugin_test_values(AbTensor *x) {
  double *values;
  const void *data;
  AbTensor *dense;
  bool recording;

  g_assert_nonnull(x);
  recording = ab_set_recording(ab_context_of(x), false);
  dense = ab_cast(x, ab_dtype(x));
  ab_set_recording(ab_context_of(x), recording);
  data = ab_map(dense, false);
  g_assert_true(data != NULL || ab_count(x) == 0);
  values = g_new(double, (gsize)ab_count(x) + 1);
  for (gint64 i = 0; i < ab_count(x); i++) values[i] = number(ab_dtype(x), data, (gsize)i);
  ab_unmap(dense);
  return values;
}

void plugin_test_close(double got, double expected, double tolerance) {
  if (!(fabs(got - expected) <= tolerance * fmax(1, fabs(expected))))
    g_error("%.17g is not within %g of %.17g", got, tolerance, expected);
}

void plugin_test_near(AbTensor *got, const double *expected, gint64 count, double tolerance) {
  g_autofree double *values = NULL;

  if (got == NULL) g_error("nothing was computed");
  plugin_test_fine(ab_context_of(got));
  values = plugin_test_values(got);
  g_assert_cmpint(ab_count(got), ==, count);
  for (gint64 i = 0; i < count; i++)
    if (!(fabs(values[i] - expected[i]) <= tolerance * fmax(1, fabs(expected[i]))))
      g_error("element %d: %.17g is not within %g of %.17g", (int)i, values[i], tolerance,
              expected[i]);
}

AbSpec plugin_test_spec(AbContext *ctx, AbRange range, gint64 a, gint64 b, gint64 c) {
  AbSpec spec = {.dtype = ab_real_dtype(ctx), .shape = {a, b, c}, .range = range};

  while (spec.rank < 3 && spec.shape[spec.rank] > 0) spec.rank++;
  return spec;
}

AbTensor *plugin_test_state(AbInstance *self, const char *name) {
  for (gint64 i = 0; i < ab_state_count(self); i++) {
    AbState state = ab_state(self, i);

    if (strcmp(strrchr(state.name, '/') + 1, name) == 0) return state.tensor;
  }
  g_error("%s has no state %s", ab_path(self), name);
}

double *plugin_test_gradient(AbTensor *weight) {
  plugin_test_fine(ab_context_of(weight));
  g_assert_nonnull(ab_gradient(weight));
  return plugin_test_values(ab_gradient(weight));
}

double *plugin_test_slopes(double (*f)(const double *values, gpointer data), double *values,
                           gint64 count, gpointer data) {
  double *slopes = g_new(double, (gsize)count + 1);

  for (gint64 i = 0; i < count; i++) {
    double before = values[i], up;

    values[i] = before + 1e-5;
    up = f(values, data);
    values[i] = before - 1e-5;
    slopes[i] = (up - f(values, data)) / 2e-5;
    values[i] = before;
  }
  return slopes;
}

static void run_case(gconstpointer data) {
  const PluginTestCase *at = data;

  at->test(at);
}

void plugin_test_add(const char *path, void (*test)(const PluginTestCase *at)) {
  static const AbDtype reals[] = {AB_F32, AB_F64};

  for (const char *const *device = ab_device_names(); *device != NULL; device++)
    for (gsize i = 0; i < G_N_ELEMENTS(reals); i++) {
      PluginTestCase *at = g_new(PluginTestCase, 1);
      g_autofree char *full = g_strdup_printf("%s/%s/%s", path, *device, ab_dtype_name(reals[i]));

      *at = (PluginTestCase){*device, reals[i], reals[i] == AB_F32 ? 2e-5 : 1e-11, test};
      g_test_add_data_func_full(full, at, run_case, g_free);
    }
}

AbContext *plugin_test_context(const PluginTestCase *at) {
  AbContext *ctx = ab_context_new(at->device, at->real, 7);

  g_assert_nonnull(ctx);
  return ctx;
}

/* ---- training -------------------------------------------------------------------------------- */

double plugin_test_step(AbContext *ctx, AbStep *step, const AbBatch *batch, gint64 number,
                        gint64 per_epoch) {
  AbProgress progress = {number / per_epoch, 1000, number, per_epoch};
  AbScope scope = ab_scope_begin(ctx);
  AbTensor *loss;
  double value;

  ab_begin(ctx, AB_PURPOSE_TRAIN, number);
  loss = ab_step_run(step, batch, &progress);
  g_assert_cmpint(loss != NULL, ==, ab_ok(ctx));
  value = loss != NULL ? ab_item(loss) : NAN;
  ab_scope_end(ctx, scope, NULL, 0);
  return value;
}

AbBatch *plugin_test_batch(AbContext *ctx, AbTensor *x, AbTensor *target) {
  AbBatch *batch = ab_batch_new(ctx, ab_dim(x, 0));

  g_assert_nonnull(batch);
  ab_batch_put(batch, "x", x);
  if (target != NULL) {
    ab_batch_put(batch, "y", target);
    ab_batch_put(batch, "target", target);
  }
  return batch;
}

/* ---- data ------------------------------------------------------------------------------------ */

gboolean plugin_test_open(AbData *self) {
  ab_data_open(self);
  if (ab_ok(ab_context(self))) ab_data_load(self);
  return ab_ok(ab_context(self));
}

double *plugin_test_fetch(AbData *self, const char *field, AbSplit split, const gint64 *rows,
                          gint64 count) {
  gint32 fields = ab_data_field_count(self);
  g_autoptr(GPtrArray) buffers = g_ptr_array_new_with_free_func(g_free);
  double *values = NULL;

  for (gint32 i = 0; i < fields; i++) {
    AbField f = ab_data_field_at(self, i);
    gsize bytes = (gsize)(count * ab_spec_count(&f.spec)) * ab_dtype_size(f.spec.dtype);

    g_ptr_array_add(buffers, g_malloc(bytes)); /* of this size: a sanitizer sees what is beyond */
  }
  ab_data_fetch(self, split, (const int64_t *)rows, count, (void *const *)buffers->pdata);
  for (gint32 i = 0; i < fields && ab_ok(ab_context(self)); i++) {
    AbField f = ab_data_field_at(self, i);
    gsize numbers = (gsize)(count * ab_spec_count(&f.spec));

    if (strcmp(f.name, field) != 0) continue;
    values = g_new(double, numbers);
    for (gsize j = 0; j < numbers; j++) values[j] = number(f.spec.dtype, buffers->pdata[i], j);
  }
  return values;
}

double *plugin_test_fetch_all(AbData *self, const char *field, AbSplit split) {
  gint64 count = ab_data_samples(self, split);
  g_autofree gint64 *rows = g_new(gint64, (gsize)count);

  for (gint64 i = 0; i < count; i++) rows[i] = i;
  return plugin_test_fetch(self, field, split, rows, count);
}

void plugin_test_rows(AbData *self, const char *field, AbSplit split, gint64 count,
                      const double *expected) {
  g_autofree double *values = NULL;
  gsize numbers = 0;

  g_assert_cmpint(ab_data_samples(self, split), ==, count);
  for (gint32 i = 0; i < ab_data_field_count(self); i++) {
    AbField f = ab_data_field_at(self, i);

    if (strcmp(f.name, field) == 0) numbers = (gsize)(count * ab_spec_count(&f.spec));
  }
  values = plugin_test_fetch_all(self, field, split);
  plugin_test_fine(ab_context(self));
  g_assert_nonnull(values);
  for (gsize i = 0; i < numbers; i++) g_assert_cmpfloat(values[i], ==, expected[i]);
}

/* ---- files ----------------------------------------------------------------------------------- */

char *plugin_test_folder(void) {
  GError *error = NULL;
  char *folder = g_dir_make_tmp("abhost-plugin-XXXXXX", &error);

  g_assert_no_error(error);
  return folder;
}

void plugin_test_drop_folder(char *folder) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);

    if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
      plugin_test_drop_folder(g_steal_pointer(&path));
    else
      g_unlink(path);
  }
  g_dir_close(dir);
  g_rmdir(folder);
  g_free(folder);
}

char *plugin_test_write(const char *folder, const char *name, const void *bytes, gsize length) {
  char *path = g_build_filename(folder, name, NULL);
  FILE *file = g_fopen(path, "wb");

  g_assert_nonnull(file);
  if (length > 0) g_assert_cmpuint(fwrite(bytes, 1, length, file), ==, length);
  g_assert_cmpint(fclose(file), ==, 0);
  return path;
}

char *plugin_test_data(const char *name) {
  const char *folder = g_getenv("ABHOST_TEST_DATA"), *root = g_getenv("ABHOST_SOURCE_ROOT");
  g_autofree char *beside =
      g_build_filename(root != NULL ? root : ".", "..", "shared", "data", NULL);
  g_autofree char *path = g_build_filename(folder != NULL ? folder : beside, name, NULL);

  if (g_file_test(path, G_FILE_TEST_EXISTS)) return g_steal_pointer(&path);
  g_test_skip_printf("there is no %s (ABHOST_TEST_DATA is the folder of the real data)", path);
  return NULL;
}
