/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages of the program and of its commands. */
#include "manual-internal.h"

#include "../commands/common.h"

/* ---- one command ----------------------------------------------------------------------------- */

/* "-o, --output=FILE" */
static char *option_term(const GOptionEntry *option) {
  g_autofree char *value = option->arg_description && option->arg != G_OPTION_ARG_NONE
                               ? g_strdup_printf("=%s", option->arg_description)
                               : g_strdup("");
  if (!option->short_name) return g_strdup_printf("--%s%s", option->long_name, value);
  return g_strdup_printf("-%c, --%s%s", option->short_name, option->long_name, value);
}

static void add_options(Page *page, const GOptionEntry *options) {
  for (; options->long_name; options++) {
    if (!*options->long_name || options->flags & G_OPTION_FLAG_HIDDEN) continue;
    g_autofree char *term = option_term(options);
    page_item(page, term, NULL, options->description ? options->description : "");
  }
}

static char *synopsis(const CommandLine *line) {
  gboolean any = line->arguments && *line->arguments;
  return g_strdup_printf("abhost %s [OPTION...]%s%s\n", line->command->name, any ? " " : "",
                         any ? line->arguments : "");
}

static void add_description(Page *page, const CommandLine *line) {
  page_paragraph(page, "%s", line->command->summary);
  if (line->description) page_prose(page, line->description);
}

/* A section of docs/commands.md. */
static void add_command(const CommandLine *line, const GOptionEntry *options, gpointer page) {
  g_autofree char *name = g_strdup_printf("abhost %s", line->command->name);
  g_autofree char *usage = synopsis(line);
  page_heading(page, 1, name);
  page_code(page, usage);
  add_description(page, line);
  add_options(page, options);
}

/* A page of its own for man. */
static void add_manual(const CommandLine *line, const GOptionEntry *options, gpointer page) {
  g_autofree char *usage = synopsis(line);
  page_heading(page, 1, "Synopsis");
  page_code(page, usage);
  page_heading(page, 1, "Description");
  add_description(page, line);
  page_heading(page, 1, "Options");
  add_options(page, options);
  page_heading(page, 1, "See also");
  page_raw(page, ".BR abhost (1),\n.BR abhost\\-manifest (5),\n.BR abhost\\-components (7)");
}

char *manual_command(const Command *command, PageForm form) {
  g_autofree char *title = g_strdup_printf("abhost-%s", command->name);
  g_autofree char *name = g_strdup_printf("abhost\\-%s", command->name);
  g_autofree char *heading = g_strdup_printf("The command %s", command->name);
  Page *page = page_new(form, title, 1, heading);
  manual_name(page, name, command->summary);
  command_visit(command, form == PAGE_ROFF ? add_manual : add_command, page);
  return page_finish(page);
}

/* ---- the program ----------------------------------------------------------------------------- */

static const struct {
  AbCode code;
  const char *text;
} statuses[] = {
    {AB_OK, "All went well."},
    {AB_USAGE, "The command line is wrong."},
    {AB_DATA, "Data is damaged, or not what it should be."},
    {AB_NO_INPUT, "A file is not there."},
    {AB_UNAVAILABLE, "A plugin or a device cannot be had."},
    {AB_INTERNAL, "A fault of the program or of a plugin."},
    {AB_IO, "Reading or writing failed."},
    {AB_STOPPED, "Stopped on request; `abhost resume` goes on."},
    {AB_CONFIG, "The manifest is wrong, or shapes do not fit together."},
};

static void add_statuses(Page *page) {
  page_heading(page, 1, "Exit status");
  page_paragraph(page, "Results go to standard output, all else to standard error. The statuses "
                       "are those of sysexits.h:");
  for (guint i = 0; i < G_N_ELEMENTS(statuses); i++) {
    g_autofree char *code = g_strdup_printf("%d", statuses[i].code);
    page_item(page, code, NULL, statuses[i].text);
  }
}

static void add_environment(Page *page) {
  page_heading(page, 1, "Environment");
  page_item(page, "ABHOST_PLUGIN_PATH", NULL,
            "Folders that plugins are looked for in, with colons between them: after those of "
            "--plugin-path, before $XDG_DATA_HOME/abhost/plugins and lib/abhost/plugins beside the "
            "program's own folder. A folder that all may write to is left out.");
  page_item(page, "OMP_NUM_THREADS", NULL, "Threads that the device cpu computes with.");
}

static void add_list(Page *page) {
  page_heading(page, 1, "Commands");
  for (guint i = 0; command_table[i]; i++)
    page_item(page, command_table[i]->name, NULL, command_table[i]->summary);
}

static void add_see_also(Page *page) {
  page_heading(page, 1, "See also");
  for (guint i = 0; command_table[i]; i++)
    page_raw(page, ".BR abhost\\-%s (1),", command_table[i]->name);
  page_raw(page, ".BR abhost\\-manifest (5),\n.BR abhost\\-components (7)");
}

char *manual_program(PageForm form) {
  Page *page = page_new(form, "abhost", 1, "Commands");
  manual_name(page, "abhost", "a laboratory for functional equivalents");
  page_heading(page, 1, "Synopsis");
  page_code(page, "abhost COMMAND [OPTION...]\nabhost --help\nabhost --version\n");
  page_heading(page, 1, "Description");
  page_paragraph(page,
                 "A problem is stated once, in a manifest; the models that answer it are "
                 "plugins, which are swapped in one line, trained, compared, saved and used.");
  add_list(page);
  add_environment(page);
  add_statuses(page);
  if (form == PAGE_ROFF)
    add_see_also(page);
  else
    for (guint i = 0; command_table[i]; i++) command_visit(command_table[i], add_command, page);
  return page_finish(page);
}
