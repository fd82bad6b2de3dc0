/* SPDX-License-Identifier: Apache-2.0
 *
 * Options, messages, output. */
#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM "abhost"

/* Who is to be given the line instead; see command_visit. */
static struct {
  CommandVisitor visitor;
  gpointer data;
} visit;

static void append(GArray *all, const GOptionEntry *entries) {
  for (; entries && entries->long_name; entries++) g_array_append_vals(all, entries, 1);
}

/* The options of a line, a zeroed one at the end; free with g_array_unref. */
static GArray *all_options(const CommandLine *line, CommandOptions *options, gboolean *help) {
  const GOptionEntry plugins[] = {
      {"plugin-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->folders,
       "Look for plugins here first (may be given several times)", "FOLDER"},
      {0}};
  const GOptionEntry json[] = {
      {"json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Write JSON, for programs", NULL}, {0}};
  const GOptionEntry rest[] = {{"help", 'h', 0, G_OPTION_ARG_NONE, help, "Show this text", NULL},
                               {0}};
  GArray *all = g_array_new(TRUE, FALSE, sizeof(GOptionEntry));
  append(all, line->own);
  if (line->plugins) append(all, plugins);
  if (line->json) append(all, json);
  append(all, rest);
  return all;
}

/* GLib's help begins with the program's name, and its own --help ends the program. */
static int show_help(GOptionContext *context, const CommandLine *line) {
  char *name = g_strdup_printf(PROGRAM " %s", line->command->name);
  char *before = g_strdup(g_get_prgname());
  g_set_prgname(name);
  char *text = g_option_context_get_help(context, TRUE, NULL);
  if (before) g_set_prgname(before);
  int status = command_output(text);
  g_free(text);
  g_free(before);
  g_free(name);
  return status;
}

static gboolean check_count(const CommandLine *line, const CommandOptions *options, int *status) {
  if (options->count < line->min_count)
    *status = command_usage(line->command, "what to work on is missing: %s", line->arguments);
  else if (options->count > line->max_count)
    *status = command_usage(line->command, "'%s' is one argument too many",
                            options->arguments[line->max_count]);
  else
    return TRUE;
  return FALSE;
}

gboolean command_parse(const CommandLine *line, int argc, char **argv, CommandOptions *options,
                       int *status) {
  gboolean help = FALSE, go_on = FALSE;
  GError *error = NULL;
  *options = (CommandOptions){0};
  g_autoptr(GArray) all = all_options(line, options, &help);
  if (visit.visitor) {
    visit.visitor(line, (const GOptionEntry *)(void *)all->data, visit.data);
    *status = AB_OK;
    return FALSE;
  }
  const GOptionEntry arguments[] = {
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->arguments, NULL, NULL},
      {0}};
  GOptionContext *context = g_option_context_new(line->arguments);
  g_option_context_set_summary(context, line->command->summary);
  g_option_context_set_description(context, line->description);
  g_option_context_set_help_enabled(context, FALSE);
  g_option_context_add_main_entries(context, (const GOptionEntry *)(void *)all->data, NULL);
  g_option_context_add_main_entries(context, arguments, NULL);

  char **strings = g_new0(char *, argc + 1); /* GLib takes strings out of it, and frees them */
  for (int i = 0; i < argc; i++) strings[i] = g_strdup(argv[i]);
  gboolean parsed = g_option_context_parse_strv(context, &strings, &error);
  g_strfreev(strings);
  if (!options->arguments) options->arguments = g_new0(char *, 1);
  options->count = g_strv_length(options->arguments);
  if (!parsed)
    *status = command_usage(line->command, "%s", error->message);
  else if (help)
    *status = show_help(context, line);
  else
    go_on = check_count(line, options, status);
  g_clear_error(&error);
  g_option_context_free(context);
  if (!go_on) command_clear(options);
  return go_on;
}

void command_visit(const Command *command, CommandVisitor visitor, gpointer data) {
  char name[] = "";
  char *argv[] = {name, NULL};
  visit.visitor = visitor;
  visit.data = data;
  command->run(1, argv);
  visit.visitor = NULL;
}

void command_clear(CommandOptions *options) {
  g_strfreev(options->folders);
  g_strfreev(options->arguments);
  *options = (CommandOptions){0};
}

int command_fail(GError *error) {
  int code = error->code;
  fprintf(stderr, PROGRAM ": %s\n", error->message);
  g_error_free(error);
  return code;
}

gboolean command_installed(const Registry *registry, GError **error) {
  if (registry_entries(registry)->len > 0) return TRUE;
  char *folders = g_strjoinv(", ", (char **)registry_folders(registry));
  g_set_error(error, HOST_ERROR, AB_UNAVAILABLE,
              "no plugin is installed (searched: %s); --plugin-path or ABHOST_PLUGIN_PATH names "
              "their folder",
              *folders ? folders : "nowhere");
  g_free(folders);
  return FALSE;
}

int command_usage(const Command *command, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *message = g_strdup_vprintf(format, args);
  va_end(args);
  fprintf(stderr, PROGRAM " %s: %s\nSee " PROGRAM " %s --help\n", command->name, message,
          command->name);
  g_free(message);
  return AB_USAGE;
}

void command_note(const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *message = g_strdup_vprintf(format, args);
  va_end(args);
  fprintf(stderr, PROGRAM ": %s\n", message);
  g_free(message);
}

int command_output(const char *text) {
  gboolean written = fputs(text, stdout) >= 0 && fflush(stdout) == 0;
  if (written) return AB_OK;
  command_note("the result cannot be written: %s", g_strerror(errno));
  return AB_IO;
}

int command_no_name(const Command *command, const char *name, const char *noun,
                    const char *const *choices) {
  const char *nearest = nearest_name(name, choices);
  char *all = g_strjoinv(", ", (char **)choices);
  char *hint = nearest ? g_strdup_printf("; did you mean '%s'?", nearest) : g_strdup("");
  int status = command_usage(command, "'%s' is no %s%s (%ss: %s)", name, noun, hint, noun, all);
  g_free(hint);
  g_free(all);
  return status;
}
