/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of parameters and slots. What a default must be is not said a second time here: each
 * is bound, into memory that is thrown away, as a run would bind it.                             */
#include "../manifest/bind.h"
#include "../manifest/param.h"
#include "check.h"

#include <math.h>
#include <string.h>

/* As fields of C structs are called, and hyphens for those of the host's own tables. */
static gboolean is_key(const char *key) {
  if (!key || !(g_ascii_isalpha(*key) || *key == '_') || strcmp(key, "plugin") == 0) return FALSE;
  gsize length = 0;
  while (length < 64 && (g_ascii_isalnum(key[length]) || key[length] == '_' || key[length] == '-'))
    length++;
  return !key[length];
}

/* NULL, or what is wrong with a field of `bytes` bytes, aligned to at most 8. */
static char *check_field(guint64 offset, gsize bytes, guint64 first, guint64 size) {
  if (offset < first || offset > size || bytes > size - offset)
    return g_strdup_printf("its field (%zu bytes at %" G_GUINT64_FORMAT
                           ") lies outside of the struct (%" G_GUINT64_FORMAT " bytes)",
                           bytes, offset, size);
  if (offset % MIN(bytes, 8) != 0) return g_strdup("its field is not aligned");
  return NULL;
}

static char *check_choices(const AbParam *row) {
  if (!row->choices || !row->choices[0]) return g_strdup("it has no choices");
  for (guint i = 0; row->choices[i]; i++) {
    if (i == CHECK_COUNT) return g_strdup("its choices have no end (NULL)");
    if (!check_text(row->choices[i]) || !*row->choices[i])
      return g_strdup_printf("choice %u is no text", i);
  }
  return NULL;
}

static char *check_bounds(const AbParam *row) {
  gboolean whole = row->type == AB_TYPE_INT || row->type == AB_TYPE_INTS;
  gboolean real = row->type == AB_TYPE_REAL || row->type == AB_TYPE_REALS;
  if (whole && row->int_min > row->int_max) return g_strdup("its minimum is above its maximum");
  if (real && !(row->real_min <= row->real_max)) /* also of NaN */
    return g_strdup("its minimum is above its maximum, or one of them is no number");
  return NULL;
}

static char *check_record(const AbParam *row, guint stride, guint level, const char *what) {
  if (!row->record || !row->record_count || !row->record_size ||
      row->record_size > CHECK_INSTANCE_BYTES)
    return g_strdup("its records have no table or no size");
  if (level == CHECK_RECORD_LEVELS) return g_strdup("records within records nest too deep");
  CheckTable table = {row->record, row->record_count, stride, 0, row->record_size};
  return check_params(&table, level + 1, what);
}

static void *scratch_alloc(void *owner, gsize size) {
  void *memory = g_try_malloc0(MAX(size, 1));
  if (memory) g_ptr_array_add(owner, memory);
  return memory;
}

/* Binds the row's default. `table` is that of the row alone. */
static char *check_default(const CheckTable *table, const char *what) {
  GPtrArray *memory = g_ptr_array_new_with_free_func(g_free);
  Diagnostics *diagnostics = diagnostics_new();
  void *target = scratch_alloc(memory, table->size);
  GError *error = NULL;
  char *why = NULL;
  bind_params(NULL, table->params, 1, table->stride, target, scratch_alloc, memory, NULL, what,
              NULL, diagnostics);
  if (!diagnostics_check(diagnostics, &error)) {
    why = g_strdup_printf("its default does not fit (%s)", error->message);
    g_error_free(error);
  }
  diagnostics_free(diagnostics);
  g_ptr_array_unref(memory);
  return why;
}

static char *check_row(const CheckTable *table, const AbParam *row, guint level, const char *what) {
  if (!is_key(row->key)) return g_strdup("its key is no name of a parameter");
  gsize bytes = param_field_size(row->type);
  if (!bytes) return g_strdup_printf("%d is no type", row->type);
  if (row->flags & ~(guint32)AB_PARAM_REQUIRED) return g_strdup("it has unknown flags");
  if (!check_text(row->unit) || !check_text(row->doc) || !check_text(row->since))
    return g_strdup("unit, doc or since is no text; use \"\" where there is none");
  if (row->text_default && !check_text(row->text_default))
    return g_strdup("its default is no UTF-8 text");
  char *why = check_field(row->offset, bytes, table->first, table->size);
  if (!why) why = check_bounds(row);
  if (!why && row->type == AB_TYPE_CHOICE) why = check_choices(row);
  if (!why && row->type == AB_TYPE_RECORDS) why = check_record(row, table->stride, level, what);
  if (why || (row->flags & AB_PARAM_REQUIRED)) return why;
  CheckTable single = *table;
  single.params = row;
  return check_default(&single, what);
}

/* "row 2 (hidden): why"; takes `why`. */
static char *name_row(const char *table, guint index, const char *key, char *why) {
  char *shown = check_text(key) ? node_show(key) : g_strdup("no key");
  char *named = g_strdup_printf("%s row %u (%s): %s", table, index, shown, why);
  g_free(shown);
  g_free(why);
  return named;
}

char *check_params(const CheckTable *table, guint level, const char *what) {
  if (table->count == 0) return NULL;
  if (!table->params || table->count > CHECK_COUNT || table->stride < sizeof(AbParam) ||
      table->stride % sizeof(void *) != 0)
    return g_strdup("its table of parameters has no rows, too many, or rows of a wrong size");
  for (guint i = 0; i < table->count; i++) {
    const AbParam *row = param_row(table->params, table->stride, i);
    char *why = check_row(table, row, level, what);
    for (guint j = 0; j < i && !why; j++)
      if (strcmp(param_row(table->params, table->stride, j)->key, row->key) == 0)
        why = g_strdup("another parameter has this key");
    if (why) return name_row("parameter", i, row->key, why);
  }
  return NULL;
}

static char *check_slot(const AbComponent *component, const AbSlot *slot) {
  if (!is_key(slot->key)) return g_strdup("its key is no name of a slot");
  if (!ab_kind_name(slot->kind)) return g_strdup_printf("%d is no kind", slot->kind);
  if (slot->role != AB_ROLE_NONE && (slot->kind != AB_KIND_MODEL || !ab_role_name(slot->role)))
    return g_strdup_printf("%d is no role of a %s", slot->role, ab_kind_name(slot->kind));
  if (slot->arity != AB_REQUIRED && slot->arity != AB_OPTIONAL && slot->arity != AB_MANY)
    return g_strdup_printf("%d is no arity", slot->arity);
  if (!check_text(slot->doc)) return g_strdup("its doc is no text");
  for (guint i = 0; i < component->param_count; i++)
    if (strcmp(param_row(component->params, component->param_stride, i)->key, slot->key) == 0)
      return g_strdup("a parameter has this key");
  gsize bytes = slot->arity == AB_MANY ? sizeof(AbChildren) : sizeof(AbInstance *);
  return check_field(slot->offset, bytes, sizeof(AbInstance), component->instance_size);
}

char *check_slots(const AbComponent *component) {
  if (component->slot_count == 0) return NULL;
  if (!component->slots || component->slot_count > CHECK_COUNT ||
      component->slot_stride < sizeof(AbSlot) || component->slot_stride % sizeof(void *) != 0)
    return g_strdup("its table of slots has no rows, too many, or rows of a wrong size");
  for (guint i = 0; i < component->slot_count; i++) {
    const AbSlot *slot = slot_row(component, i);
    char *why = check_slot(component, slot);
    for (guint j = 0; j < i && !why; j++)
      if (strcmp(slot_row(component, j)->key, slot->key) == 0)
        why = g_strdup("another slot has this key");
    if (why) return name_row("slot", i, slot->key, why);
  }
  return NULL;
}
