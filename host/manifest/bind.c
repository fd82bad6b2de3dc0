/* SPDX-License-Identifier: Apache-2.0
 *
 * A component and what it holds: finds it, makes the instance, binds its parameters, wires its
 * slots. A mistake does not end the work, so that all of them are reported at once.              */
#include "bind.h"

#include "../registry/fit.h"
#include "param.h"

#include <string.h>

void bind_init(Binder *self, const Registry *registry, AbContext *ctx, Diagnostics *diagnostics) {
  *self = (Binder){.registry = registry, .ctx = ctx, .diagnostics = diagnostics};
  self->instances = g_ptr_array_new();
  self->entries = g_hash_table_new(NULL, NULL);
  self->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void bind_clear(Binder *self) {
  for (guint i = self->instances ? self->instances->len : 0; i > 0; i--)
    ab_instance_free(self->instances->pdata[i - 1]);
  g_clear_pointer(&self->instances, g_ptr_array_unref);
  g_clear_pointer(&self->entries, g_hash_table_unref);
  g_clear_pointer(&self->places, g_hash_table_unref);
}

static void note(Binder *self, AbCode code, const Node *at, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static void note(Binder *self, AbCode code, const Node *at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *message = g_strdup_vprintf(format, args);
  va_end(args);
  char *place = node_place(at);
  diagnostics_add(self->diagnostics, code, place, "%s", message);
  g_free(place);
  g_free(message);
}

static void *instance_alloc(void *owner, gsize size) {
  return ab_alloc(owner, size);
}

/* One component on its way from a node to an instance. */
typedef struct {
  Binder *binder;
  const Node *node; /* a mapping, once the component is found */
  const char *path;
  const Entry *entry;
  AbInstance *instance;
  Node *resolved;
  const char *const *extra; /* keys that are left to the caller */
} Binding;

static void note_unnamed(Binder *self, AbKind kind, AbRole role, const Node *at) {
  char *names = fit_names(self->registry, kind, role), *wanted = fit_wanted(kind, role);
  note(self, AB_CONFIG, at,
       "no plugin is named; write {plugin: NAME, ...} with a %s (installed: %s)", wanted, names);
  g_free(names);
  g_free(wanted);
}

/* {plugin: adam} for `adam`. */
static Node *spell_out(const Node *name) {
  Node *mapping = node_mapping();
  mapping->file = name->file;
  mapping->line = name->line;
  mapping->column = name->column;
  node_put(mapping, "plugin", node_copy(name));
  return mapping;
}

static void note_role(Binder *self, AbRole role, const Node *at, const AbComponent *component) {
  char *roles = fit_roles(component);
  char *names = fit_names(self->registry, AB_KIND_MODEL, role);
  note(self, AB_CONFIG, at, "model %s does not offer %s (it offers: %s); installed that do: %s",
       component->name, ab_role_name(role), *roles ? roles : "none", names);
  g_free(roles);
  g_free(names);
}

/* The component that the mapping names, if it fits; else NULL and a note. */
static const Entry *find_component(Binder *self, AbKind kind, AbRole role, const Node *mapping) {
  const Node *plugin = node_get(mapping, "plugin");
  if (!plugin || plugin->kind != NODE_SCALAR || param_is_null(plugin)) {
    note_unnamed(self, kind, role, plugin ? plugin : mapping);
    return NULL;
  }
  GError *error = NULL;
  const Entry *entry = registry_find(self->registry, kind, plugin->text, &error);
  if (!entry) {
    note(self, (AbCode)error->code, plugin, "%s", error->message);
    g_error_free(error);
    return NULL;
  }
  if (fit_component(entry->component, kind, role)) return entry;
  note_role(self, role, plugin, entry->component);
  return NULL;
}

static AbInstance *make_instance(Binder *self, const Entry *entry, const Node *node,
                                 const char *path) {
  AbInstance *instance = ab_instance_new(self->ctx, entry->component, path, entry->file);
  if (!instance) {
    note(self, AB_INTERNAL, node, "no memory for %s", path);
    return NULL;
  }
  g_ptr_array_add(self->instances, instance);
  g_hash_table_insert(self->entries, instance, (gpointer)entry);
  char *place = node_place(node);
  if (place) g_hash_table_insert(self->places, g_strdup(path), place);
  return instance;
}

/* Keys that are not parameters; free the array alone. */
static const char **other_keys(const AbComponent *component, const char *const *extra) {
  guint more = extra ? g_strv_length((char **)extra) : 0, count = component->slot_count;
  const char **keys = g_new0(const char *, count + more + 2);
  for (guint i = 0; i < count; i++) keys[i] = slot_row(component, i)->key;
  for (guint i = 0; i < more; i++) keys[count + i] = extra[i];
  keys[count + more] = "plugin";
  return keys;
}

static void bind_own(Binding *self) {
  const AbComponent *component = self->entry->component;
  const char **ignore = other_keys(component, self->extra);
  char *what = g_strdup_printf("%s %s", ab_kind_name(component->kind), component->name);
  bind_params(self->node, component->params, component->param_count, component->param_stride,
              self->instance, instance_alloc, self->instance, ignore, what, self->resolved,
              self->binder->diagnostics);
  g_free(what);
  g_free(ignore);
}

static void note_absent(Binding *self, const AbSlot *slot) {
  const AbComponent *component = self->entry->component;
  char *wanted = fit_wanted(slot->kind, slot->role);
  char *names = fit_names(self->binder->registry, slot->kind, slot->role);
  note(self->binder, AB_CONFIG, self->node, "%s %s: %s is missing; it takes a %s (installed: %s)",
       ab_kind_name(component->kind), component->name, slot->key, wanted, names);
  g_free(wanted);
  g_free(names);
}

/* Binds a child; its resolved form goes to `into`, which is a sequence or, with a key, a mapping.
 */
static AbInstance *bind_child(Binding *self, const AbSlot *slot, const Node *node, const char *path,
                              Node *into) {
  Node *resolved = NULL;
  AbInstance *child = bind_component(self->binder, slot->kind, slot->role, node, path, &resolved);
  if (!child) return NULL;
  if (into->kind == NODE_SEQUENCE)
    node_append(into, resolved);
  else
    node_put(into, slot->key, resolved);
  return child;
}

static void bind_one(Binding *self, const AbSlot *slot, const Node *node) {
  AbInstance **field = (AbInstance **)(void *)((char *)self->instance + slot->offset);
  if (!node || (param_is_null(node) && slot->arity == AB_OPTIONAL)) {
    if (slot->arity == AB_REQUIRED) note_absent(self, slot);
    return;
  }
  char *path = g_strdup_printf("%s/%s", self->path, slot->key);
  *field = bind_child(self, slot, node, path, self->resolved);
  g_free(path);
}

/* A sequence of components; a single one stands for a sequence of one. */
static void bind_many(Binding *self, const AbSlot *slot, const Node *node) {
  AbChildren *field = (AbChildren *)(void *)((char *)self->instance + slot->offset);
  Node *resolved = node_sequence();
  node_put(self->resolved, slot->key, resolved);
  gboolean listed = node && node->kind == NODE_SEQUENCE;
  guint count = listed ? node->items->len : node && !param_is_null(node);
  if (count == 0) return;
  AbInstance **items = ab_alloc(self->instance, count * sizeof *items);
  if (!items) {
    note(self->binder, AB_INTERNAL, node, "no memory for %s/%s", self->path, slot->key);
    return;
  }
  for (guint i = 0; i < count; i++) {
    char *path = g_strdup_printf("%s/%s/%u", self->path, slot->key, i);
    items[i] = bind_child(self, slot, listed ? node->items->pdata[i] : node, path, resolved);
    g_free(path);
  }
  *field = (AbChildren){count, items};
}

static void bind_slots(Binding *self) {
  const AbComponent *component = self->entry->component;
  for (guint i = 0; i < component->slot_count; i++) {
    const AbSlot *slot = slot_row(component, i);
    const Node *given = node_get(self->node, slot->key);
    if (slot->arity == AB_MANY)
      bind_many(self, slot, given);
    else
      bind_one(self, slot, given);
  }
}

/* Makes and binds what self->node names. */
static void bind_mapping(Binding *self, AbKind kind, AbRole role) {
  self->entry = find_component(self->binder, kind, role, self->node);
  if (!self->entry) return;
  self->instance = make_instance(self->binder, self->entry, self->node, self->path);
  if (!self->instance) return;
  node_put(self->resolved, "plugin", param_text(self->entry->component->name));
  bind_own(self);
  bind_slots(self);
}

AbInstance *bind_component(Binder *self, AbKind kind, AbRole role, const Node *node,
                           const char *path, Node **resolved) {
  guint before = diagnostics_count(self->diagnostics);
  Binding binding = {.binder = self, .path = path, .extra = self->extra};
  self->extra = NULL;
  if (resolved) *resolved = NULL;
  Node *spelled = node->kind == NODE_SCALAR ? spell_out(node) : NULL;
  binding.node = spelled ? spelled : node;
  binding.resolved = node_mapping();
  bind_mapping(&binding, kind, role);
  node_free(spelled);
  if (diagnostics_count(self->diagnostics) != before) {
    node_free(binding.resolved);
    return NULL; /* the instance, if there is one, stays with the binder */
  }
  if (resolved)
    *resolved = binding.resolved;
  else
    node_free(binding.resolved);
  return binding.instance;
}
