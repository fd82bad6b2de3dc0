/* SPDX-License-Identifier: Apache-2.0
 *
 * Schedules: the factor at every step of 12 epochs of 5, against PyTorch's (tests/golden), and what
 * holds for every schedule that is installed.                                                   */
#include "plugin-test.h"
#include <hdf5.h>
#include <math.h>
#include <string.h>

#define EPOCHS    12
#define PER_EPOCH 5
#define ALL       (EPOCHS * PER_EPOCH)

static double factor_at(AbSchedule *schedule, gint64 epoch, gint64 step, gint64 per_epoch) {
  const AbScheduleVtable *table = schedule->component->vtable;
  AbProgress progress = {epoch, EPOCHS, step, per_epoch};

  return table->factor(schedule, &progress);
}

/* ---- golden ---------------------------------------------------------------------------------- */

typedef struct {
  const char *key;
  double value;
} Setting;

typedef struct {
  const char *name, *plugin; /* of the data set, and of the component */
  Setting settings[4];       /* integers and reals, up to a NULL key */
  const char *choice, *chosen;
  const char *inner; /* in the slot */
} Golden;

static const Golden cases[] = {
    {"constant", "constant"},
    {"step", "step", {{"factor", 0.5}, {"every", 3}}},
    {"exponential", "exponential", {{"gamma", 0.8}}},
    {"cosine", "cosine", {{"minimum", 0.05}}},
    {"cosine-epoch", "cosine", {{NULL}}, "per", "epoch"},
    {"cosine-restarts", "cosine", {{"period", 2}, {"multiply", 2}, {"minimum", 0.1}}},
    {"cosine-restarts-even", "cosine", {{"period", 5}}, "per", "epoch"},
    {"polynomial", "polynomial", {{"power", 2}}},
    {"polynomial-linear", "polynomial", {{"period", 10}}, "per", "epoch"},
    {"one-cycle", "one-cycle"},
    {"one-cycle-late", "one-cycle", {{"rise", 0.6}, {"divide", 10}, {"divide_last", 50}}},
    {"cyclic", "cyclic", {{"low", 0.1}, {"up", 7}}},
    {"cyclic-halved", "cyclic", {{"low", 0.2}, {"up", 5}}, "mode", "triangular2"},
    {"warm-up", "warm-up", {{"epochs", 3}}},
    {"warm-up-cosine", "warm-up", {{"steps", 10}, {"start", 0.25}}, NULL, NULL, "cosine"},
    {"noam", "noam", {{"width", 64}, {"warm_up", 20}}},
};

static void set(AbInstance *self, const Setting *setting) {
  const AbComponent *c = self->component;

  for (guint32 i = 0; i < c->param_count; i++) {
    if (strcmp(c->params[i].key, setting->key) != 0) continue;
    if (c->params[i].type == AB_TYPE_INT)
      plugin_test_set_int(self, setting->key, (gint64)setting->value);
    else
      plugin_test_set_real(self, setting->key, setting->value);
    return;
  }
  g_error("%s has no parameter %s", c->name, setting->key);
}

static void check_golden(hid_t file, const Golden *golden) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbSchedule *schedule = plugin_test_new(ctx, AB_KIND_SCHEDULE, golden->plugin), *inner = NULL;
  hid_t dataset = H5Dopen(file, golden->name, H5P_DEFAULT);
  double expected[ALL];

  g_assert_cmpint(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, expected), >=,
                  0);
  H5Dclose(dataset);
  for (gsize i = 0; i < G_N_ELEMENTS(golden->settings) && golden->settings[i].key; i++)
    set(schedule, &golden->settings[i]);
  if (golden->choice) plugin_test_set_choice(schedule, golden->choice, golden->chosen);
  if (golden->inner) {
    inner = plugin_test_new_at(ctx, AB_KIND_SCHEDULE, golden->inner, "inner");
    plugin_test_slot(schedule, "schedule", inner);
  }
  for (gint64 step = 0; step < ALL; step++) {
    double got = factor_at(schedule, step / PER_EPOCH, step, PER_EPOCH);

    if (!(fabs(got - expected[step]) <= 1e-12))
      g_error("%s at step %d: %.15g, not %.15g", golden->name, (int)step, got, expected[step]);
  }
  if (inner) ab_instance_free(inner);
  ab_instance_free(schedule);
  plugin_test_finish(ctx);
}

static void test_golden(void) {
  g_autofree char *path =
      g_strdup_printf("%s/tests/golden/schedules.h5", g_getenv("ABHOST_SOURCE_ROOT"));
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  H5G_info_t info;

  g_assert_cmpint(file, >=, 0);
  H5Gget_info(file, &info);
  g_assert_cmpint((gint64)info.nlinks, ==, (gint64)G_N_ELEMENTS(cases)); /* none is left out */
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) check_golden(file, &cases[i]);
  H5Fclose(file);
}

/* ---- by hand --------------------------------------------------------------------------------- */

static void check_step(AbContext *ctx, double factor, gint64 every, gint64 per_epoch) {
  AbSchedule *schedule = plugin_test_new(ctx, AB_KIND_SCHEDULE, "step");
  double expected = 1;

  plugin_test_set_real(schedule, "factor", factor);
  plugin_test_set_int(schedule, "every", every);
  for (gint64 epoch = 0; epoch < 30; epoch++) {
    if (epoch > 0 && epoch % every == 0) expected *= factor;
    for (gint64 i = 0; i < per_epoch; i++) {
      double got = factor_at(schedule, epoch, epoch * per_epoch + i, per_epoch);

      g_assert_cmpfloat_with_epsilon(got / expected, 1, 1e-12);
    }
  }
  ab_instance_free(schedule);
}

static void test_step(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);

  check_step(ctx, 0.5, 1, 4);
  check_step(ctx, 0.1, 7, 1);
  check_step(ctx, 0.9, 10, 5);
  check_step(ctx, 0.3, 1000, 2); /* beyond the run: never */
  check_step(ctx, 1, 2, 3);
  plugin_test_finish(ctx);
}

/* Warm-up, then steps that are counted from its end; and a warm-up of nothing. */
static void test_warm_up(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbSchedule *schedule = plugin_test_new(ctx, AB_KIND_SCHEDULE, "warm-up");
  AbSchedule *inner = plugin_test_new_at(ctx, AB_KIND_SCHEDULE, "step", "inner");

  plugin_test_set_int(schedule, "epochs", 2);
  plugin_test_set_real(schedule, "start", 0);
  plugin_test_set_int(inner, "every", 1);
  plugin_test_slot(schedule, "schedule", inner);
  g_assert_cmpfloat(factor_at(schedule, 0, 0, 4), ==, 0);
  g_assert_cmpfloat(factor_at(schedule, 1, 6, 4), ==, 0.75);
  g_assert_cmpfloat(factor_at(schedule, 2, 8, 4), ==, 1);
  g_assert_cmpfloat(factor_at(schedule, 3, 12, 4), ==, 0.1);
  plugin_test_set_int(schedule, "epochs", 0);
  g_assert_cmpfloat(factor_at(schedule, 0, 0, 4), ==, 1);
  ab_instance_free(inner);
  ab_instance_free(schedule);
  plugin_test_finish(ctx);
}

/* Every schedule that is installed: a finite factor of 0 or more, in short runs and long. */
static void test_all(void) {
  g_autoptr(GDir) folder = g_dir_open(g_getenv("ABHOST_PLUGIN_PATH"), 0, NULL);
  const char *file;
  int count = 0;

  while ((file = g_dir_read_name(folder))) {
    if (!g_str_has_prefix(file, "schedule-") || !g_str_has_suffix(file, ".so")) continue;
    g_autofree char *name = g_strndup(file + 9, strlen(file) - 12);
    AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
    AbSchedule *schedule = plugin_test_new(ctx, AB_KIND_SCHEDULE, name);
    const AbScheduleVtable *table = schedule->component->vtable;

    for (gint64 epochs = 1; epochs < 10000; epochs = 4 * epochs + 1)
      for (gint64 step = 0; step < 2 * epochs; step++) { /* twice as far as the run goes */
        AbProgress progress = {step, epochs, step, 1};
        double factor = table->factor(schedule, &progress);

        g_assert_true(factor >= 0 && factor <= 1);
      }
    ab_instance_free(schedule);
    plugin_test_finish(ctx);
    count++;
  }
  g_assert_cmpint(count, >=, 2);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/schedules/golden", test_golden);
  g_test_add_func("/schedules/step", test_step);
  g_test_add_func("/schedules/warm-up", test_warm_up);
  g_test_add_func("/schedules/all", test_all);
  return g_test_run();
}
