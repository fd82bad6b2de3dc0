/* SPDX-License-Identifier: Apache-2.0
 *
 * A mapping by a table: every row gets a value, every key of the mapping has a row.             */
#include "bind-value.h"

#include <string.h>

static const AbParam *find_row(const AbParam *params, guint count, guint stride, const char *key) {
  for (guint i = 0; i < count; i++) {
    const AbParam *row = param_row(params, stride, i);
    if (strcmp(row->key, key) == 0) return row;
  }
  return NULL;
}

/* Keys that the mapping may have: those of the table, then the caller's; NULL-terminated. */
static GPtrArray *known_keys(const AbParam *params, guint count, guint stride,
                             const char *const *ignore) {
  GPtrArray *keys = g_ptr_array_new();
  for (guint i = 0; i < count; i++)
    g_ptr_array_add(keys, (gpointer)param_row(params, stride, i)->key);
  for (guint i = 0; ignore && ignore[i]; i++) g_ptr_array_add(keys, (gpointer)ignore[i]);
  g_ptr_array_add(keys, NULL);
  return keys;
}

static void note_unknown(const BindTable *self, const Node *key, const GPtrArray *known) {
  const char *nearest = nearest_name(key->text, (const char *const *)known->pdata);
  GString *has = g_string_new(NULL);
  for (guint i = 0; known->pdata[i]; i++)
    if (strcmp(known->pdata[i], "plugin") != 0)
      g_string_append_printf(has, "%s%s", has->len ? ", " : "", (const char *)known->pdata[i]);
  char *shown = node_show(key->text), *place = node_place(key);
  diagnostics_add(self->diagnostics, AB_CONFIG, place, "%s has no parameter %s; %s%s%s(it has: %s)",
                  self->what, shown, nearest ? "did you mean '" : "", nearest ? nearest : "",
                  nearest ? "'? " : "leave it out ", has->len ? has->str : "none");
  g_string_free(has, TRUE);
  g_free(shown);
  g_free(place);
}

static void check_keys(const BindTable *self, const Node *node, const AbParam *params, guint count,
                       const char *const *ignore) {
  GPtrArray *known = known_keys(params, count, self->stride, ignore);
  for (guint i = 0; i < node->keys->len; i++) {
    const Node *key = node->keys->pdata[i];
    if (find_row(params, count, self->stride, key->text)) continue;
    if (ignore && g_strv_contains(ignore, key->text)) continue;
    note_unknown(self, key, known);
  }
  g_ptr_array_unref(known);
}

/* So that paths of a default start where those of the mapping do. */
static void take_file(Node *self, const char *file) {
  self->file = file;
  self->line = self->column = 0;
  for (guint i = 0; self->items && i < self->items->len; i++)
    take_file(self->items->pdata[i], file);
}

static Node *bind_default(const BindTable *self, const AbParam *row, const Node *mapping) {
  if (row->flags & AB_PARAM_REQUIRED) {
    const char *gap = *row->doc ? ": " : "";
    bind_note(self, AB_CONFIG, mapping, "%s is missing (%s%s%s)", row->key,
              param_type_name(row->type), gap, row->doc);
    return NULL;
  }
  Node *preset = param_default(row, self->what, self->diagnostics);
  if (!preset) {
    memset((char *)self->target + row->offset, 0, param_field_size(row->type));
    return NULL;
  }
  take_file(preset, mapping ? mapping->file : NULL);
  Node *canonical = bind_value(self, row, preset);
  node_free(preset);
  return canonical;
}

void bind_params(const Node *node, const AbParam *params, guint count, guint stride, void *target,
                 BindAlloc alloc, void *owner, const char *const *ignore, const char *what,
                 Node *resolved, Diagnostics *diagnostics) {
  BindTable self = {stride, target, alloc, owner, what, diagnostics};
  if (node && node->kind != NODE_MAPPING) {
    if (!param_is_null(node))
      bind_note(&self, AB_CONFIG, node, "a %s is no mapping; write {key: value, ...}",
                node->kind == NODE_SCALAR ? "scalar" : "sequence");
    else
      bind_note(&self, AB_CONFIG, node, "has no value; write {key: value, ...}, or leave it out");
    return;
  }
  if (node) check_keys(&self, node, params, count, ignore);
  for (guint i = 0; i < count; i++) {
    const AbParam *row = param_row(params, stride, i);
    const Node *given = node_get(node, row->key);
    Node *value = given ? bind_value(&self, row, given) : bind_default(&self, row, node);
    if (value && resolved)
      node_put(resolved, row->key, value);
    else
      node_free(value);
  }
}
