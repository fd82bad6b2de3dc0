/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying components. */
#include "replace.h"

#include "../manifest/param.h"
#include "../registry/fit.h"

#include <string.h>

#define PHASES 2 /* of the run that are rehearsed, besides its last step */

static void equivalent_free(gpointer data) {
  Equivalent *self = data;
  g_free(self->reason);
  g_free(self);
}

Costs costs_of(const Rehearsal *rehearsal) {
  return (Costs){rehearsal->parameters, rehearsal->multiply_adds, rehearsal_memory(rehearsal)};
}

/* ---- reasons --------------------------------------------------------------------------------- */

/* Behind "file:12:3: ", where the message has a place in that file. */
static const char *without_place(const char *message, const char *file) {
  gsize length = file ? strlen(file) : 0;
  if (!length || strncmp(message, file, length) != 0 || message[length] != ':') return message;
  const char *at = message + length + strspn(message + length, ":0123456789");
  return *at == ' ' ? at + 1 : message;
}

/* Behind "model/encoder (mlp): ", where that is what was tried. */
static const char *without_subject(const char *message, const Slot *slot,
                                   const AbComponent *component) {
  g_autofree char *path = g_strdelimit(g_strdup(slot->path), ".", '/');
  g_autofree char *subject =
      g_strdup_printf("%s%s (%s): ", path, slot->list ? "/0" : "", component->name);
  return g_str_has_prefix(message, subject) ? message + strlen(subject) : message;
}

/* The first mistake; of others their number, and where it goes on over several lines all of it. */
static char *reason_of(const GError *error, const char *file, const Slot *slot,
                       const AbComponent *component) {
  g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
  GString *text = g_string_new(without_subject(without_place(lines[0], file), slot, component));
  guint more = 0;
  for (guint i = 1; lines[i]; i++) {
    if (without_place(lines[i], file) != lines[i])
      more++;
    else if (!more)
      g_string_append_printf(text, " %s", lines[i]);
  }
  if (more) g_string_append_printf(text, " (and %u more)", more);
  return g_string_free(text, FALSE);
}

static char *role_reason(const AbComponent *component, AbRole role) {
  g_autofree char *roles = fit_roles(component);
  return g_strdup_printf("does not offer %s (it offers: %s)", ab_role_name(role),
                         *roles ? roles : "none");
}

static char *wanting_reason(const AbParam *row, const char *name) {
  return g_strdup_printf("needs %s, which has no default (%s): %s", name,
                         param_type_name(row->type), row->doc);
}

/* ---- a try ----------------------------------------------------------------------------------- */

static Rehearsal *rehearse(const Registry *registry, const Node *root, GError **error) {
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(Assembly) assembly = assembly_new(registry, root, TRUE, diagnostics, error);
  diagnostics_free(diagnostics);
  if (!assembly || !assembly_build(assembly, error)) return NULL;
  return rehearsal_new(assembly, PHASES, error);
}

static void try_component(const Original *original, const Slot *slot, Equivalent *self) {
  g_autoptr(GError) error = NULL;
  g_autoptr(Node) root = replace_component(original, slot, self->component);
  g_autoptr(Rehearsal) rehearsal = rehearse(original->registry, root, &error);
  if (rehearsal)
    self->costs = costs_of(rehearsal);
  else
    self->reason = reason_of(error, original->root->file, slot, self->component);
}

static gboolean is_present(const Slot *slot, const AbComponent *component) {
  for (guint i = 0; i < slot->present->len; i++)
    if (slot->present->pdata[i] == component) return TRUE;
  return FALSE;
}

static Equivalent *equivalent_new(const Original *original, const Slot *slot,
                                  const AbComponent *component) {
  Equivalent *self = g_new0(Equivalent, 1);
  g_autofree char *name = NULL;
  const AbParam *wanting = replace_wanting(original->registry, component, &name);
  self->component = component;
  self->present = is_present(slot, component);
  if (self->present)
    self->costs = original->costs;
  else if (!fit_component(component, slot->kind, slot->role))
    self->reason = role_reason(component, slot->role);
  else if (wanting)
    self->reason = wanting_reason(wanting, name);
  else
    try_component(original, slot, self);
  return self;
}

/* Present ones, then those that fit, then the others; each by name. */
static int compare(gconstpointer a, gconstpointer b) {
  const Equivalent *x = *(Equivalent *const *)a, *y = *(Equivalent *const *)b;
  if (x->present != y->present) return x->present ? -1 : 1;
  if (!x->reason != !y->reason) return x->reason ? 1 : -1;
  return strcmp(x->component->name, y->component->name);
}

GPtrArray *equivalents_find(const Original *original, const Slot *slot) {
  g_autoptr(GPtrArray) entries = fit_entries(original->registry, slot->kind, AB_ROLE_NONE);
  GPtrArray *all = g_ptr_array_new_with_free_func(equivalent_free);
  for (guint i = 0; i < entries->len; i++)
    g_ptr_array_add(all,
                    equivalent_new(original, slot, ((const Entry *)entries->pdata[i])->component));
  g_ptr_array_sort(all, compare);
  return all;
}
