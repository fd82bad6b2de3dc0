/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, by walking the manifest beside the tables. */
#include "keys.h"

#include "../manifest/param.h"
#include "../manifest/sections.h"
#include "../manifest/settings.h"
#include "../registry/fit.h"

#include <string.h>

typedef struct {
  const Registry *registry;
  GPtrArray *keys;
  AbRole problem;
} Walk;

static void key_free(gpointer data) {
  Key *key = data;
  g_free(key->path);
  g_free(key);
}

/* "model.encoder"; free with g_free. */
static char *join(const char *prefix, const char *key) {
  return g_strdup_printf("%s%s%s", prefix, *prefix ? "." : "", key);
}

/* Takes `path`. */
static void add(Walk *self, char *path, const AbParam *row, AbKind kind, AbRole role) {
  Key *key = g_new(Key, 1);
  *key = (Key){path, row, kind, role};
  g_ptr_array_add(self->keys, key);
}

/* Records that the manifest has are reached by their index. */
static void add_rows(Walk *self, const char *prefix, const Node *mapping, const AbParam *params,
                     guint count, guint stride) {
  for (guint i = 0; i < count; i++) {
    const AbParam *row = param_row(params, stride, i);
    const Node *given = node_get(mapping, row->key);
    add(self, join(prefix, row->key), row, 0, AB_ROLE_NONE);
    if (row->type != AB_TYPE_RECORDS || !given || given->kind != NODE_SEQUENCE) continue;
    for (guint j = 0; j < given->items->len; j++) {
      g_autofree char *record =
          g_strdup_printf("%s%s%s.%u", prefix, *prefix ? "." : "", row->key, j);
      add_rows(self, record, given->items->pdata[j], row->record, row->record_count, stride);
    }
  }
}

/* ---- components ------------------------------------------------------------------------------ */

static const Entry *entry_of(const Walk *self, AbKind kind, const Node *mapping, gboolean preset) {
  const Node *plugin = node_get(mapping, "plugin");
  if (plugin && plugin->kind == NODE_SCALAR)
    return registry_find(self->registry, kind, plugin->text, NULL);
  return preset ? registry_default(self->registry, kind, self->problem, NULL) : NULL;
}

static void add_component(Walk *self, const char *path, AbKind kind, AbRole role, const Node *node,
                          gboolean preset);

/* What is in a slot or a section: one component, or several by their index. */
static void add_children(Walk *self, const char *path, AbKind kind, AbRole role, gboolean many,
                         const Node *node) {
  add(self, g_strdup(path), NULL, kind, role);
  if (!many || !node || node->kind != NODE_SEQUENCE) {
    if (node) add_component(self, path, kind, role, node, FALSE);
    return;
  }
  for (guint i = 0; i < node->items->len; i++) {
    g_autofree char *item = g_strdup_printf("%s.%u", path, i);
    add_component(self, item, kind, role, node->items->pdata[i], FALSE);
  }
}

/* The keys below a component. A bare name has none: it would have to become a mapping. */
static void add_component(Walk *self, const char *path, AbKind kind, AbRole role, const Node *node,
                          gboolean preset) {
  if (node && node->kind != NODE_MAPPING) return;
  const Entry *entry = entry_of(self, kind, node, preset);
  add(self, join(path, "plugin"), NULL, kind, role);
  if (!entry) return;
  const AbComponent *component = entry->component;
  add_rows(self, path, node, component->params, component->param_count, component->param_stride);
  for (guint i = 0; i < component->slot_count; i++) {
    const AbSlot *slot = slot_row(component, i);
    g_autofree char *below = join(path, slot->key);
    add_children(self, below, slot->kind, slot->role, slot->arity == AB_MANY,
                 node_get(node, slot->key));
  }
}

/* ---- the manifest ---------------------------------------------------------------------------- */

static void add_settings(Walk *self, const char *section, const Node *root) {
  g_autofree char *below = g_strdup_printf("%s.", section);
  for (const SettingsTable *table = settings_tables; table->section; table++) {
    gboolean own = strcmp(table->section, section) == 0;
    if (!own && !g_str_has_prefix(table->section, below)) continue;
    const Node *mapping = node_get(root, section);
    if (mapping && mapping->kind != NODE_MAPPING) continue;
    if (!own) mapping = node_get(mapping, table->section + strlen(below));
    add_rows(self, table->section, mapping, table->params, table->count, sizeof *table->params);
  }
}

static void add_section(Walk *self, const Section *section, const Node *root) {
  AbRole role = section->kind == AB_KIND_MODEL ? self->problem : AB_ROLE_NONE;
  const Node *node = node_get(root, section->key);
  gboolean preset = !section->many && !section->chosen;
  if (!preset || (node && node_get(node, "plugin"))) {
    add_children(self, section->key, section->kind, role, section->many, node);
    return;
  }
  add(self, g_strdup(section->key), NULL, section->kind, role);
  add_component(self, section->key, section->kind, role, node, TRUE); /* {lr: 0.1} of the default */
}

static AbRole problem_of(const Node *root) {
  const Node *problem = node_get(root, "problem");
  return problem && problem->kind == NODE_SCALAR ? fit_role(problem->text) : AB_ROLE_NONE;
}

GPtrArray *keys_of(const Registry *registry, const Node *root) {
  settings_fill();
  Walk self = {registry, g_ptr_array_new_with_free_func(key_free), problem_of(root)};
  const SettingsTable *top = settings_table("");
  add_rows(&self, "", root, top->params, top->count, sizeof *top->params);
  for (const Section *section = sections; section->key; section++)
    add_section(&self, section, root);
  g_autofree const char **names = section_names();
  for (guint i = 0; names[i]; i++) add_settings(&self, names[i], root);
  return self.keys;
}
