/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading manifests: file, candidate, assignments. */
#include "manifest.h"

#include <string.h>

static GPtrArray *keys_of(const Node *mapping) {
  GPtrArray *names = g_ptr_array_new();
  for (guint i = 0; mapping && mapping->keys && i < mapping->keys->len; i++)
    g_ptr_array_add(names, ((Node *)mapping->keys->pdata[i])->text);
  g_ptr_array_add(names, NULL);
  return names;
}

static void note_candidate(const Node *candidates, const ManifestRequest *request,
                           Diagnostics *diagnostics) {
  GPtrArray *names = keys_of(candidates);
  const char *nearest = nearest_name(request->candidate, (const char *const *)names->pdata);
  char *all = g_strjoinv(", ", (char **)names->pdata);
  diagnostics_add(diagnostics, AB_USAGE, NULL, "%s has no candidate '%s'%s%s%s (it has: %s)",
                  request->path, request->candidate, nearest ? "; did you mean '" : "",
                  nearest ? nearest : "", nearest ? "'?" : "", *all ? all : "none");
  g_free(all);
  g_ptr_array_unref(names);
}

/* Every key of the candidate replaces that of the manifest, whole. */
static void lay_over(Node *root, const ManifestRequest *request, Diagnostics *diagnostics) {
  const Node *candidates = node_get(root, "candidates");
  const Node *chosen = node_get(candidates, request->candidate);
  if (!chosen) {
    note_candidate(candidates, request, diagnostics);
    return;
  }
  if (chosen->kind != NODE_MAPPING) {
    char *place = node_place(chosen);
    diagnostics_add(diagnostics, AB_CONFIG, place,
                    "a candidate is a mapping of what differs, such as {model: {plugin: rbm}}");
    g_free(place);
    return;
  }
  Node *copy = node_copy(chosen);
  for (guint i = 0; i < copy->items->len; i++)
    node_put(root, ((Node *)copy->keys->pdata[i])->text, node_copy(copy->items->pdata[i]));
  node_free(copy);
}

static gboolean is_mapping(const Node *root, Diagnostics *diagnostics) {
  if (root->kind == NODE_MAPPING) return TRUE;
  char *place = node_place(root);
  diagnostics_add(diagnostics, AB_CONFIG, place,
                  "a manifest is a mapping: problem, data, model and so on");
  g_free(place);
  return FALSE;
}

static void assign(Node *root, const char *const *sets, Diagnostics *diagnostics) {
  for (guint i = 0; sets && sets[i]; i++) node_set_path(root, sets[i], diagnostics);
}

Node *manifest_read(const ManifestRequest *request, Diagnostics *diagnostics) {
  const char *given = request->given;
  Node *root = given ? node_parse(given, strlen(given), request->path, diagnostics)
                     : node_parse_kept(request->path, request->text, diagnostics);
  if (!root) return NULL;
  if (!is_mapping(root, diagnostics)) {
    node_free(root);
    return NULL;
  }
  if (request->candidate) lay_over(root, request, diagnostics);
  node_remove(root, "candidates");
  assign(root, request->sets, diagnostics);
  return root;
}

Node *manifest_parse(const char *text, const char *name, const char *const *sets,
                     Diagnostics *diagnostics) {
  Node *root = node_parse(text, strlen(text), name, diagnostics);
  if (!root) return NULL;
  if (!is_mapping(root, diagnostics)) {
    node_free(root);
    return NULL;
  }
  assign(root, sets, diagnostics);
  return root;
}
