/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of functions of each kind: which must be there, and of which at least one.           */
#include "check.h"

#include <string.h>

typedef struct {
  const char *name;
  gsize offset;
} Function;
#define FUNCTION(Table, field) \
  { #field, offsetof(Table, field) }

typedef struct {
  Function all[4];  /* that must be there; ends at a NULL name */
  Function any[12]; /* of which one must be there; empty: no such demand */
} Demand;

static const Demand demands[AB_KIND_COUNT] = {
    [AB_KIND_DATA] = {{FUNCTION(AbDataVtable, open), FUNCTION(AbDataVtable, fetch)}, {{0}}},
    [AB_KIND_NOISE] = {{FUNCTION(AbNoiseVtable, corrupt)}, {{0}}},
    [AB_KIND_MODEL] = {{FUNCTION(AbModelVtable, build)},
                       {FUNCTION(AbModelVtable, reconstruct), FUNCTION(AbModelVtable, encode),
                        FUNCTION(AbModelVtable, decode), FUNCTION(AbModelVtable, generate),
                        FUNCTION(AbModelVtable, classify), FUNCTION(AbModelVtable, predict),
                        FUNCTION(AbModelVtable, score), FUNCTION(AbModelVtable, act),
                        FUNCTION(AbModelVtable, cluster), FUNCTION(AbModelVtable, objective)}},
    [AB_KIND_LOSS] = {{FUNCTION(AbLossVtable, loss)}, {{0}}},
    [AB_KIND_REGULARIZER] = {{{0}},
                             {FUNCTION(AbRegularizerVtable, penalty),
                              FUNCTION(AbRegularizerVtable, project)}},
    [AB_KIND_CONTROLLER] = {{FUNCTION(AbControllerVtable, step)}, {{0}}},
    [AB_KIND_OPTIMIZER] = {{FUNCTION(AbOptimizerVtable, update)}, {{0}}},
    [AB_KIND_SCHEDULE] = {{FUNCTION(AbScheduleVtable, factor)}, {{0}}},
    [AB_KIND_METRIC] = {{FUNCTION(AbMetricVtable, reset), FUNCTION(AbMetricVtable, update),
                         FUNCTION(AbMetricVtable, value)},
                        {{0}}},
    [AB_KIND_ENVIRONMENT] = {{FUNCTION(AbEnvironmentVtable, build),
                              FUNCTION(AbEnvironmentVtable, reset),
                              FUNCTION(AbEnvironmentVtable, observe),
                              FUNCTION(AbEnvironmentVtable, step)},
                             {{0}}},
};

enum { MIN_BYTES = 8, MAX_BYTES = 64 * 1024 }; /* every table begins with struct_size and flags */

/* Whether the table reaches a function and has it. */
static gboolean offers(const void *vtable, guint32 struct_size, const Function *function) {
  void (*pointer)(void) = NULL;
  if (struct_size < function->offset + sizeof pointer) return FALSE;
  memcpy(&pointer, (const char *)vtable + function->offset, sizeof pointer);
  return pointer != NULL;
}

char *check_vtable(const AbComponent *component) {
  guint32 struct_size;
  if (!component->vtable) return g_strdup("its vtable is NULL");
  memcpy(&struct_size, component->vtable, sizeof struct_size);
  if (struct_size < MIN_BYTES || struct_size > MAX_BYTES)
    return g_strdup_printf("struct_size of its vtable is %u; set it to the table's sizeof",
                           struct_size);
  const Demand *demand = &demands[component->kind];
  for (const Function *f = demand->all; f < demand->all + G_N_ELEMENTS(demand->all) && f->name; f++)
    if (!offers(component->vtable, struct_size, f))
      return g_strdup_printf("its vtable has no %s, which every %s must have", f->name,
                             ab_kind_name(component->kind));
  GString *names = g_string_new(NULL);
  gboolean any = !demand->any[0].name;
  for (const Function *f = demand->any; f->name && !any; f++) {
    any = offers(component->vtable, struct_size, f);
    g_string_append_printf(names, "%s%s", names->len ? ", " : "", f->name);
  }
  char *why = any ? NULL : g_strdup_printf("its vtable has none of %s", names->str);
  g_string_free(names, TRUE);
  return why;
}
