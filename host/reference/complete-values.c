/* SPDX-License-Identifier: Apache-2.0
 *
 * Values by what the help calls them: ROLE, KIND, KEY.PATH=VALUE. */
#include "complete-internal.h"

#include "../manifest/manifest.h"
#include "../manifest/param.h"
#include "../registry/fit.h"
#include "keys.h"
#include "manual.h"

#include <string.h>

void request_note(Request *self, const char *option, const char *value) {
  if (strcmp(option, "candidate") == 0) self->candidate = value;
  if (strcmp(option, "plugin-path") == 0) g_ptr_array_add(self->folders, (gpointer)value);
}

/* ---- what is installed ----------------------------------------------------------------------- */

static Registry *registry(Request *self) {
  g_ptr_array_add(self->folders, NULL);
  Registry *found = registry_new((const char *const *)self->folders->pdata, NULL);
  g_ptr_array_set_size(self->folders, (int)self->folders->len - 1);
  return found;
}

static void offer_all(Request *self, const char *const *names) {
  for (; *names; names++) request_offer(self, *names);
}

static void offer_roles(Request *self) {
  g_autofree const char **names = fit_role_names();
  offer_all(self, names);
}

static void offer_kinds(Request *self) {
  g_autofree const char **names = fit_kind_names();
  offer_all(self, names);
}

static void offer_splits(Request *self) {
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    request_offer(self, ab_split_name(split));
}

static void offer_fitting(Request *self, const Registry *all, AbKind kind, AbRole role,
                          const char *before) {
  g_autoptr(GPtrArray) entries = fit_entries(all, kind, role);
  for (guint i = 0; i < entries->len; i++) {
    const Entry *entry = entries->pdata[i];
    g_autofree char *word = g_strconcat(before, entry->component->name, NULL);
    request_offer(self, word);
  }
}

static void offer_data(Request *self) {
  g_autoptr(Registry) all = registry(self);
  if (all) offer_fitting(self, all, AB_KIND_DATA, AB_ROLE_NONE, "");
}

/* Names, or KIND/NAME once there is a slash. */
static void offer_components(Request *self) {
  g_autoptr(Registry) all = registry(self);
  gboolean full = strchr(self->current, '/') != NULL;
  for (AbKind kind = 1; all && kind < AB_KIND_COUNT; kind++) {
    g_autofree char *before = full ? g_strdup_printf("%s/", ab_kind_name(kind)) : g_strdup("");
    offer_fitting(self, all, kind, AB_ROLE_NONE, before);
  }
}

/* ---- what the manifest says ------------------------------------------------------------------ */

/* The manifest that the line names, NULL if there is none to be read. */
static Node *manifest(const Request *self, const char *candidate) {
  if (!self->arguments->len) return NULL;
  Diagnostics *ignored = diagnostics_new();
  ManifestRequest request = {self->arguments->pdata[0], candidate, NULL, NULL};
  Node *root = candidate ? manifest_read(&request, ignored)
                         : node_parse_file(self->arguments->pdata[0], ignored);
  diagnostics_free(ignored);
  return root;
}

/* Also the last one of a list, "rbm,dbm". */
static void offer_candidates(Request *self) {
  g_autoptr(Node) root = manifest(self, NULL);
  const Node *all = node_get(root, "candidates");
  const char *comma = strrchr(self->current, ',');
  g_autofree char *before =
      comma ? g_strndup(self->current, (gsize)(comma + 1 - self->current)) : g_strdup("");
  gsize skip = comma && g_str_has_prefix(before, self->prefix) ? strlen(self->prefix) : 0;
  for (guint i = 0; all && all->keys && i < all->keys->len; i++) {
    g_autofree char *word = g_strconcat(before + skip, ((Node *)all->keys->pdata[i])->text, NULL);
    request_offer(self, word);
  }
}

static void offer_key_values(Request *self, const Registry *all, const Key *key) {
  g_autofree char *before = g_strconcat(key->path, "=", NULL);
  if (key->kind) offer_fitting(self, all, key->kind, key->role, before);
  if (!key->row) return;
  static const char *const truths[] = {"true", "false", NULL};
  const char *const *values = key->row->type == AB_TYPE_CHOICE ? key->row->choices
                              : key->row->type == AB_TYPE_BOOL ? truths
                                                               : NULL;
  for (; values && *values; values++) {
    g_autofree char *word = g_strconcat(before, *values, NULL);
    request_offer(self, word);
  }
  if (key->row->type == AB_TYPE_PATH) self->result->files = TRUE;
}

/* Keys, and after "=" the values of that key. */
static void offer_assignments(Request *self) {
  const char *typed = self->current + strlen(self->prefix);
  const char *equals = strchr(typed, '=');
  g_autoptr(Registry) all = registry(self);
  g_autoptr(Node) root = manifest(self, self->candidate);
  if (!all || !root) return;
  g_autoptr(GPtrArray) keys = keys_of(all, root);
  for (guint i = 0; i < keys->len; i++) {
    const Key *key = keys->pdata[i];
    gsize length = strlen(key->path);
    g_autofree char *word = g_strconcat(key->path, "=", NULL);
    if (!equals)
      request_offer(self, word);
    else if (length == (gsize)(equals - typed) && strncmp(typed, key->path, length) == 0)
      offer_key_values(self, all, key);
  }
}

/* Places of components: "model.encoder". */
static void offer_slots(Request *self) {
  g_autoptr(Registry) all = registry(self);
  g_autoptr(Node) root = manifest(self, self->candidate);
  if (!all || !root) return;
  g_autoptr(GPtrArray) keys = keys_of(all, root);
  for (guint i = 0; i < keys->len; i++) {
    const Key *key = keys->pdata[i];
    if (key->kind && !g_str_has_suffix(key->path, ".plugin")) request_offer(self, key->path);
  }
}

/* ---- by name --------------------------------------------------------------------------------- */

static void offer_pages(Request *self) {
  g_autofree const char **names = manual_names();
  offer_all(self, names);
}

static void offer_shells(Request *self) {
  request_offer(self, "bash");
}

static void offer_files(Request *self) {
  self->result->files = TRUE;
}

static void offer_folders(Request *self) {
  self->result->folders = TRUE;
}

static const struct {
  const char *what;
  void (*offer)(Request *self);
} sources[] = {
    {"ROLE", offer_roles}, {"KIND", offer_kinds},     {"COMPONENT", offer_components},
    {"DATA", offer_data},  {"SPLIT", offer_splits},   {"CANDIDATE", offer_candidates},
    {"PATH", offer_slots}, {"PAGE", offer_pages},     {"SHELL", offer_shells},
    {"FILE", offer_files}, {"FOLDER", offer_folders},
};

void request_values(Request *self, const char *what, gboolean file) {
  g_auto(GStrv) names = g_strsplit(what, "|", -1);
  gboolean known = FALSE;
  if (g_str_has_prefix(what, "KEY.PATH=")) {
    offer_assignments(self);
    return;
  }
  for (guint i = 0; names[i]; i++)
    for (guint j = 0; j < G_N_ELEMENTS(sources); j++) {
      if (strcmp(names[i], sources[j].what) != 0) continue;
      sources[j].offer(self);
      known = TRUE;
    }
  if (!known && file) offer_files(self);
}
