/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost equivalents MANIFEST: what else is installed that would fit, slot by slot.              */
#include "../equivalents/equivalents.h"
#include "../amounts.h"
#include "../jsonout.h"
#include "../manifest/manifest.h"
#include "../registry/fit.h"
#include "../table.h"
#include "session.h"

#include <string.h>

/* A slot with what was tried in it. */
typedef struct {
  const Slot *slot;
  GPtrArray *equivalents; /* Equivalent * */
} Found;

static void found_free(gpointer data) {
  Found *self = data;
  g_ptr_array_unref(self->equivalents);
  g_free(self);
}

/* ---- for people ------------------------------------------------------------------------------ */

static void add_head(GString *text, const Slot *slot) {
  g_autofree char *wanted = fit_wanted(slot->kind, slot->role);
  const char *arity = slot->list       ? "a list"
                      : slot->item     ? "one of many"
                      : slot->required ? "required"
                                       : "optional";
  g_string_append_printf(text, "%s: %s, %s%s\n", slot->path, wanted, arity,
                         slot->present->len ? "" : "; nothing is there");
}

static char *with_difference(char *value, char *difference) {
  char *text = *difference ? g_strdup_printf("%s (%s)", value, difference) : g_strdup(value);
  g_free(value);
  g_free(difference);
  return text;
}

/* Whether nothing that fits changes what the manifest costs: then the costs say nothing. */
static gboolean costs_alike(const Found *found, const Costs *before) {
  for (guint i = 0; i < found->equivalents->len; i++) {
    const Equivalent *e = found->equivalents->pdata[i];
    if (!e->reason &&
        (e->costs.parameters != before->parameters || e->costs.memory != before->memory ||
         e->costs.multiply_adds != before->multiply_adds))
      return FALSE;
  }
  return TRUE;
}

static void add_costs(Table *table, const Equivalent *e, const Costs *before) {
  g_autofree char *parameters =
      with_difference(amounts_count(e->costs.parameters),
                      amounts_difference(e->costs.parameters - before->parameters));
  g_autofree char *products =
      with_difference(amounts_count(e->costs.multiply_adds),
                      amounts_difference(e->costs.multiply_adds - before->multiply_adds));
  g_autofree char *memory = amounts_bytes(e->costs.memory);
  table_add(table, e->present ? "*" : "", e->component->name, parameters, products, memory);
}

static void add_fitting(GString *text, const Found *found, const Costs *before) {
  gboolean alike = costs_alike(found, before);
  g_autoptr(Table) table = table_new(alike ? "lll" : "llrrr");
  if (!alike) table_add(table, "", "", "parameters", "multiply-adds", "memory");
  for (guint i = 0; i < found->equivalents->len; i++) {
    const Equivalent *e = found->equivalents->pdata[i];
    if (e->reason) continue;
    if (alike)
      table_add(table, e->present ? "*" : "", e->component->name, e->component->doc);
    else
      add_costs(table, e, before);
  }
  table_write(table, text, 2, !alike);
}

static void add_others(GString *text, const Found *found) {
  g_autoptr(Table) table = table_new("ll");
  for (guint i = 0; i < found->equivalents->len; i++) {
    const Equivalent *e = found->equivalents->pdata[i];
    if (e->reason) table_add(table, e->component->name, e->reason);
  }
  table_write(table, text, 4, FALSE);
}

static void add_found(GString *text, const Found *found, const Costs *before) {
  guint misfits = 0;
  for (guint i = 0; i < found->equivalents->len; i++)
    misfits += ((const Equivalent *)found->equivalents->pdata[i])->reason != NULL;
  add_head(text, found->slot);
  if (misfits < found->equivalents->len)
    add_fitting(text, found, before);
  else
    g_string_append(text, "  nothing that is installed fits\n");
  if (misfits) g_string_append(text, "  would not fit\n");
  add_others(text, found);
}

static char *make_text(const GPtrArray *all, const Costs *before) {
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < all->len; i++) {
    if (i) g_string_append_c(text, '\n');
    add_found(text, all->pdata[i], before);
  }
  g_string_append(text, "\n* what the manifest has. Multiply-adds are those of products, for one "
                        "sample; differences\nare to the manifest as it is, and memory is what "
                        "`abhost check` estimates.\n");
  return g_string_free(text, FALSE);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void put_equivalent(JsonBuilder *json, const Equivalent *e, const Costs *before) {
  json_builder_begin_object(json);
  jsonout_text(json, "name", e->component->name);
  jsonout_text(json, "doc", e->component->doc);
  jsonout_flag(json, "present", e->present);
  jsonout_flag(json, "fits", !e->reason);
  if (e->reason) {
    jsonout_text(json, "reason", e->reason);
  } else {
    jsonout_int(json, "parameters", e->costs.parameters);
    jsonout_int(json, "parameters_difference", e->costs.parameters - before->parameters);
    jsonout_int(json, "multiply_adds", e->costs.multiply_adds);
    jsonout_int(json, "multiply_adds_difference", e->costs.multiply_adds - before->multiply_adds);
    jsonout_int(json, "memory", e->costs.memory);
  }
  json_builder_end_object(json);
}

static void put_found(JsonBuilder *json, const Found *found, const Costs *before) {
  const Slot *slot = found->slot;
  json_builder_begin_object(json);
  jsonout_text(json, "slot", slot->path);
  jsonout_text(json, "kind", ab_kind_name(slot->kind));
  if (slot->role != AB_ROLE_NONE) jsonout_text(json, "role", ab_role_name(slot->role));
  jsonout_flag(json, "required", slot->required);
  jsonout_flag(json, "item", slot->item);
  jsonout_flag(json, "list", slot->list);
  jsonout_begin_array(json, "present");
  for (guint i = 0; i < slot->present->len; i++)
    json_builder_add_string_value(json, ((const AbComponent *)slot->present->pdata[i])->name);
  json_builder_end_array(json);
  jsonout_begin_array(json, "components");
  for (guint i = 0; i < found->equivalents->len; i++)
    put_equivalent(json, found->equivalents->pdata[i], before);
  json_builder_end_array(json);
  json_builder_end_object(json);
}

static char *make_json(const GPtrArray *all, const Original *original, const char *path) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  jsonout_text(json, "manifest", path);
  jsonout_text(json, "problem", ab_role_name(original->assembly->role));
  jsonout_begin_array(json, "slots");
  for (guint i = 0; i < all->len; i++) put_found(json, all->pdata[i], &original->costs);
  json_builder_end_array(json);
  json_builder_end_object(json);
  return jsonout_finish(json);
}

/* ---- command --------------------------------------------------------------------------------- */

typedef struct {
  SessionOptions session;
  char *slot; /* or NULL: all */
} Options;

static int no_slot(const GPtrArray *slots, const char *path) {
  const char **names = g_new0(const char *, slots->len + 1);
  for (guint i = 0; i < slots->len; i++) names[i] = ((const Slot *)slots->pdata[i])->path;
  int status = command_no_name(&command_equivalents, path, "slot", names);
  g_free(names);
  return status;
}

static int show(const Original *original, const Options *options, const char *path, gboolean json) {
  GError *error = NULL;
  g_autoptr(GPtrArray) slots = slots_of(original->assembly);
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(found_free);
  for (guint i = 0; i < slots->len; i++) {
    const Slot *slot = slots->pdata[i];
    if (options->slot && strcmp(options->slot, slot->path) != 0) continue;
    GPtrArray *equivalents = equivalents_find(original, slot, &error);
    if (!equivalents) return command_fail(error);
    Found *found = g_new0(Found, 1);
    *found = (Found){slot, equivalents};
    g_ptr_array_add(all, found);
  }
  if (options->slot && all->len == 0) return no_slot(slots, options->slot);
  g_autofree char *text = json ? make_json(all, original, path) : make_text(all, &original->costs);
  return command_output(text);
}

static int work(const char *path, const CommandOptions *common, const Options *options) {
  GError *error = NULL;
  g_autoptr(Registry) registry = registry_new((const char *const *)common->folders, &error);
  if (!registry) return command_fail(error);
  g_autofree char *text = NULL;
  SessionOptions session = options->session;
  Diagnostics *diagnostics = diagnostics_new(); /* what is wrong is said by assembling it */
  ManifestRequest request = {path, session.candidate, (const char *const *)session.sets, &text,
                             NULL};
  g_autoptr(Node) root = manifest_read(&request, diagnostics);
  diagnostics_free(diagnostics);
  session.text = text;
  g_autoptr(Assembly) assembly = session_assemble(registry, path, &session, TRUE, NULL, &error);
  if (!assembly || !assembly_build(assembly, &error)) return command_fail(error);
  g_autoptr(Rehearsal) rehearsal = rehearsal_new(assembly, 2, &error);
  if (!rehearsal) return command_fail(error);
  Original original = {registry, root, assembly, costs_of(rehearsal)};
  return show(&original, options, path, common->json);
}

static int run(int argc, char **argv) {
  Options options = {.session = {.seed = -1, .epochs = -1}};
  const GOptionEntry own[] = {
      {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.session.sets,
       "Change a value of the manifest (may be given several times)", "KEY.PATH=VALUE"},
      {"candidate", 0, 0, G_OPTION_ARG_STRING, &options.session.candidate,
       "Take what this candidate of the manifest says", "NAME"},
      {"slot", 0, 0, G_OPTION_ARG_STRING, &options.slot,
       "Only this place of the manifest (model, model.encoder, optimizer.schedule)", "PATH"},
      {0}};
  const CommandLine line = {
      .command = &command_equivalents,
      .arguments = "MANIFEST",
      .description = "Every installed component of a slot's kind is tried in it, with its "
                     "defaults, by a dry run that reads no\ndata but the headers of files.",
      .own = own,
      .plugins = TRUE,
      .json = TRUE,
      .min_count = 1,
      .max_count = 1};
  CommandOptions common;
  int status;
  if (command_parse(&line, argc, argv, &common, &status)) {
    status = work(common.arguments[0], &common, &options);
    command_clear(&common);
  }
  session_options_clear(&options.session);
  g_free(options.slot);
  return status;
}

const Command command_equivalents = {
    "equivalents", "List what else is installed that would fit each slot of a manifest.", run};
