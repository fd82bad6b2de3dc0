/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking components up, and the messages where there is none.                                  */
#include "fit.h"
#include "registry-internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Names of a kind, NULL-terminated; free the array alone. */
static const char **names_of(const Registry *self, AbKind kind) {
  const char **names = g_new0(const char *, self->entries->len + 1);
  guint count = 0;
  for (guint i = 0; i < self->entries->len; i++) {
    const AbComponent *component = ((const Entry *)self->entries->pdata[i])->component;
    if (component->kind == kind) names[count++] = component->name;
  }
  return names;
}

/* "; 'adam' is an optimizer", where another kind has the name. */
static void add_other_kind(const Registry *self, GString *text, AbKind kind, const char *name) {
  for (AbKind other = 1; other < AB_KIND_COUNT; other++)
    if (other != kind && registry_lookup(self, other, name))
      g_string_append_printf(text, "; that is the name of a component of the kind %s",
                             ab_kind_name(other));
}

/* The refusals of files that are called like the component. */
static void add_refusals(const Registry *self, GString *text, AbKind kind, const char *name) {
  char *bare = g_strdup_printf("%s.so", name);
  char *full = g_strdup_printf("%s-%s.so", ab_kind_name(kind), name);
  for (guint i = 0; i < self->refusals->len; i++) {
    const Refusal *refusal = self->refusals->pdata[i];
    char *file = g_path_get_basename(refusal->file);
    if (strcmp(file, bare) == 0 || strcmp(file, full) == 0)
      g_string_append_printf(text, "\n%s was refused: %s", refusal->file, refusal->reason);
    g_free(file);
  }
  g_free(full);
  g_free(bare);
}

static void add_names(const Registry *self, GString *text, AbKind kind, const char *name) {
  const char **names = names_of(self, kind);
  const char *nearest = nearest_name(name, names);
  char *all = g_strjoinv(", ", (char **)names);
  if (nearest)
    g_string_append_printf(text, "; did you mean '%s'?", nearest);
  else if (*all)
    g_string_append_printf(text, " (installed: %s)", all);
  else
    g_string_append_printf(text, ", nor any other %s; name their folder with --plugin-path",
                           ab_kind_name(kind));
  g_free(all);
  g_free(names);
}

const Entry *registry_find(const Registry *self, AbKind kind, const char *name, GError **error) {
  const Entry *entry = registry_lookup(self, kind, name);
  if (entry) return entry;
  char *valid = g_utf8_make_valid(name, -1);
  char *line = g_strdelimit(valid, "\r\n\t", ' ');
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "there is no %s '%s'", ab_kind_name(kind), line);
  add_names(self, text, kind, name);
  add_other_kind(self, text, kind, name);
  add_refusals(self, text, kind, name);
  g_set_error_literal(error, HOST_ERROR, AB_UNAVAILABLE, text->str);
  g_string_free(text, TRUE);
  g_free(valid);
  return NULL;
}

const Entry *registry_default(const Registry *self, AbKind kind, AbRole role, GError **error) {
  const Entry *found = NULL;
  GString *names = g_string_new(NULL);
  guint count = 0;
  for (guint i = 0; i < self->entries->len; i++) {
    const Entry *entry = self->entries->pdata[i];
    if (entry->component->kind != kind) continue;
    if (!(entry->component->default_for & AB_ROLE_BIT(role))) continue;
    found = entry;
    g_string_append_printf(names, "%s%s", count++ ? ", " : "", entry->component->name);
  }
  if (count > 1) {
    g_set_error(error, HOST_ERROR, AB_CONFIG,
                "several of the kind %s are the default for %s (%s); name one: {plugin: %s}",
                ab_kind_name(kind), role == AB_ROLE_NONE ? "any role" : ab_role_name(role),
                names->str, found->component->name);
    found = NULL;
  }
  g_string_free(names, TRUE);
  return found;
}

char *registry_hash(const Entry *entry, GError **error) {
  FILE *file = fopen(entry->file, "rbe");
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  char *text = NULL;
  guchar block[65536];
  size_t got;
  while (file && (got = fread(block, 1, sizeof block, file)) > 0)
    g_checksum_update(sum, block, (gssize)got);
  if (file && !ferror(file))
    text = g_strdup(g_checksum_get_string(sum));
  else
    g_set_error(error, HOST_ERROR, AB_IO, "%s: cannot be read: %s", entry->file, g_strerror(errno));
  if (file) fclose(file);
  g_checksum_free(sum);
  return text;
}
