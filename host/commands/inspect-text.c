/* SPDX-License-Identifier: Apache-2.0
 *
 * `abhost inspect` for people. */
#include "../manifest/param.h"
#include "../registry/fit.h"
#include "inspect.h"

#include <string.h>

const char *inspect_arity(AbArity arity) {
  if (arity == AB_REQUIRED) return "required";
  return arity == AB_OPTIONAL ? "optional" : "many";
}

static int key_width(const AbParam *params, guint count, guint stride) {
  gsize width = 0;
  for (guint i = 0; i < count; i++) width = MAX(width, strlen(param_row(params, stride, i)->key));
  return (int)width;
}

static void add_params(GString *out, const AbParam *params, guint count, guint stride, int indent) {
  int width = key_width(params, count, stride);
  for (guint i = 0; i < count; i++) {
    const AbParam *row = param_row(params, stride, i);
    g_autofree char *summary = param_summary(row);
    g_string_append_printf(out, "%*s%-*s  %s\n", indent, "", width, row->key, summary);
    g_string_append_printf(out, "%*s%s%s(since %s)\n", indent + width + 2, "", row->doc,
                           *row->doc ? " " : "", row->since);
    if (row->type == AB_TYPE_RECORDS)
      add_params(out, row->record, row->record_count, stride, indent + width + 2);
  }
}

static void add_slots(GString *out, const Registry *registry, const AbComponent *component) {
  int width = 0;
  for (guint i = 0; i < component->slot_count; i++)
    width = MAX(width, (int)strlen(slot_row(component, i)->key));
  for (guint i = 0; i < component->slot_count; i++) {
    const AbSlot *slot = slot_row(component, i);
    char *wanted = fit_wanted(slot->kind, slot->role);
    char *names = fit_names(registry, slot->kind, slot->role);
    int indent = width + 4;
    g_string_append_printf(out, "  %-*s  %s, %s\n", width, slot->key, wanted,
                           inspect_arity(slot->arity));
    if (*slot->doc) g_string_append_printf(out, "%*s%s\n", indent, "", slot->doc);
    g_string_append_printf(out, "%*sinstalled that fit: %s\n", indent, "", names);
    g_free(wanted);
    g_free(names);
  }
}

static void add_head(GString *out, const AbComponent *component) {
  char *roles = fit_roles(component);
  g_string_append_printf(out, "%s/%s\n  %s\n", ab_kind_name(component->kind), component->name,
                         component->doc);
  if (*component->citation) g_string_append_printf(out, "  Citation: %s\n", component->citation);
  if (*roles) g_string_append_printf(out, "  Roles: %s\n", roles);
  g_free(roles);
}

static void add_entry(GString *out, const Registry *registry, const Entry *entry) {
  const AbComponent *component = entry->component;
  const AbPlugin *plugin = entry->plugin;
  add_head(out, component);
  g_string_append_printf(out, "\nParameters%s\n", component->param_count ? "" : ": none");
  add_params(out, component->params, component->param_count, component->param_stride, 2);
  g_string_append_printf(out, "\nSlots%s\n", component->slot_count ? "" : ": none");
  add_slots(out, registry, component);
  g_string_append_printf(out, "\nPlugin\n  %s %s, licence %s\n  %s\n", plugin->id, plugin->version,
                         plugin->licence, entry->file);
  g_autoptr(Node) fragment = inspect_fragment(registry, component);
  char *manifest = node_emit(fragment);
  g_string_append_printf(out, "\nManifest\n%s", manifest);
  g_free(manifest);
}

char *inspect_text(const Registry *registry, const GPtrArray *entries) {
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < entries->len; i++) {
    if (i) g_string_append(out, "\n----\n\n");
    add_entry(out, registry, entries->pdata[i]);
  }
  return g_string_free(out, FALSE);
}
