/* SPDX-License-Identifier: Apache-2.0
 *
 * Slots, from the instances of an assembly. */
#include "slots.h"

#include "../manifest/param.h"

static void slot_free(gpointer data) {
  Slot *self = data;
  g_free(self->path);
  g_ptr_array_unref(self->present);
  g_free(self);
}

/* Takes `path`. */
static Slot *add_slot(GPtrArray *slots, char *path, AbKind kind, AbRole role, gboolean required) {
  Slot *self = g_new0(Slot, 1);
  *self = (Slot){path, kind, role, required, FALSE, FALSE, g_ptr_array_new()};
  g_ptr_array_add(slots, self);
  return self;
}

static void add_present(Slot *self, const AbInstance *instance) {
  if (instance) g_ptr_array_add(self->present, (gpointer)instance->component);
}

/* ---- slots of a component -------------------------------------------------------------------- */

static void add_below(GPtrArray *slots, const char *path, AbInstance *instance);

static void add_one(GPtrArray *slots, const char *path, const AbSlot *slot, AbInstance *child) {
  char *full = g_strdup_printf("%s.%s", path, slot->key);
  add_present(add_slot(slots, full, slot->kind, slot->role, slot->arity == AB_REQUIRED), child);
  add_below(slots, full, child);
}

/* The order of many children matters: each has a place of its own. */
static void add_many(GPtrArray *slots, const char *path, const AbSlot *slot, AbChildren children) {
  for (gint64 i = 0; i < MAX(1, children.count); i++) {
    char *full = g_strdup_printf("%s.%s.%" G_GINT64_FORMAT, path, slot->key, i);
    AbInstance *child = i < children.count ? children.items[i] : NULL;
    Slot *place = add_slot(slots, full, slot->kind, slot->role, FALSE);
    place->item = TRUE;
    add_present(place, child);
    add_below(slots, full, child);
  }
}

static void add_below(GPtrArray *slots, const char *path, AbInstance *instance) {
  if (!instance) return;
  for (guint i = 0; i < instance->component->slot_count; i++) {
    const AbSlot *slot = slot_row(instance->component, i);
    AbChildren children = ab_children(instance, slot->key);
    if (slot->arity == AB_MANY)
      add_many(slots, path, slot, children);
    else
      add_one(slots, path, slot, children.count ? children.items[0] : NULL);
  }
}

/* ---- slots of the manifest ------------------------------------------------------------------- */

static void add_top(GPtrArray *slots, const char *key, AbKind kind, AbRole role, gboolean required,
                    AbInstance *instance) {
  add_present(add_slot(slots, g_strdup(key), kind, role, required), instance);
  add_below(slots, key, instance);
}

static void add_list(GPtrArray *slots, const char *key, AbKind kind, const GPtrArray *instances) {
  Slot *self = add_slot(slots, g_strdup(key), kind, AB_ROLE_NONE, FALSE);
  self->list = TRUE;
  for (guint i = 0; i < instances->len; i++) add_present(self, instances->pdata[i]);
  for (guint i = 0; i < instances->len; i++) {
    g_autofree char *path = g_strdup_printf("%s.%u", key, i);
    add_below(slots, path, instances->pdata[i]);
  }
}

static GPtrArray *metrics_of(const Assembly *assembly) {
  GPtrArray *metrics = g_ptr_array_new();
  for (guint i = 0; i < assembly->metrics->len; i++)
    g_ptr_array_add(metrics, ((const NamedMetric *)assembly->metrics->pdata[i])->metric);
  return metrics;
}

GPtrArray *slots_of(const Assembly *assembly) {
  GPtrArray *slots = g_ptr_array_new_with_free_func(slot_free);
  g_autoptr(GPtrArray) metrics = metrics_of(assembly);
  if (assembly->environment) {
    add_top(slots, "environment", AB_KIND_ENVIRONMENT, AB_ROLE_NONE, TRUE, assembly->environment);
  } else {
    add_top(slots, "data", AB_KIND_DATA, AB_ROLE_NONE, TRUE, assembly->data);
    add_top(slots, "noise", AB_KIND_NOISE, AB_ROLE_NONE, FALSE, assembly->noise);
  }
  add_top(slots, "model", AB_KIND_MODEL, assembly->role, TRUE, assembly->model);
  if (assembly->loss && !assembly->own_objective)
    add_top(slots, "loss", AB_KIND_LOSS, AB_ROLE_NONE, TRUE, assembly->loss);
  add_list(slots, "regularizers", AB_KIND_REGULARIZER, assembly->regularizers);
  add_top(slots, "optimizer", AB_KIND_OPTIMIZER, AB_ROLE_NONE, TRUE, assembly->optimizer);
  add_top(slots, "controller", AB_KIND_CONTROLLER, AB_ROLE_NONE, TRUE, assembly->controller);
  add_list(slots, "metrics", AB_KIND_METRIC, metrics);
  return slots;
}
