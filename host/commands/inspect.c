/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost inspect: all that is known about one component.                                        */
#include "inspect.h"
#include "../registry/fit.h"
#include "common.h"

#include <string.h>

/* All of that name, of any kind: `mse` is a loss and a metric. */
static GPtrArray *find_bare(const Registry *registry, const char *name) {
  const GPtrArray *all = registry_entries(registry);
  GPtrArray *found = g_ptr_array_new();
  for (guint i = 0; i < all->len; i++)
    if (strcmp(((const Entry *)all->pdata[i])->component->name, name) == 0)
      g_ptr_array_add(found, all->pdata[i]);
  return found;
}

static void set_no_component(const Registry *registry, const char *name, GError **error) {
  const GPtrArray *all = registry_entries(registry);
  const char **names = g_new0(const char *, all->len + 1);
  for (guint i = 0; i < all->len; i++) names[i] = ((const Entry *)all->pdata[i])->component->name;
  const char *nearest = nearest_name(name, names);
  char *hint = nearest ? g_strdup_printf("did you mean '%s'?", nearest)
                       : g_strdup("'abhost list' shows those that are installed");
  g_set_error(error, HOST_ERROR, AB_UNAVAILABLE, "there is no component '%s'; %s", name, hint);
  g_free(hint);
  g_free(names);
}

/* Of KIND/NAME or NAME; NULL and an error where there is none. */
static GPtrArray *find_entries(const Registry *registry, AbKind kind, const char *name,
                               GError **error) {
  if (!kind) {
    GPtrArray *found = find_bare(registry, name);
    if (found->len) return found;
    g_ptr_array_unref(found);
    set_no_component(registry, name, error);
    return NULL;
  }
  const Entry *entry = registry_find(registry, kind, name, error);
  if (!entry) return NULL;
  GPtrArray *found = g_ptr_array_new();
  g_ptr_array_add(found, (gpointer)entry);
  return found;
}

static int inspect(const CommandOptions *options, AbKind kind, const char *name) {
  GError *error = NULL;
  g_autoptr(Registry) registry = registry_new((const char *const *)options->folders, &error);
  if (!registry) return command_fail(error);
  GPtrArray *entries = find_entries(registry, kind, name, &error);
  if (!entries) return command_fail(error);
  char *text = options->json ? inspect_json(registry, entries) : inspect_text(registry, entries);
  int status = command_output(text);
  g_free(text);
  g_ptr_array_unref(entries);
  return status;
}

static int inspect_argument(const CommandOptions *options) {
  const char *argument = options->arguments[0], *slash = strchr(argument, '/');
  if (!slash) return inspect(options, 0, argument);
  char *word = g_strndup(argument, (gsize)(slash - argument));
  const char **kinds = fit_kind_names();
  AbKind kind = fit_kind(word);
  int status = kind ? inspect(options, kind, slash + 1)
                    : command_no_name(&command_inspect, word, "kind", kinds);
  g_free(kinds);
  g_free(word);
  return status;
}

static int run(int argc, char **argv) {
  const CommandLine line = {.command = &command_inspect,
                            .arguments = "COMPONENT",
                            .description = "COMPONENT is KIND/NAME (model/rbm), or NAME alone.",
                            .plugins = TRUE,
                            .json = TRUE,
                            .min_count = 1,
                            .max_count = 1};
  CommandOptions options;
  int status;
  if (!command_parse(&line, argc, argv, &options, &status)) return status;
  status = inspect_argument(&options);
  command_clear(&options);
  return status;
}

const Command command_inspect = {"inspect", "Show what a component is, takes and needs.", run};
