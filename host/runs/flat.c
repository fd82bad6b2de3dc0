/* SPDX-License-Identifier: Apache-2.0
 *
 * Trees as lists. */
#include "flat.h"

#include <string.h>

static void value_free(gpointer data) {
  FlatValue *value = data;
  g_free(value->key);
  g_free(value->text);
  g_free(value);
}

/* Takes `text`. */
static void add(GPtrArray *values, const char *key, char *text) {
  FlatValue *value = g_new0(FlatValue, 1);
  value->key = g_strdup(key);
  value->text = text;
  g_ptr_array_add(values, value);
}

static gboolean is_plain_list(const Node *node) {
  if (node->kind != NODE_SEQUENCE) return FALSE;
  for (guint i = 0; i < node->items->len; i++)
    if (((const Node *)node->items->pdata[i])->kind != NODE_SCALAR) return FALSE;
  return TRUE;
}

static char *list_text(const Node *node) {
  GString *text = g_string_new("[");
  for (guint i = 0; i < node->items->len; i++)
    g_string_append_printf(text, "%s%s", i ? ", " : "",
                           ((const Node *)node->items->pdata[i])->text);
  g_string_append_c(text, ']');
  return g_string_free(text, FALSE);
}

static void walk(GPtrArray *values, const char *key, const Node *node) {
  if (node->kind == NODE_SCALAR) {
    add(values, key, g_strdup(node->text));
  } else if (is_plain_list(node)) {
    add(values, key, list_text(node));
  } else if (node->items->len == 0) {
    if (*key) add(values, key, g_strdup("{}"));
  } else {
    for (guint i = 0; i < node->items->len; i++) {
      g_autofree char *name = node->keys ? g_strdup(((const Node *)node->keys->pdata[i])->text)
                                         : g_strdup_printf("%u", i);
      g_autofree char *inner = *key ? g_strconcat(key, ".", name, NULL) : g_strdup(name);
      walk(values, inner, node->items->pdata[i]);
    }
  }
}

GPtrArray *flat_values(const Node *root) {
  GPtrArray *values = g_ptr_array_new_with_free_func(value_free);
  walk(values, "", root);
  return values;
}

const char *flat_get(const GPtrArray *values, const char *key) {
  for (guint i = 0; i < values->len; i++) {
    const FlatValue *value = values->pdata[i];
    if (strcmp(value->key, key) == 0) return value->text;
  }
  return NULL;
}
