/* SPDX-License-Identifier: Apache-2.0
 *
 * The filled fragment of a manifest at the end of `abhost inspect`.                              */
#include "../manifest/param.h"
#include "../manifest/sections.h"
#include "../registry/fit.h"
#include "inspect.h"

#include <string.h>

static Node *placeholder(const AbParam *row) {
  switch (row->type) {
  case AB_TYPE_INT: return node_scalar_printf("%" G_GINT64_FORMAT, row->int_min);
  case AB_TYPE_BOOL: return node_scalar("false");
  case AB_TYPE_CHOICE: return param_text(row->choices[0]);
  case AB_TYPE_PATH: return node_scalar("FILE");
  case AB_TYPE_TEXT: return node_scalar("TEXT");
  default: break;
  }
  Node *node = node_sequence();
  if (row->type == AB_TYPE_INTS)
    node_append(node, node_scalar_printf("%" G_GINT64_FORMAT, row->int_min));
  if (row->type != AB_TYPE_REAL) return node;
  g_autofree char *text = param_real(row->real_min);
  node_free(node);
  return node_scalar(text);
}

static Node *default_value(const AbParam *row) {
  Diagnostics *diagnostics = diagnostics_new(); /* the registry has bound all defaults once */
  Node *value = param_default(row, "inspect", diagnostics);
  diagnostics_free(diagnostics);
  return value ? value : node_scalar("null");
}

static gboolean is_required(const AbParam *row) {
  return (row->flags & AB_PARAM_REQUIRED) != 0;
}

static void put_params(Node *into, const AbComponent *component, gboolean all) {
  for (guint i = 0; i < component->param_count; i++) {
    const AbParam *row = param_row(component->params, component->param_stride, i);
    if (is_required(row))
      node_put(into, row->key, placeholder(row));
    else if (all)
      node_put(into, row->key, default_value(row));
  }
}

static gboolean needs_children(const AbComponent *component) {
  for (guint i = 0; i < component->slot_count; i++)
    if (slot_row(component, i)->arity == AB_REQUIRED) return TRUE;
  return FALSE;
}

/* The first that fits and is whole without children of its own. */
static Node *child(const Registry *registry, const AbSlot *slot) {
  GPtrArray *fitting = fit_entries(registry, slot->kind, slot->role);
  const AbComponent *found = NULL;
  for (guint i = 0; i < fitting->len && !found; i++) {
    const Entry *entry = fitting->pdata[i];
    if (!needs_children(entry->component)) found = entry->component;
  }
  g_ptr_array_unref(fitting);
  Node *node = node_mapping();
  node_put(node, "plugin", found ? param_text(found->name) : node_scalar("NAME"));
  if (found) put_params(node, found, FALSE);
  return node;
}

/* NULL where the component gives none. */
static Node *example(const AbSlot *slot) {
  if (!slot->example) return NULL;
  Diagnostics *diagnostics = diagnostics_new();
  Node *node = node_parse(slot->example, strlen(slot->example), slot->key, diagnostics);
  diagnostics_free(diagnostics);
  return node ? node : node_scalar("null");
}

static void put_slots(Node *into, const Registry *registry, const AbComponent *component) {
  for (guint i = 0; i < component->slot_count; i++) {
    const AbSlot *slot = slot_row(component, i);
    Node *given = example(slot);
    if (given)
      node_put(into, slot->key, given);
    else if (slot->arity == AB_REQUIRED)
      node_put(into, slot->key, child(registry, slot));
    else
      node_put(into, slot->key, slot->arity == AB_MANY ? node_sequence() : node_scalar("null"));
  }
}

Node *inspect_fragment(const Registry *registry, const AbComponent *component) {
  Node *filled = node_mapping(), *fragment = node_mapping();
  node_put(filled, "plugin", param_text(component->name));
  put_params(filled, component, TRUE);
  put_slots(filled, registry, component);
  const Section *section = section_of_kind(component->kind);
  gboolean many = section && section->many;
  Node *value = many ? node_sequence() : filled;
  if (many) node_append(value, filled);
  node_put(fragment, section ? section->key : ab_kind_name(component->kind), value);
  return fragment;
}
