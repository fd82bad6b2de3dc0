/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting a component in the place of another. */
#include "replace.h"

#include "../commands/inspect.h"
#include "../manifest/param.h"

#include <string.h>

static gboolean is_required(const AbParam *row) {
  return (row->flags & AB_PARAM_REQUIRED) != 0;
}

/* ---- the new node ---------------------------------------------------------------------------- */

/* The fragment of `inspect` without what binding fills in by itself. */
static Node *fragment_of(const Registry *registry, const AbComponent *component) {
  g_autoptr(Node) fragment = inspect_fragment(registry, component);
  const Node *value = fragment->items->pdata[0];
  Node *node = node_copy(value->kind == NODE_SEQUENCE ? value->items->pdata[0] : value);
  for (guint i = 0; i < component->param_count; i++) {
    const AbParam *row = param_row(component->params, component->param_stride, i);
    if (!is_required(row)) node_remove(node, row->key);
  }
  return node;
}

/* ---- what is wanting ------------------------------------------------------------------------- */

static const AbParam *wanting(const Registry *registry, const AbComponent *component,
                              const Node *node, const char *prefix, char **name);

/* In what a slot holds: one component or several. */
static const AbParam *wanting_below(const Registry *registry, const AbSlot *slot, const Node *node,
                                    const char *prefix, char **name) {
  if (node->kind == NODE_SCALAR) return NULL;
  const AbParam *found = NULL;
  for (guint i = 0; node->kind == NODE_SEQUENCE && !found && i < node->items->len; i++) {
    g_autofree char *path = g_strdup_printf("%s%u.", prefix, i);
    found = wanting_below(registry, slot, node->items->pdata[i], path, name);
  }
  const Node *plugin = node_get(node, "plugin");
  const Entry *entry = plugin && plugin->kind == NODE_SCALAR
                           ? registry_find(registry, slot->kind, plugin->text, NULL)
                           : NULL;
  return entry ? wanting(registry, entry->component, node, prefix, name) : found;
}

static const AbParam *wanting(const Registry *registry, const AbComponent *component,
                              const Node *node, const char *prefix, char **name) {
  for (guint i = 0; i < component->param_count; i++) {
    const AbParam *row = param_row(component->params, component->param_stride, i);
    if (!is_required(row) || (row->type != AB_TYPE_PATH && row->type != AB_TYPE_TEXT)) continue;
    *name = g_strconcat(prefix, row->key, NULL);
    return row;
  }
  for (guint i = 0; i < component->slot_count; i++) {
    const AbSlot *slot = slot_row(component, i);
    const Node *child = node_get(node, slot->key);
    g_autofree char *path = g_strdup_printf("%s%s.", prefix, slot->key);
    const AbParam *row = child ? wanting_below(registry, slot, child, path, name) : NULL;
    if (row) return row;
  }
  return NULL;
}

const AbParam *replace_wanting(const Registry *registry, const AbComponent *component,
                               char **name) {
  g_autoptr(Node) node = fragment_of(registry, component);
  *name = NULL;
  return wanting(registry, component, node, "", name);
}

/* ---- what stays ------------------------------------------------------------------------------ */

static const char *const *settings_of(const char *path) {
  if (strcmp(path, "data") == 0) return settings_data_keys;
  if (strcmp(path, "environment") == 0) return settings_environment_keys;
  if (strcmp(path, "optimizer") == 0) return settings_optimizer_keys;
  return NULL;
}

static void keep_settings(Node *node, const Node *before, const char *path) {
  const char *const *keys = settings_of(path);
  for (guint i = 0; keys && keys[i]; i++) {
    const Node *value = node_get(before, keys[i]);
    if (value && !node_get(node, keys[i])) node_put(node, keys[i], node_copy(value));
  }
}

/* ---- its place ------------------------------------------------------------------------------- */

static guint index_of(const char *name) {
  return (guint)g_ascii_strtoull(name, NULL, 10);
}

static Node *child_of(const Node *parent, const char *name) {
  if (!parent) return NULL;
  if (parent->kind != NODE_SEQUENCE) return (Node *)node_get(parent, name);
  guint index = index_of(name);
  return index < parent->items->len ? parent->items->pdata[index] : NULL;
}

/* Takes `value`. */
static void put_child(Node *parent, const char *name, Node *value) {
  guint index = index_of(name);
  if (parent->kind != NODE_SEQUENCE) {
    node_put(parent, name, value);
  } else if (index < parent->items->len) {
    node_free(parent->items->pdata[index]);
    parent->items->pdata[index] = value;
  } else {
    node_append(parent, value);
  }
}

/* The child of `parent` on the way to a slot, made into a mapping or sequence that can hold what is
 * below it. What the manifest leaves out is as it was resolved. */
static Node *step_down(Node *parent, const Node *resolved, const char *name) {
  Node *child = child_of(parent, name);
  gboolean whole = child && child->kind != NODE_SCALAR;
  /* a list may be written as its only item, and a component as its name */
  if (whole && resolved && resolved->kind == NODE_SEQUENCE && child->kind == NODE_MAPPING) {
    Node *list = node_sequence();
    node_append(list, node_copy(child));
    put_child(parent, name, list);
    return list;
  }
  if (whole && (child->kind == NODE_SEQUENCE || node_get(child, "plugin"))) return child;
  Node *full = resolved ? node_copy(resolved) : node_mapping();
  for (guint i = 0; whole && i < child->items->len; i++) /* {lr: 0.1} of a default */
    node_put(full, ((const Node *)child->keys->pdata[i])->text, node_copy(child->items->pdata[i]));
  put_child(parent, name, full);
  return full;
}

static void put_at(Node *root, const Node *resolved, const char *path, Node *value) {
  g_auto(GStrv) names = g_strsplit(path, ".", -1);
  Node *at = root;
  guint last = g_strv_length(names) - 1;
  for (guint i = 0; i < last; i++) {
    resolved = child_of(resolved, names[i]);
    at = step_down(at, resolved, names[i]);
  }
  put_child(at, names[last], value);
}

static const Node *find_at(const Node *root, const char *path) {
  g_auto(GStrv) names = g_strsplit(path, ".", -1);
  for (guint i = 0; root && names[i]; i++) root = child_of(root, names[i]);
  return root;
}

Node *replace_component(const Original *original, const Slot *slot, const AbComponent *component) {
  Node *root = node_copy(original->root);
  Node *node = fragment_of(original->registry, component);
  keep_settings(node, find_at(root, slot->path), slot->path);
  if (slot->list) {
    Node *list = node_sequence();
    node_append(list, node);
    node = list;
  }
  put_at(root, original->assembly->resolved, slot->path, node);
  return root;
}
