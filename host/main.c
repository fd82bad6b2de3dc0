/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost: finds the command and runs it. */
#include "commands/common.h"
#include "run/signals.h"
#include "store/store.h"
#include "threads.h"

#include <stdio.h>
#include <string.h>

static int width_of_names(void) {
  size_t width = 0;
  for (guint i = 0; command_table[i]; i++) width = MAX(width, strlen(command_table[i]->name));
  return (int)width;
}

static int help(void) {
  GString *text = g_string_new(
      "Usage: abhost COMMAND [OPTION...]\n\n"
      "A laboratory for functional equivalents: a problem is stated once, in a manifest; the models\n"
      "that answer it are plugins.\n\nCommands:\n");
  for (guint i = 0; command_table[i]; i++)
    g_string_append_printf(text, "  %-*s  %s\n", width_of_names(), command_table[i]->name,
                           command_table[i]->summary);
  g_string_append(text, "\n`abhost COMMAND --help` says more; `abhost --version` the version.\n");
  int status = command_output(text->str);
  g_string_free(text, TRUE);
  return status;
}

static int version(void) {
  char *text = g_strdup_printf("abhost %s (ABI %d.%d, headers %s)\n", ab_version(), AB_ABI_MAJOR,
                               AB_ABI_MINOR, ab_fingerprint());
  int status = command_output(text);
  g_free(text);
  return status;
}

static int unknown(const char *name) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; command_table[i]; i++) g_ptr_array_add(names, (gpointer)command_table[i]->name);
  g_ptr_array_add(names, NULL);
  const char *nearest = nearest_name(name, (const char *const *)names->pdata);
  fprintf(stderr, "abhost: there is no command '%s'%s%s%s (see abhost --help)\n", name,
          nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
  return AB_USAGE;
}

static const Command *find(const char *name) {
  for (guint i = 0; command_table[i]; i++)
    if (strcmp(name, command_table[i]->name) == 0) return command_table[i];
  return NULL;
}

int main(int argc, char **argv) {
  const Command *command = argc > 1 ? find(argv[1]) : NULL;
  if (command && command->computes) threads_settle(argv);
  store_init();
  signals_prepare();
  g_set_prgname("abhost");
  if (argc < 2) {
    fputs("abhost: a command is missing; see abhost --help\n", stderr);
    return AB_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
    return help();
  if (strcmp(argv[1], "--version") == 0) return version();
  return command ? command->run(argc - 1, argv + 1) : unknown(argv[1]);
}
