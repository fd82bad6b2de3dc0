/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree: building, looking up, changing, and the changes that the command line makes.        */
#include "node.h"

#include <stdarg.h>
#include <string.h>

enum { MAX_LEVELS = 64, SHOWN_CHARACTERS = 60 };

static void free_item(gpointer data) {
  node_free(data);
}

static Node *node_new(NodeKind kind) {
  Node *self = g_new0(Node, 1);
  self->kind = kind;
  if (kind == NODE_MAPPING) self->keys = g_ptr_array_new_with_free_func(free_item);
  if (kind != NODE_SCALAR) self->items = g_ptr_array_new_with_free_func(free_item);
  return self;
}

Node *node_scalar(const char *text) {
  Node *self = node_new(NODE_SCALAR);
  self->text = g_strdup(text);
  return self;
}

Node *node_scalar_printf(const char *format, ...) {
  Node *self = node_new(NODE_SCALAR);
  va_list args;
  va_start(args, format);
  self->text = g_strdup_vprintf(format, args);
  va_end(args);
  return self;
}

Node *node_sequence(void) {
  return node_new(NODE_SEQUENCE);
}

Node *node_mapping(void) {
  return node_new(NODE_MAPPING);
}

static void copy_place(Node *self, const Node *from) {
  self->file = from->file;
  self->line = from->line;
  self->column = from->column;
}

Node *node_copy(const Node *self) {
  Node *copy = node_new(self->kind);
  copy->text = g_strdup(self->text);
  copy->quoted = self->quoted;
  copy_place(copy, self);
  for (guint i = 0; self->keys && i < self->keys->len; i++)
    g_ptr_array_add(copy->keys, node_copy(self->keys->pdata[i]));
  for (guint i = 0; self->items && i < self->items->len; i++)
    g_ptr_array_add(copy->items, node_copy(self->items->pdata[i]));
  return copy;
}

void node_free(Node *self) {
  if (!self) return;
  g_free(self->text);
  if (self->keys) g_ptr_array_unref(self->keys);
  if (self->items) g_ptr_array_unref(self->items);
  g_free(self);
}

/* Where `key` is in a mapping; FALSE if it is not, or `self` is no mapping. */
static gboolean find_key(const Node *self, const char *key, guint *at) {
  if (!self || self->kind != NODE_MAPPING) return FALSE;
  for (guint i = 0; i < self->keys->len; i++) {
    const Node *candidate = self->keys->pdata[i];
    if (strcmp(candidate->text, key) != 0) continue;
    *at = i;
    return TRUE;
  }
  return FALSE;
}

Node *node_get(const Node *self, const char *key) {
  guint at;
  return find_key(self, key, &at) ? self->items->pdata[at] : NULL;
}

Node *node_get_key(const Node *self, const char *key) {
  guint at;
  return find_key(self, key, &at) ? self->keys->pdata[at] : NULL;
}

void node_put(Node *self, const char *key, Node *value) {
  g_return_if_fail(self->kind == NODE_MAPPING);
  guint at;
  if (find_key(self, key, &at)) {
    node_free(self->items->pdata[at]);
    self->items->pdata[at] = value;
    return;
  }
  Node *name = node_scalar(key);
  copy_place(name, value);
  g_ptr_array_add(self->keys, name);
  g_ptr_array_add(self->items, value);
}

gboolean node_remove(Node *self, const char *key) {
  guint at;
  if (!find_key(self, key, &at)) return FALSE;
  g_ptr_array_remove_index(self->keys, at);
  g_ptr_array_remove_index(self->items, at);
  return TRUE;
}

void node_append(Node *self, Node *value) {
  g_return_if_fail(self->kind == NODE_SEQUENCE);
  g_ptr_array_add(self->items, value);
}

char *node_place(const Node *self) {
  if (!self->file || !self->line) return g_strdup(self->file);
  return g_strdup_printf("%s:%u:%u", self->file, self->line, self->column);
}

char *node_show(const char *text) {
  char *valid = g_utf8_make_valid(text, -1);
  GString *shown = g_string_new("'");
  guint count = 0;
  for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
    if (count++ == SHOWN_CHARACTERS) {
      g_string_append(shown, "...");
      break;
    }
    gunichar c = g_utf8_get_char(at);
    if (c == '\n') {
      g_string_append(shown, "\\n");
    } else if (c == '\t') {
      g_string_append(shown, "\\t");
    } else if (g_unichar_isprint(c)) {
      g_string_append_unichar(shown, c);
    } else {
      g_string_append_printf(shown, "\\u%04X", c);
    }
  }
  g_free(valid);
  g_string_append_c(shown, '\'');
  return g_string_free(shown, FALSE);
}

/* One `key.path=value`, taken apart. */
typedef struct {
  const char *place; /* "--set key.path", interned */
  char **path;
  guint length; /* of the path */
  Diagnostics *diagnostics;
} Assignment;

/* Gives a whole value the assignment's place: columns of an argument would help nobody. */
static void set_place(Node *self, const char *place) {
  self->file = place;
  self->line = self->column = 0;
  for (guint i = 0; self->keys && i < self->keys->len; i++) set_place(self->keys->pdata[i], place);
  for (guint i = 0; self->items && i < self->items->len; i++)
    set_place(self->items->pdata[i], place);
}

static guint levels(const Node *self) {
  guint deepest = 0;
  for (guint i = 0; self->items && i < self->items->len; i++) {
    guint height = levels(self->items->pdata[i]); /* MAX would ask twice */
    deepest = MAX(deepest, height);
  }
  return deepest + 1;
}

/* The value; NULL after an error. */
static Node *parse_value(const Assignment *self, const char *text) {
  if (!*text) {
    Node *empty = node_scalar("");
    empty->quoted = TRUE;
    empty->file = self->place;
    return empty;
  }
  guint before = diagnostics_count(self->diagnostics);
  Node *value = node_parse(text, strlen(text), self->place, self->diagnostics);
  const char *first = text + strspn(text, " \t\r\n");
  if (value && value->kind != NODE_SCALAR && *first != '[' && *first != '{') {
    char *shown = node_show(text);
    diagnostics_add(self->diagnostics, AB_CONFIG, self->place,
                    "%s is no value in flow style; write {key: value} for a mapping, [a, b] for a "
                    "sequence, and quotes around a text with ': ' or a leading '#' or '-'",
                    shown);
    g_free(shown);
  }
  if (value && self->length + levels(value) > MAX_LEVELS)
    diagnostics_add(self->diagnostics, AB_CONFIG, self->place,
                    "the value would lie deeper than %d levels", MAX_LEVELS);
  if (diagnostics_count(self->diagnostics) != before) g_clear_pointer(&value, node_free);
  if (value) set_place(value, self->place);
  return value;
}

/* The first `count` elements of the path, as messages name them. */
static char *path_name(const Assignment *self, guint count) {
  if (count == 0) return g_strdup("the document");
  GString *name = g_string_new("'");
  for (guint i = 0; i < count; i++)
    g_string_append_printf(name, "%s%s", i ? "." : "", self->path[i]);
  g_string_append_c(name, '\'');
  return g_string_free(name, FALSE);
}

static void note_scalar(const Assignment *self, const Node *scalar, guint depth) {
  char *name = path_name(self, depth);
  char *text = node_show(scalar->text);
  char *place = node_place(scalar);
  char *element = node_show(self->path[depth]);
  diagnostics_add(self->diagnostics, AB_CONFIG, self->place,
                  "%s is the scalar %s%s%s%s, which has no %s; set the whole of it instead", name,
                  text, place ? " (" : "", place ? place : "", place ? ")" : "", element);
  g_free(name);
  g_free(text);
  g_free(place);
  g_free(element);
}

static void note_index(const Assignment *self, const Node *sequence, guint depth) {
  char *name = path_name(self, depth);
  char *element = node_show(self->path[depth]);
  guint length = sequence->items->len;
  char *range =
      length > 1 ? g_strdup_printf("0 to %u, or ", length - 1) : g_strdup(length ? "0, or " : "");
  diagnostics_add(self->diagnostics, AB_CONFIG, self->place,
                  "%s is no index into the sequence %s, which has %u item%s; use %s%u to append",
                  element, name, length, length == 1 ? "" : "s", range, length);
  g_free(name);
  g_free(element);
  g_free(range);
}

/* Puts the value under path[depth...], where path[depth] is set or made and the rest is new. */
static void place_value(const Assignment *self, Node *parent, guint depth, guint at, Node *value) {
  for (guint i = self->length - 1; i > depth; i--) {
    Node *made = node_mapping();
    made->file = self->place;
    node_put(made, self->path[i], value);
    value = made;
  }
  if (parent->kind == NODE_MAPPING) {
    node_put(parent, self->path[depth], value);
  } else if (at == parent->items->len) {
    node_append(parent, value);
  } else {
    node_free(parent->items->pdata[at]);
    parent->items->pdata[at] = value;
  }
}

/* Follows the path as far as it exists, and only then changes the tree: an error leaves it as it
 * was. Takes `value`.                                                                           */
static void assign(const Assignment *self, Node *node, Node *value) {
  for (guint depth = 0;; depth++) {
    const char *element = self->path[depth];
    guint64 at = 0;
    Node *next = NULL;
    if (node->kind == NODE_SCALAR) {
      note_scalar(self, node, depth);
      break;
    } else if (node->kind == NODE_MAPPING) {
      next = node_get(node, element);
    } else if (!g_ascii_string_to_unsigned(element, 10, 0, node->items->len, &at, NULL)) {
      note_index(self, node, depth);
      break;
    } else if (at < node->items->len) {
      next = node->items->pdata[at];
    }
    if (!next || depth + 1 == self->length) {
      place_value(self, node, depth, (guint)at, value);
      return;
    }
    node = next;
  }
  node_free(value);
}

/* NULL if the argument has the form of an assignment, else what is wrong with it. */
static const char *assignment_fault(const char *assignment) {
  if (!g_utf8_validate(assignment, -1, NULL)) return "is no UTF-8";
  const char *equals = strchr(assignment, '=');
  if (!equals) return "has no '='";
  for (const char *at = assignment; at <= equals; at++)
    if ((*at == '.' || at == equals) && (at == assignment || at[-1] == '.'))
      return "has an empty path element";
  return NULL;
}

void node_set_path(Node *self, const char *assignment, Diagnostics *diagnostics) {
  const char *fault = assignment_fault(assignment);
  if (fault) {
    char *shown = node_show(assignment);
    diagnostics_add(diagnostics, AB_USAGE, "--set", "%s %s; write key.path=value", shown, fault);
    g_free(shown);
    return;
  }
  const char *equals = strchr(assignment, '=');
  char *key = g_strndup(assignment, (gsize)(equals - assignment));
  char *place = g_strconcat("--set ", key, NULL);
  Assignment parts = {.place = g_intern_string(place), .diagnostics = diagnostics};
  parts.path = g_strsplit(key, ".", -1);
  parts.length = g_strv_length(parts.path);
  Node *value = parse_value(&parts, equals + 1);
  if (value) assign(&parts, self, value);
  g_strfreev(parts.path);
  g_free(place);
  g_free(key);
}
