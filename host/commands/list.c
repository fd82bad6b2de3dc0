/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost list: what is installed. */
#include "../jsonout.h"
#include "../registry/component-json.h"
#include "../registry/fit.h"
#include "../table.h"
#include "common.h"

/* What is to be listed; 0 and AB_ROLE_NONE: everything. */
typedef struct {
  AbKind kind;
  AbRole role;
} Wish;

static gboolean is_wanted(const Wish *wish, const AbComponent *component) {
  if (wish->role != AB_ROLE_NONE) return fit_component(component, AB_KIND_MODEL, wish->role);
  return !wish->kind || component->kind == wish->kind;
}

static GPtrArray *wanted_entries(const Registry *registry, const Wish *wish) {
  const GPtrArray *all = registry_entries(registry);
  GPtrArray *wanted = g_ptr_array_new();
  for (guint i = 0; i < all->len; i++)
    if (is_wanted(wish, ((const Entry *)all->pdata[i])->component))
      g_ptr_array_add(wanted, all->pdata[i]);
  return wanted;
}

/* ---- table --------------------------------------------------------------------------------- */

/* Kinds are set apart by an empty line. */
static char *make_table(const GPtrArray *entries) {
  g_autoptr(Table) table = table_new("llll");
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < entries->len; i++) {
    const AbComponent *one = ((const Entry *)entries->pdata[i])->component;
    const Entry *before = i ? entries->pdata[i - 1] : NULL;
    g_autofree char *roles = fit_roles(one);
    if (before && before->component->kind != one->kind) table_add(table, "", "", "", "");
    table_add(table, ab_kind_name(one->kind), one->name, roles, one->doc);
  }
  table_write(table, text, 0, FALSE);
  return g_string_free(text, FALSE);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void put_entry(JsonBuilder *json, const Entry *entry) {
  json_builder_begin_object(json);
  jsonout_text(json, "kind", ab_kind_name(entry->component->kind));
  jsonout_text(json, "name", entry->component->name);
  component_json_roles(json, entry->component);
  jsonout_text(json, "doc", entry->component->doc);
  jsonout_text(json, "plugin", entry->plugin->id);
  jsonout_text(json, "version", entry->plugin->version);
  jsonout_text(json, "file", entry->file);
  json_builder_end_object(json);
}

static void put_refusals(JsonBuilder *json, const Registry *registry) {
  const GPtrArray *refusals = registry_refusals(registry);
  jsonout_begin_array(json, "refused");
  for (guint i = 0; i < refusals->len; i++) {
    const Refusal *refusal = refusals->pdata[i];
    json_builder_begin_object(json);
    jsonout_text(json, "file", refusal->file);
    jsonout_text(json, "reason", refusal->reason);
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

static char *make_json(const Registry *registry, const GPtrArray *entries) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  jsonout_begin_array(json, "components");
  for (guint i = 0; i < entries->len; i++) put_entry(json, entries->pdata[i]);
  json_builder_end_array(json);
  put_refusals(json, registry);
  json_builder_end_object(json);
  return jsonout_finish(json);
}

/* ---- command ------------------------------------------------------------------------------- */

/* FALSE and *status where the words name no kind or no role. */
static gboolean read_wish(const char *kind, const char *role, Wish *wish, int *status) {
  *wish = (Wish){kind ? fit_kind(kind) : 0, role ? fit_role(role) : AB_ROLE_NONE};
  const char **kinds = fit_kind_names(), **roles = fit_role_names();
  *status = AB_OK;
  if (kind && !wish->kind)
    *status = command_no_name(&command_list, kind, "kind", kinds);
  else if (role && wish->role == AB_ROLE_NONE)
    *status = command_no_name(&command_list, role, "role", roles);
  else if (role && kind && wish->kind != AB_KIND_MODEL)
    *status = command_usage(&command_list, "--role is for models; a %s has no roles", kind);
  g_free(kinds);
  g_free(roles);
  return *status == AB_OK;
}

static void note_refusals(const Registry *registry) {
  const GPtrArray *refusals = registry_refusals(registry);
  for (guint i = 0; i < refusals->len; i++) {
    const Refusal *refusal = refusals->pdata[i];
    command_note("%s: refused: %s", refusal->file, refusal->reason);
  }
}

static int list(const CommandOptions *options, const Wish *wish) {
  GError *error = NULL;
  g_autoptr(Registry) registry = registry_new((const char *const *)options->folders, &error);
  if (!registry) return command_fail(error);
  note_refusals(registry);
  GPtrArray *entries = wanted_entries(registry, wish);
  if (!entries->len) {
    char *folders = g_strjoinv(", ", (char **)registry_folders(registry));
    command_note("nothing of that sort is installed (searched: %s)", *folders ? folders : "none");
    g_free(folders);
  }
  char *text = options->json ? make_json(registry, entries) : make_table(entries);
  int status = command_output(text);
  g_free(text);
  g_ptr_array_unref(entries);
  return status;
}

static int run(int argc, char **argv) {
  char *role = NULL;
  const GOptionEntry own[] = {{"role", 0, 0, G_OPTION_ARG_STRING, &role,
                               "Only models that offer this (encode, classify, ...)", "ROLE"},
                              {0}};
  const CommandLine line = {.command = &command_list,
                            .arguments = "[KIND]",
                            .own = own,
                            .plugins = TRUE,
                            .json = TRUE,
                            .max_count = 1};
  CommandOptions options;
  Wish wish;
  int status;
  if (command_parse(&line, argc, argv, &options, &status)) {
    if (read_wish(options.arguments[0], role, &wish, &status)) status = list(&options, &wish);
    command_clear(&options);
  }
  g_free(role);
  return status;
}

const Command command_list = {"list", "List the components that are installed.", run};
