/* SPDX-License-Identifier: Apache-2.0
 *
 * command_visit: what the commands take, by the tables that they parse with. */
#include "commands/common.h"

#include <string.h>

typedef struct {
  guint calls;
  const Command *command;
  GString *options; /* "--name " of each */
} Seen;

static void note(const CommandLine *line, const GOptionEntry *options, gpointer data) {
  Seen *seen = data;
  seen->calls++;
  seen->command = line->command;
  for (; options->long_name; options++)
    g_string_append_printf(seen->options, "--%s ", options->long_name);
}

static Seen visit(const Command *command) {
  Seen seen = {.options = g_string_new(NULL)};
  command_visit(command, note, &seen);
  return seen;
}

/* Every command gives its line, once, and does nothing else: the test's output is TAP. */
static void test_all(void) {
  for (guint i = 0; command_table[i]; i++) {
    Seen seen = visit(command_table[i]);
    g_assert_cmpuint(seen.calls, ==, 1);
    g_assert_true(seen.command == command_table[i]);
    g_assert_nonnull(strstr(seen.options->str, "--help "));
    g_string_free(seen.options, TRUE);
    for (guint j = 0; j < i; j++)
      g_assert_cmpstr(command_table[i]->name, !=, command_table[j]->name);
  }
}

static void test_options(void) {
  Seen list = visit(&command_list);
  g_assert_cmpstr(list.options->str, ==, "--role --plugin-path --json --help ");
  g_string_free(list.options, TRUE);
  Seen inspect = visit(&command_inspect);
  g_assert_cmpstr(inspect.options->str, ==, "--plugin-path --json --help ");
  g_string_free(inspect.options, TRUE);
}

/* Afterwards commands run as they did. */
static void test_after(void) {
  char name[] = "list", kind[] = "no-kind";
  char *argv[] = {name, kind, NULL};
  g_string_free(visit(&command_list).options, TRUE);
  if (g_test_subprocess()) {
    g_assert_cmpint(command_list.run(2, argv), ==, AB_USAGE);
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
  g_test_trap_assert_stderr("*'no-kind' is no kind*");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/commands/all", test_all);
  g_test_add_func("/commands/options", test_options);
  g_test_add_func("/commands/after", test_after);
  return g_test_run();
}
