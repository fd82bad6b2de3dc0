/* SPDX-License-Identifier: Apache-2.0
 *
 * Schedules: the factor at the first and the last step of every epoch, against repeated
 * multiplication.                                                                               */
#include "plugin-test.h"

static double factor_at(AbSchedule *schedule, gint64 epoch, gint64 step, gint64 per_epoch) {
  const AbScheduleVtable *table = schedule->component->vtable;
  AbProgress progress = {epoch, 100, step, per_epoch};

  return table->factor(schedule, &progress);
}

static void test_constant(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F64, 1);
  AbSchedule *schedule = plugin_test_new(ctx, AB_KIND_SCHEDULE, "constant");

  for (gint64 step = 0; step < 300; step++)
    g_assert_cmpfloat(factor_at(schedule, step / 3, step, 3), ==, 1);
  ab_instance_free(schedule);
  plugin_test_finish(ctx);
}

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

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/schedules/constant", test_constant);
  g_test_add_func("/schedules/step", test_step);
  return g_test_run();
}
