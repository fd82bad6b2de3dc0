/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying components. */
#include "replace.h"

#include "../child.h"
#include "../jsonin.h"
#include "../jsonout.h"
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
static char *reason_of(const char *message, const char *file, const Slot *slot,
                       const AbComponent *component) {
  g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
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

typedef struct {
  const Original *original;
  const Slot *slot;
  const AbComponent *component;
} Question;

static char *answer(gpointer data) {
  const Question *question = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(Node) root = replace_component(question->original, question->slot, question->component);
  g_autoptr(Rehearsal) rehearsal = rehearse(question->original->registry, root, &error);
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  if (rehearsal) {
    Costs costs = costs_of(rehearsal);
    jsonout_int(json, "parameters", costs.parameters);
    jsonout_int(json, "multiply_adds", costs.multiply_adds);
    jsonout_int(json, "memory", costs.memory);
  } else {
    jsonout_text(json, "mistake", error->message);
  }
  json_builder_end_object(json);
  return jsonout_line(json);
}

static void take(Equivalent *self, JsonObject *given, const Question *question) {
  const char *mistake = jsonin_text(given, "mistake");
  self->costs = (Costs){jsonin_int(given, "parameters", 0), jsonin_int(given, "multiply_adds", 0),
                        jsonin_int(given, "memory", 0)};
  if (mistake)
    self->reason =
        reason_of(mistake, question->original->root->file, question->slot, self->component);
}

static gboolean try_component(const Original *original, const Slot *slot, Equivalent *self,
                              GError **error) {
  Question question = {original, slot, self->component};
  g_autofree char *text = NULL, *crash = NULL;
  if (!child_ask(answer, &question, &text, &crash, error)) return FALSE;
  g_autoptr(JsonNode) given = text ? jsonin_object("it", text, -1, error) : NULL;
  if (given)
    take(self, json_node_get_object(given), &question);
  else if (!text)
    self->reason = g_strdup_printf("crashes: %s", crash);
  return given || !text;
}

static gboolean is_present(const Slot *slot, const AbComponent *component) {
  for (guint i = 0; i < slot->present->len; i++)
    if (slot->present->pdata[i] == component) return TRUE;
  return FALSE;
}

static Equivalent *equivalent_new(const Original *original, const Slot *slot,
                                  const AbComponent *component, GError **error) {
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
  else if (!try_component(original, slot, self, error))
    g_clear_pointer(&self, equivalent_free);
  return self;
}

/* Present ones, then those that fit, then the others; each by name. */
static int compare(gconstpointer a, gconstpointer b) {
  const Equivalent *x = *(Equivalent *const *)a, *y = *(Equivalent *const *)b;
  if (x->present != y->present) return x->present ? -1 : 1;
  if (!x->reason != !y->reason) return x->reason ? 1 : -1;
  return strcmp(x->component->name, y->component->name);
}

GPtrArray *equivalents_find(const Original *original, const Slot *slot, GError **error) {
  g_autoptr(GPtrArray) entries = fit_entries(original->registry, slot->kind, AB_ROLE_NONE);
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(equivalent_free);
  for (guint i = 0; i < entries->len; i++) {
    const AbComponent *component = ((const Entry *)entries->pdata[i])->component;
    Equivalent *equivalent = equivalent_new(original, slot, component, error);
    if (!equivalent) return NULL;
    g_ptr_array_add(all, equivalent);
  }
  g_ptr_array_sort(all, compare);
  return g_steal_pointer(&all);
}
