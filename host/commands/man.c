/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost man: the manual, made from the tables of the program. */
#include "../reference/file.h"
#include "../reference/manual.h"
#include "common.h"

static const char description[] =
    "PAGE is a command, `manifest`, `components`, or, as without it, `abhost`. To read one:\n"
    "  abhost man run | man -l -\n"
    "With --output all pages are written: below man1, man5 and man7 of the folder, or, with\n"
    "--markdown, as those of docs/.";

typedef struct {
  char *output;
  gboolean markdown;
} ManOptions;

static gboolean write_page(const Registry *registry, const char *name, PageForm form,
                           const char *folder, GError **error) {
  g_autofree char *file = manual_file(name, form);
  if (!file) return TRUE;
  g_autofree char *path = g_build_filename(folder, file, NULL);
  g_autofree char *text = manual_page(registry, name, form);
  return reference_write(path, text, error);
}

static int write_all(const Registry *registry, const char *const *names, PageForm form,
                     const char *folder) {
  GError *error = NULL;
  for (; *names; names++)
    if (!write_page(registry, *names, form, folder, &error)) return command_fail(error);
  return AB_OK;
}

static int show(const Registry *registry, const char *const *names, const char *name,
                PageForm form) {
  if (!name) name = names[0];
  if (!g_strv_contains(names, name)) return command_no_name(&command_man, name, "page", names);
  g_autofree char *text = manual_page(registry, name, form);
  return command_output(text);
}

static int work(const CommandOptions *common, const ManOptions *options) {
  GError *error = NULL;
  g_autofree const char **names = manual_names();
  PageForm form = options->markdown ? PAGE_MARKDOWN : PAGE_ROFF;
  if (options->output && common->count)
    return command_usage(&command_man, "--output writes all pages; leave '%s' out",
                         common->arguments[0]);
  g_autoptr(Registry) registry = registry_new((const char *const *)common->folders, &error);
  if (!registry) return command_fail(error);
  return options->output ? write_all(registry, names, form, options->output)
                         : show(registry, names, common->arguments[0], form);
}

static int run(int argc, char **argv) {
  ManOptions options = {0};
  const GOptionEntry own[] = {
      {"markdown", 0, 0, G_OPTION_ARG_NONE, &options.markdown, "Markdown instead of roff", NULL},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "Write all pages below it",
       "FOLDER"},
      {0}};
  const CommandLine line = {.command = &command_man,
                            .arguments = "[PAGE]",
                            .description = description,
                            .own = own,
                            .plugins = TRUE,
                            .max_count = 1};
  CommandOptions common;
  int status;
  if (command_parse(&line, argc, argv, &common, &status)) {
    status = work(&common, &options);
    command_clear(&common);
  }
  g_free(options.output);
  return status;
}

const Command command_man = {"man", "Show a page of the manual, for man or as Markdown.", run};
