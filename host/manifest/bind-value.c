/* SPDX-License-Identifier: Apache-2.0
 *
 * Values by type: one reader for each, which checks, stores, and gives the canonical form.       */
#include "bind-value.h"

#include <math.h>
#include <string.h>

void bind_note(const BindTable *self, AbCode code, const Node *at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *message = g_strdup_vprintf(format, args);
  va_end(args);
  char *place = at ? node_place(at) : NULL;
  diagnostics_add(self->diagnostics, code, place, "%s: %s", self->what, message);
  g_free(place);
  g_free(message);
}

/* One value of a row: its field, or an item of it. `name` is for messages ("units[2]"). */
typedef struct {
  const BindTable *table;
  const AbParam *row;
  const Node *node;
  const char *name;
} Value;

/* Notes what is wrong with a value; takes `why`. */
static Node *refuse(const Value *self, char *why) {
  bind_note(self->table, AB_CONFIG, self->node, "%s", why);
  g_free(why);
  return NULL;
}

/* "'12x' is no integer"; takes `why`. */
static Node *refuse_type(const Value *self, char *why) {
  char *message = g_strdup_printf("%s: %s", self->name, why);
  g_free(why);
  return refuse(self, message);
}

/* Takes `shown`. */
static Node *refuse_range(const Value *self, char *shown) {
  char *range = param_range(self->row);
  char *why =
      g_strdup_printf("%s is %s; it must be %s", self->name, shown, range ? range : "a number");
  g_free(range);
  g_free(shown);
  return refuse(self, why);
}

static Node *read_int(const Value *self, void *field) {
  gint64 value;
  char *why = NULL;
  if (!node_read_int(self->node, &value, &why)) return refuse_type(self, why);
  if (value < self->row->int_min || value > self->row->int_max)
    return refuse_range(self, g_strdup_printf("%" G_GINT64_FORMAT, value));
  *(int64_t *)field = value;
  return node_scalar_printf("%" G_GINT64_FORMAT, value);
}

/* Infinite only where the bounds, which are inclusive, say so. */
static Node *read_real(const Value *self, void *field) {
  double value;
  char *why = NULL;
  gboolean finite = isfinite(self->row->real_min) && isfinite(self->row->real_max);
  if (!node_read_real(self->node, finite, &value, &why)) return refuse_type(self, why);
  char *text = param_real(value);
  if (!(value >= self->row->real_min && value <= self->row->real_max)) /* nor NaN */
    return refuse_range(self, text);
  *(double *)field = value;
  Node *canonical = node_scalar(text);
  g_free(text);
  return canonical;
}

static Node *read_bool(const Value *self, void *field) {
  gboolean value;
  char *why = NULL;
  if (!node_read_bool(self->node, &value, &why)) return refuse_type(self, why);
  *(bool *)field = value;
  return node_scalar(value ? "true" : "false");
}

static Node *refuse_kind(const Value *self, const char *wanted) {
  const char *given = self->node->kind == NODE_SEQUENCE ? "sequence" : "mapping";
  return refuse(self, g_strdup_printf("%s: a %s is no %s", self->name, given, wanted));
}

static Node *read_choice(const Value *self, void *field) {
  if (self->node->kind != NODE_SCALAR) return refuse_kind(self, "choice");
  const char *text = self->node->text, *const *choices = self->row->choices;
  for (int64_t i = 0; choices[i]; i++) {
    if (strcmp(choices[i], text) != 0) continue;
    *(int64_t *)field = i;
    return node_scalar(text);
  }
  const char *nearest = nearest_name(text, choices);
  char *shown = node_show(text), *all = param_choices(self->row);
  char *why = nearest ? g_strdup_printf("%s is %s; did you mean '%s'? (choices: %s)", self->name,
                                        shown, nearest, all)
                      : g_strdup_printf("%s is %s; it must be one of: %s", self->name, shown, all);
  g_free(shown);
  g_free(all);
  return refuse(self, why);
}

/* Memory of the owner; NULL, and a note, if there is none. */
static void *claim(const Value *self, gsize count, gsize size) {
  gsize bytes;
  void *memory = NULL;
  if (g_size_checked_mul(&bytes, count, size)) {
    memory = self->table->alloc(self->table->owner, bytes);
    if (memory) memset(memory, 0, bytes);
  }
  if (!memory)
    bind_note(self->table, AB_INTERNAL, self->node, "no memory for %s (%zu values)", self->name,
              count);
  return memory;
}

static gboolean store_text(const Value *self, const char *text, const char **field) {
  gsize size = strlen(text) + 1;
  char *copy = claim(self, size, 1);
  if (copy) memcpy(copy, text, size);
  *field = copy;
  return copy != NULL;
}

/* Only a row without a default can be absent; a text "null" is written in quotes. */
static gboolean may_be_absent(const AbParam *row) {
  return !row->text_default && !(row->flags & AB_PARAM_REQUIRED);
}

static Node *refuse_null(const Value *self) {
  return refuse(self, g_strdup_printf("%s has no value; put quotes around a text that is meant "
                                      "to be empty or 'null'",
                                      self->name));
}

static Node *read_text(const Value *self, void *field) {
  if (self->node->kind != NODE_SCALAR) return refuse_kind(self, "text");
  if (param_is_null(self->node)) return refuse_null(self);
  return store_text(self, self->node->text, field) ? param_text(self->node->text) : NULL;
}

/* The folder that paths of this node start from: that of its file, or the current one. */
static char *base_folder(const Node *node) {
  if (!node->file || g_str_has_prefix(node->file, "--set")) return NULL;
  char *folder = g_path_get_dirname(node->file);
  char *absolute = g_canonicalize_filename(folder, NULL);
  g_free(folder);
  return absolute;
}

static Node *read_path(const Value *self, void *field) {
  if (self->node->kind != NODE_SCALAR) return refuse_kind(self, "path");
  if (!*self->node->text || param_is_null(self->node))
    return refuse(self, g_strdup_printf("%s is empty; it must be a path", self->name));
  char *base = base_folder(self->node);
  char *path = g_canonicalize_filename(self->node->text, base);
  Node *canonical = store_text(self, path, field) ? param_text(path) : NULL;
  g_free(base);
  g_free(path);
  return canonical;
}

static Node *read_record(const Value *self, void *field) {
  const BindTable *table = self->table;
  if (self->node->kind != NODE_MAPPING) {
    gboolean scalar = self->node->kind == NODE_SCALAR;
    return refuse(self, g_strdup_printf("%s: a %s is no record; write {key: value, ...}",
                                        self->name, scalar ? "scalar" : "sequence"));
  }
  guint before = diagnostics_count(table->diagnostics);
  char *what = g_strdup_printf("%s: %s", table->what, self->name);
  Node *canonical = node_mapping();
  bind_params(self->node, self->row->record, self->row->record_count, table->stride, field,
              table->alloc, table->owner, NULL, what, canonical, table->diagnostics);
  g_free(what);
  if (diagnostics_count(table->diagnostics) != before) g_clear_pointer(&canonical, node_free);
  return canonical;
}

typedef Node *(*Reader)(const Value *self, void *field);

/* All lists have the same head: a count, and a pointer to their items. */
typedef struct {
  int64_t count;
  void *items;
} List;
G_STATIC_ASSERT(sizeof(List) == sizeof(AbInts) && sizeof(List) == sizeof(AbRecords));

/* Reads all items, so that every mistake is noted. */
static Node *read_list(const Value *self, gsize size, Reader read, void *field) {
  const Node *node = self->node;
  if (node->kind != NODE_SEQUENCE)
    return refuse(self, g_strdup_printf("%s: a %s is no %s; write [ ... ]", self->name,
                                        node->kind == NODE_SCALAR ? "scalar" : "mapping",
                                        param_type_name(self->row->type)));
  List list = {.count = node->items->len};
  Node *canonical = node_sequence();
  if (list.count && !(list.items = claim(self, (gsize)list.count, size)))
    g_clear_pointer(&canonical, node_free);
  for (guint i = 0; list.items && i < node->items->len; i++) {
    char *name = g_strdup_printf("%s[%u]", self->name, i);
    Value item = {self->table, self->row, node->items->pdata[i], name};
    Node *value = read(&item, (char *)list.items + i * size);
    g_free(name);
    if (value && canonical)
      node_append(canonical, value);
    else
      node_free(value);
    if (!value) g_clear_pointer(&canonical, node_free);
  }
  if (canonical) memcpy(field, &list, sizeof list);
  return canonical;
}

Node *bind_value(const BindTable *self, const AbParam *row, const Node *node) {
  Value value = {self, row, node, row->key};
  void *field = (char *)self->target + row->offset;
  gboolean textual = row->type == AB_TYPE_TEXT || row->type == AB_TYPE_PATH;
  if (textual && param_is_null(node) && may_be_absent(row)) {
    *(const char **)field = NULL;
    return NULL;
  }
  switch (row->type) {
  case AB_TYPE_INT: return read_int(&value, field);
  case AB_TYPE_REAL: return read_real(&value, field);
  case AB_TYPE_BOOL: return read_bool(&value, field);
  case AB_TYPE_CHOICE: return read_choice(&value, field);
  case AB_TYPE_TEXT: return read_text(&value, field);
  case AB_TYPE_PATH: return read_path(&value, field);
  case AB_TYPE_INTS: return read_list(&value, sizeof(int64_t), read_int, field);
  case AB_TYPE_REALS: return read_list(&value, sizeof(double), read_real, field);
  case AB_TYPE_TEXTS: return read_list(&value, sizeof(const char *), read_text, field);
  case AB_TYPE_RECORDS: return read_list(&value, row->record_size, read_record, field);
  default: return refuse(&value, g_strdup_printf("%s has no type", row->key));
  }
}
