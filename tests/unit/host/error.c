/* SPDX-License-Identifier: Apache-2.0
 *
 * Collected errors, and suggested names against a breadth-first search over single edits.       */
#include "error.h"

#include <string.h>

static void check_message(const Diagnostics *diagnostics, AbCode code, const char *expected) {
  g_autoptr(GError) error = NULL;
  g_assert_false(diagnostics_check(diagnostics, &error));
  g_assert_error(error, HOST_ERROR, code);
  g_assert_cmpstr(error->message, ==, expected);
}

static void test_empty(void) {
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(GError) error = NULL;
  g_assert_true(diagnostics_check(diagnostics, &error));
  g_assert_no_error(error);
  g_assert_cmpuint(diagnostics_count(diagnostics), ==, 0);
  diagnostics_free(diagnostics);
  diagnostics_free(NULL);
}

static void test_order(void) {
  Diagnostics *diagnostics = diagnostics_new();
  diagnostics_add(diagnostics, AB_DATA, "b.yaml:1:1", "%s", "seventh");
  diagnostics_add(diagnostics, AB_USAGE, "a.yaml:10:2", "sixth");
  diagnostics_add(diagnostics, AB_USAGE, "a.yaml:9:10", "fifth");
  diagnostics_add(diagnostics, AB_USAGE, "a.yaml:9:2", "third");
  diagnostics_add(diagnostics, AB_USAGE, "a.yaml:9:2", "fourth, noted later");
  diagnostics_add(diagnostics, AB_USAGE, "a.yaml", "second");
  diagnostics_add(diagnostics, AB_USAGE, NULL, "first");
  diagnostics_add(diagnostics, AB_USAGE, "c:7:d.yaml:2:1", "eighth");
  diagnostics_add(diagnostics, AB_USAGE, "c:7:d.yaml:11", "ninth");
  const char *expected = "first\na.yaml: second\na.yaml:9:2: third\n"
                         "a.yaml:9:2: fourth, noted later\na.yaml:9:10: fifth\n"
                         "a.yaml:10:2: sixth\nb.yaml:1:1: seventh\n"
                         "c:7:d.yaml:2:1: eighth\nc:7:d.yaml:11: ninth";
  check_message(diagnostics, AB_DATA, expected);
  check_message(diagnostics, AB_DATA, expected); /* asking changes nothing */
  g_assert_false(diagnostics_check(diagnostics, NULL));
  diagnostics_free(diagnostics);
}

static void test_duplicates(void) {
  Diagnostics *diagnostics = diagnostics_new();
  diagnostics_add(diagnostics, AB_CONFIG, "a:1:1", "one");
  diagnostics_add(diagnostics, AB_CONFIG, "a:1:1", "two");
  diagnostics_add(diagnostics, AB_CONFIG, "a:1:1", "one");
  diagnostics_add(diagnostics, AB_CONFIG, "a:1:2", "one");
  g_assert_cmpuint(diagnostics_count(diagnostics), ==, 4);
  check_message(diagnostics, AB_CONFIG, "a:1:1: one\na:1:1: two\na:1:2: one");
  diagnostics_free(diagnostics);
}

static void test_nearest(void) {
  const char *const names[] = {"learning_rate", "momentum", "lr", "units", "größe", NULL};
  const char *const ties[] = {"bats", "cats", "cat", NULL};
  const char *const none[] = {NULL};
  g_assert_cmpstr(nearest_name("learning-rate", names), ==, "learning_rate");
  g_assert_cmpstr(nearest_name("laerning_rat", names), ==, "learning_rate");
  g_assert_cmpstr(nearest_name("momenutm", names), ==, "momentum");
  g_assert_cmpstr(nearest_name("rl", names), ==, "lr");
  g_assert_cmpstr(nearest_name("grösse", names), ==, "größe");
  g_assert_cmpstr(nearest_name("gr\xffße", names), ==, NULL);
  g_assert_cmpstr(nearest_name("units", names), ==, "units");
  g_assert_cmpstr(nearest_name("layers", names), ==, NULL);
  g_assert_cmpstr(nearest_name("hats", ties), ==, "bats");
  g_assert_cmpstr(nearest_name("cat", ties), ==, "cat");
  g_assert_cmpstr(nearest_name("units", none), ==, NULL);
  g_assert_cmpstr(nearest_name("", names), ==, NULL);
  const char *const letters[] = {"x", "y", NULL};
  g_assert_cmpstr(nearest_name("z", letters), ==, NULL); /* no letter in common */
}

/* Adds every text over {a, b, c} that is one edit away from `text`. */
static void add_neighbours(GHashTable *set, const char *text) {
  gsize length = strlen(text);
  for (gsize i = 0; i <= length; i++) {
    for (char c = 'a'; c <= 'c'; c++) {
      g_hash_table_add(set, g_strdup_printf("%.*s%c%s", (int)i, text, c, text + i));
      if (i < length)
        g_hash_table_add(set, g_strdup_printf("%.*s%c%s", (int)i, text, c, text + i + 1));
    }
    if (i < length) g_hash_table_add(set, g_strdup_printf("%.*s%s", (int)i, text, text + i + 1));
    if (i + 1 < length)
      g_hash_table_add(
          set, g_strdup_printf("%.*s%c%c%s", (int)i, text, text[i + 1], text[i], text + i + 2));
  }
}

static GHashTable *within(const char *text, guint edits) {
  GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add(set, g_strdup(text));
  for (guint i = 0; i < edits; i++) {
    g_autoptr(GHashTable) wider = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer member;
    g_hash_table_iter_init(&iter, set);
    while (g_hash_table_iter_next(&iter, &member, NULL)) add_neighbours(wider, member);
    g_hash_table_iter_init(&iter, wider);
    while (g_hash_table_iter_next(&iter, &member, NULL)) g_hash_table_add(set, g_strdup(member));
  }
  return set;
}

static char *random_word(gint longest) {
  gint length = g_test_rand_int_range(2, longest + 1);
  char *word = g_malloc0((gsize)length + 1);
  for (gint i = 0; i < length; i++) word[i] = (char)('a' + g_test_rand_int_range(0, 3));
  return word;
}

static void test_distance(void) {
  guint near = 0;
  for (guint round = 0; round < 30; round++) {
    g_autofree char *name = random_word(7);
    guint limit = (guint)MAX(1, strlen(name) / 3);
    g_autoptr(GHashTable) set = within(name, limit);
    GHashTableIter iter;
    gpointer member;
    g_hash_table_iter_init(&iter, set);
    while (g_hash_table_iter_next(&iter, &member, NULL)) {
      const char *const candidates[] = {member, NULL};
      g_assert_cmpstr(nearest_name(name, candidates), ==, member);
      near++;
    }
    for (guint i = 0; i < 1000; i++) {
      g_autofree char *other = random_word(8);
      const char *const candidates[] = {other, NULL};
      const char *expected = g_hash_table_contains(set, other) ? other : NULL;
      g_assert_true(nearest_name(name, candidates) == expected);
    }
  }
  g_assert_cmpuint(near, >, 300);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/error/empty", test_empty);
  g_test_add_func("/error/order", test_order);
  g_test_add_func("/error/duplicates", test_duplicates);
  g_test_add_func("/error/nearest", test_nearest);
  g_test_add_func("/error/distance", test_distance);
  return g_test_run();
}
