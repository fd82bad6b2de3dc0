/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames: what is seen against the observations of the environment itself, kept here. */
#include "plugin-test.h"
#include <string.h>

typedef struct {
  AbEnvironment *of, *frames;
} Pair;

static Pair make(AbContext *ctx, const char *of, gint64 frames) {
  Pair pair = {plugin_test_new_at(ctx, AB_KIND_ENVIRONMENT, of, "environment/of"),
               plugin_test_new(ctx, AB_KIND_ENVIRONMENT, "frames")};

  plugin_test_slot(pair.frames, "of", pair.of);
  plugin_test_set_int(pair.frames, "frames", frames);
  return pair;
}

static void build(Pair *pair) {
  ab_begin(ab_context(pair->frames), AB_PURPOSE_TRAIN, 0);
  ab_environment_build(pair->frames);
}

static void end(Pair *pair) {
  AbContext *ctx = ab_context(pair->frames);

  ab_instance_free(pair->frames);
  ab_instance_free(pair->of);
  plugin_test_finish(ctx);
}

/* Moves `count` - 1 old frames up and puts the newest at the end. */
static void push(double *window, int count, int size, AbEnvironment *of, const gint64 *visible) {
  g_autofree double *seen = plugin_test_values(ab_environment_observe(of));

  memmove(window, window + size, (gsize)((count - 1) * size) * sizeof *window);
  for (int i = 0; i < size; i++) window[(count - 1) * size + i] = seen[visible ? visible[i] : i];
}

/* A walk of three episodes, each of which ends by itself or by the limit of 25 steps. */
static void follow(Pair *pair, int count, int size, const gint64 *visible, double exact) {
  g_autofree double *window = g_new0(double, count *size);

  for (int episode = 0; episode < 3; episode++) {
    double sum = 0;

    ab_begin(ab_context(pair->frames), AB_PURPOSE_TRAIN, episode);
    ab_environment_reset(pair->frames);
    for (int i = 0; i < count; i++) push(window, count, size, pair->of, visible);
    for (int step = 0; !ab_environment_over(pair->frames); step++) {
      AbScope scope = ab_scope_begin(ab_context(pair->frames));
      AbTensor *before = ab_environment_observe(pair->frames);
      g_autofree double *seen = plugin_test_values(before);
      AbOutcome outcome;

      plugin_test_near(before, window, count * size, exact);
      outcome = ab_environment_step(pair->frames, (step / 2 + episode) % 2);
      plugin_test_fine(ab_context(pair->frames));
      plugin_test_near(before, seen, count * size, 0); /* it does not change with the environment */
      push(window, count, size, pair->of, visible);
      sum += outcome.reward;
      g_assert_cmpint(outcome.cut, ==, !outcome.terminal && step == 24);
      ab_scope_end(ab_context(pair->frames), scope, NULL, 0);
    }
    g_assert_cmpfloat(ab_environment_return(pair->frames), ==, sum);
    g_assert_true(ab_environment_over(pair->of));
  }
}

static void test_sequence(const PluginTestCase *at) {
  Pair pair = make(plugin_test_context(at), "cartpole", 3);
  AbSpec seen;

  plugin_test_set_int(pair.of, "limit", 25);
  build(&pair);
  seen = ab_environment_observation(pair.frames);
  g_assert_cmpint(seen.rank, ==, 2);
  g_assert_cmpint(seen.shape[0], ==, 3);
  g_assert_cmpint(seen.shape[1], ==, 4);
  g_assert_cmpint(ab_environment_actions(pair.frames), ==, 2);
  g_assert_cmpint(ab_environment_limit(pair.frames), ==, 25);
  follow(&pair, 3, 4, NULL, at->exact);
  end(&pair);
}

static void test_visible(const PluginTestCase *at) {
  const gint64 visible[] = {2, 0};
  Pair pair = make(plugin_test_context(at), "cartpole", 4);

  plugin_test_set_int(pair.of, "limit", 25);
  plugin_test_set_ints(pair.frames, "visible", 2, visible);
  build(&pair);
  g_assert_cmpint(ab_environment_observation(pair.frames).shape[1], ==, 2);
  follow(&pair, 4, 2, visible, at->exact);
  end(&pair);
}

/* Planes become channels; one frame is the observation itself. */
static void test_planes(const PluginTestCase *at) {
  for (gint64 count = 1; count < 4; count++) {
    Pair pair = make(plugin_test_context(at), "gridworld", count);
    AbSpec seen;

    plugin_test_set_int(pair.of, "limit", 25);
    build(&pair);
    seen = ab_environment_observation(pair.frames);
    g_assert_cmpint(seen.rank, ==, 3);
    g_assert_cmpint(seen.shape[0], ==, count);
    g_assert_cmpint(seen.shape[1], ==, 6);
    g_assert_cmpint(seen.shape[2], ==, 9);
    g_assert_cmpint(seen.range, ==, AB_RANGE_BINARY);
    follow(&pair, (int)count, 54, NULL, 0);
    end(&pair);
  }
}

static void test_refused(void) {
  const gint64 fifth[] = {1, 4}, first[] = {0};
  Pair pair = make(ab_context_new("cpu", AB_F32, 1), "cartpole", 2);

  plugin_test_set_ints(pair.frames, "visible", 2, fifth);
  build(&pair);
  plugin_test_error(ab_context(pair.frames), AB_CONFIG,
                    "*visible has 4; an observation of cartpole has 4 numbers, from 0");
  end(&pair);
  pair = make(ab_context_new("cpu", AB_F32, 1), "gridworld", 2);
  plugin_test_set_ints(pair.frames, "visible", 1, first);
  build(&pair);
  plugin_test_error(ab_context(pair.frames), AB_CONFIG,
                    "*visible is for observations that are vectors; gridworld gives planes");
  end(&pair);
}

/* Frames of frames have two axes. */
static void test_nested(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  Pair inner = make(ctx, "cartpole", 2);
  AbEnvironment *outer = plugin_test_new(ctx, AB_KIND_ENVIRONMENT, "frames");

  plugin_test_slot(outer, "of", inner.frames);
  ab_environment_build(outer);
  plugin_test_error(ctx, AB_CONFIG, "*observations of frames have 2 axes; frames takes vectors *");
  ab_instance_free(outer);
  end(&inner);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  plugin_test_add("/frames/sequence", test_sequence);
  plugin_test_add("/frames/visible", test_visible);
  plugin_test_add("/frames/planes", test_planes);
  g_test_add_func("/frames/refused", test_refused);
  g_test_add_func("/frames/nested", test_nested);
  return g_test_run();
}
