/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of components. */
#include "wiring.h"

#include "../files.h"
#include "../store/store.h"
#include "notes.h"
#include <string.h>

#define MAX_COMPONENTS 200
#define MAX_TEXT       200 /* bytes of a parameter's value */
#define MAX_YAML       (4 << 20)

typedef struct {
  GString *out;
  StoreFile *checkpoint; /* or NULL */
  guint count;
  GError *error; /* the checkpoint's first */
} Wiring;

/* ---- resolved.yaml --------------------------------------------------------------------------- */

static Node *parse(const char *text, gsize length, const char *folder, GPtrArray *notes) {
  GError *error = NULL;
  g_autofree char *path = g_build_filename(folder, "resolved.yaml", NULL);
  Diagnostics *diagnostics = diagnostics_new();
  /* nodes keep the name of their file */
  Node *node = node_parse(text, length, g_intern_string(path), diagnostics);
  diagnostics_check(diagnostics, &error);
  notes_take(notes, error);
  diagnostics_free(diagnostics);
  if (!node || node->kind == NODE_MAPPING) return node;
  notes_add(notes, "%s is damaged: it is no mapping", path);
  node_free(node);
  return NULL;
}

Node *wiring_read(const char *folder, GPtrArray *notes) {
  GError *error = NULL;
  gsize length = 0;
  g_autofree char *text = files_read(folder, "resolved.yaml", MAX_YAML, &length, &error);
  notes_take_file(notes, folder, error);
  return text ? parse(text, length, folder, notes) : NULL;
}

const char *wiring_setting(const Node *resolved, const char *key) {
  const Node *value = node_get(resolved, key);
  return value && value->kind == NODE_SCALAR ? value->text : NULL;
}

const char *wiring_component(const Node *resolved, const char *key) {
  return wiring_setting(node_get(resolved, key), "plugin");
}

/* ---- what the checkpoint knows --------------------------------------------------------------- */

static void put_attribute(Wiring *self, const char *object, const char *name) {
  g_autofree char *text =
      self->error ? NULL : store_read_attr_text(self->checkpoint, object, name, &self->error);
  if (text) embed_text(self->out, name, text);
}

static void put_plugin(Wiring *self, const char *path) {
  g_autofree char *object = g_strdup_printf("/plugins/%s", path);
  if (!self->checkpoint || !store_has(self->checkpoint, object)) return;
  put_attribute(self, object, "kind");
  put_attribute(self, object, "id");
  put_attribute(self, object, "version");
}

/* ---- the tree -------------------------------------------------------------------------------- */

static gboolean is_component(const Node *node) {
  return wiring_setting(node, "plugin") != NULL;
}

/* On one line; NULL for what is empty, or larger than a line. */
static char *value_text(const Node *node) {
  char *text = NULL;
  if (node->kind == NODE_SCALAR)
    text = g_strdup(node->text);
  else if (node->kind == NODE_SEQUENCE && node->items->len > 0)
    text = g_strchomp(node_emit(node));
  if (text && *text && strlen(text) <= MAX_TEXT && !strchr(text, '\n')) return text;
  g_free(text);
  return NULL;
}

static void put_pairs(Wiring *self, const char *key, const Node *mapping) {
  embed_begin(self->out, key, '[');
  for (guint i = 0; i < mapping->items->len; i++) {
    const char *name = ((const Node *)mapping->keys->pdata[i])->text;
    g_autofree char *text = value_text(mapping->items->pdata[i]);
    if (!text || strcmp(name, "plugin") == 0) continue;
    embed_begin(self->out, NULL, '[');
    embed_text(self->out, NULL, name);
    embed_text(self->out, NULL, text);
    embed_end(self->out, ']');
  }
  embed_end(self->out, ']');
}

static void put_components(Wiring *self, const Node *mapping, const char *path);

static void put_component(Wiring *self, const Node *node, const char *slot, const char *path) {
  if (self->count++ >= MAX_COMPONENTS) return;
  embed_begin(self->out, NULL, '{');
  embed_text(self->out, "slot", slot);
  embed_text(self->out, "path", path);
  embed_text(self->out, "plugin", wiring_setting(node, "plugin"));
  put_plugin(self, path);
  put_pairs(self, "parameters", node);
  put_components(self, node, path);
  embed_end(self->out, '}');
}

/* One that stands under a key, or some in a sequence. */
static void put_slot(Wiring *self, const Node *value, const char *slot, const char *path) {
  if (is_component(value)) put_component(self, value, slot, path);
  for (guint i = 0; value->kind == NODE_SEQUENCE && i < value->items->len; i++) {
    g_autofree char *item = g_strdup_printf("%s/%u", path, i);
    if (is_component(value->items->pdata[i]))
      put_component(self, value->items->pdata[i], slot, item);
  }
}

static void put_components(Wiring *self, const Node *mapping, const char *path) {
  embed_begin(self->out, "components", '[');
  for (guint i = 0; i < mapping->items->len; i++) {
    const char *slot = ((const Node *)mapping->keys->pdata[i])->text;
    g_autofree char *below = path ? g_strdup_printf("%s/%s", path, slot) : g_strdup(slot);
    put_slot(self, mapping->items->pdata[i], slot, below);
  }
  embed_end(self->out, ']');
}

static StoreFile *open_checkpoint(const char *folder, GPtrArray *notes) {
  GError *error = NULL;
  g_autofree char *path = g_build_filename(folder, "checkpoints", "last.h5", NULL);
  StoreFile *file = g_file_test(path, G_FILE_TEST_EXISTS) ? store_open(path, &error) : NULL;
  notes_take(notes, error);
  return file;
}

void wiring_write(const Node *resolved, const char *folder, const char *key, GString *out,
                  GPtrArray *notes) {
  Wiring self = {.out = out, .checkpoint = open_checkpoint(folder, notes)};
  embed_begin(out, key, '{');
  put_pairs(&self, "settings", resolved);
  put_components(&self, resolved, NULL);
  embed_int(out, "count", self.count);
  embed_end(out, '}');
  notes_take(notes, self.error);
  store_close(self.checkpoint);
}
