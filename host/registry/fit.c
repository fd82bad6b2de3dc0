/* SPDX-License-Identifier: Apache-2.0
 *
 * Kinds and roles by name, and what fits them.                                                  */
#include "fit.h"

#include <string.h>

gboolean fit_component(const AbComponent *component, AbKind kind, AbRole role) {
  if (component->kind != kind) return FALSE;
  if (kind != AB_KIND_MODEL || role == AB_ROLE_NONE) return TRUE;
  return (ab_component_roles(component) & AB_ROLE_BIT(role)) != 0;
}

GPtrArray *fit_entries(const Registry *registry, AbKind kind, AbRole role) {
  const GPtrArray *all = registry_entries(registry);
  GPtrArray *fitting = g_ptr_array_new();
  for (guint i = 0; i < all->len; i++) {
    const Entry *entry = all->pdata[i];
    if (fit_component(entry->component, kind, role)) g_ptr_array_add(fitting, all->pdata[i]);
  }
  return fitting;
}

char *fit_names(const Registry *registry, AbKind kind, AbRole role) {
  GPtrArray *entries = fit_entries(registry, kind, role);
  GString *names = g_string_new(entries->len ? NULL : "none");
  for (guint i = 0; i < entries->len; i++) {
    const Entry *entry = entries->pdata[i];
    g_string_append_printf(names, "%s%s", i ? ", " : "", entry->component->name);
  }
  g_ptr_array_unref(entries);
  return g_string_free(names, FALSE);
}

char *fit_roles(const AbComponent *component) {
  guint32 roles = component->kind == AB_KIND_MODEL ? ab_component_roles(component) : 0;
  GString *names = g_string_new(NULL);
  for (AbRole role = AB_ROLE_NONE + 1; role < AB_ROLE_COUNT; role++)
    if (roles & AB_ROLE_BIT(role))
      g_string_append_printf(names, "%s%s", names->len ? ", " : "", ab_role_name(role));
  return g_string_free(names, FALSE);
}

char *fit_wanted(AbKind kind, AbRole role) {
  if (role == AB_ROLE_NONE) return g_strdup(ab_kind_name(kind));
  return g_strdup_printf("%s that offers %s", ab_kind_name(kind), ab_role_name(role));
}

const char **fit_kind_names(void) {
  const char **names = g_new0(const char *, AB_KIND_COUNT);
  for (AbKind kind = 1; kind < AB_KIND_COUNT; kind++) names[kind - 1] = ab_kind_name(kind);
  return names;
}

const char **fit_role_names(void) {
  const char **names = g_new0(const char *, AB_ROLE_COUNT);
  for (AbRole role = 1; role < AB_ROLE_COUNT; role++) names[role - 1] = ab_role_name(role);
  return names;
}

AbKind fit_kind(const char *name) {
  for (AbKind kind = 1; kind < AB_KIND_COUNT; kind++)
    if (strcmp(ab_kind_name(kind), name) == 0) return kind;
  return 0;
}

AbRole fit_role(const char *name) {
  for (AbRole role = 1; role < AB_ROLE_COUNT; role++)
    if (strcmp(ab_role_name(role), name) == 0) return role;
  return AB_ROLE_NONE;
}
