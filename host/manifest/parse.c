/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML text to tree, from libyaml's events: those know the place of every value, and leave it to
 * us to stop an alias bomb before it has grown.                                                 */
#include "node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#define YAML_TAG_PREFIX "tag:yaml.org,2002:"

#define MAX_NODES_TEXT "100,000"

enum { MAX_NODES = 100000, MAX_LEVELS = 64, MAX_BYTES = 4 * 1024 * 1024 };

typedef struct {
  Node *node; /* NULL as long as the node is being read */
} Anchor;

typedef struct {
  yaml_parser_t yaml;
  const char *text;
  gsize length;
  const char *name;
  Diagnostics *diagnostics;
  GHashTable *anchors; /* name -> the Anchor that an alias means now */
  GPtrArray *made;     /* owns the Anchors: one name may be anchored again */
  GPtrArray *dropped;  /* owns nodes that are not in the tree, but may have an anchor in them */
  guint nodes;         /* made so far */
  gboolean broken;     /* an error ended the parse */
} Parser;

static void note(Parser *self, guint line, guint column, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static void note(Parser *self, guint line, guint column, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *message = g_strdup_vprintf(format, args);
  va_end(args);
  char *place = g_strdup_printf("%s:%u:%u", self->name, line, column);
  diagnostics_add(self->diagnostics, AB_CONFIG, place, "%s", message);
  g_free(place);
  g_free(message);
}

/* From 1, as editors count; libyaml counts from 0. */
static guint line_of(yaml_mark_t mark) {
  return (guint)mark.line + 1;
}

static guint column_of(yaml_mark_t mark) {
  return (guint)mark.column + 1;
}

/* Line and column of a byte, with the line breaks that libyaml knows. Everything before the byte
 * must be UTF-8.                                                                                */
static void locate(const Parser *self, gsize offset, guint *line, guint *column) {
  const char *end = self->text + offset;
  *line = *column = 1;
  for (const char *at = self->text; at < end; at = g_utf8_next_char(at)) {
    gunichar c = g_utf8_get_char(at);
    gboolean pair = c == '\r' && at + 1 < end && at[1] == '\n';
    if (!pair && (c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029)) {
      *line += 1;
      *column = 1;
    } else {
      *column += 1;
    }
  }
}

/* The way out of the commonest mistakes, which libyaml names by their effect only. */
static const char *hint(const Parser *self) {
  const yaml_parser_t *yaml = &self->yaml;
  if (strstr(yaml->problem, "mapping values are not allowed"))
    return "; check the indentation, or put quotes around a text with ': '";
  if (!strstr(yaml->problem, "cannot start any token")) return "";
  const char *at = self->text; /* marks count characters */
  for (gsize i = 0; i < yaml->problem_mark.index && *at; i++) at = g_utf8_next_char(at);
  return *at == '\t' ? "; indent with spaces, not tabs"
                     : "; put quotes around a text that begins so";
}

/* After check_utf8, what libyaml's reader still refuses is control characters. */
static void note_reader(Parser *self) {
  guint line, column;
  locate(self, MIN(self->yaml.problem_offset, self->length), &line, &column);
  note(self, line, column, "%s (U+%04X); take it out, or write it as an escape in double quotes",
       self->yaml.problem, (guint)self->yaml.problem_value);
}

static void note_syntax(Parser *self) {
  const yaml_parser_t *yaml = &self->yaml;
  if (yaml->error == YAML_MEMORY_ERROR || !yaml->problem) {
    diagnostics_add(self->diagnostics, AB_INTERNAL, self->name, "no memory to parse it");
    return;
  }
  if (yaml->error == YAML_READER_ERROR) {
    note_reader(self);
    return;
  }
  guint line = line_of(yaml->problem_mark), column = column_of(yaml->problem_mark);
  guint last_line, last_column;
  locate(self, self->length, &last_line, &last_column);
  if (line > last_line) { /* libyaml adds a line to a text without a final break */
    line = last_line;
    column = last_column;
  }
  GString *context = g_string_new(NULL);
  if (yaml->context) {
    g_string_append_printf(context, " %s", yaml->context);
    if (yaml->context_mark.index != yaml->problem_mark.index)
      g_string_append_printf(context, " (begun at line %u, column %u)", line_of(yaml->context_mark),
                             column_of(yaml->context_mark));
  }
  note(self, line, column, "%s%s%s", yaml->problem, context->str, hint(self));
  g_string_free(context, TRUE);
}

static gboolean next_event(Parser *self, yaml_event_t *event) {
  if (self->broken) return FALSE;
  if (yaml_parser_parse(&self->yaml, event)) return TRUE;
  note_syntax(self);
  self->broken = TRUE;
  return FALSE;
}

static Node *at_event(const Parser *self, Node *node, const yaml_event_t *event) {
  node->file = self->name;
  node->line = line_of(event->start_mark);
  node->column = column_of(event->start_mark);
  return node;
}

/* Accounts for `nodes` more nodes whose deepest lies on `level`; ends the parse at a limit. */
static gboolean spend(Parser *self, const yaml_event_t *event, guint nodes, guint level) {
  guint line = line_of(event->start_mark), column = column_of(event->start_mark);
  if (level > MAX_LEVELS) {
    note(self, line, column, "nested deeper than %d levels, aliases expanded", MAX_LEVELS);
    self->broken = TRUE;
  } else if (nodes > MAX_NODES - self->nodes) {
    note(self, line, column, "more than %s nodes, aliases expanded", MAX_NODES_TEXT);
    self->broken = TRUE;
  } else {
    self->nodes += nodes;
  }
  return !self->broken;
}

static void refuse_tag(Parser *self, const yaml_event_t *event, const yaml_char_t *tag) {
  if (!tag) return;
  const char *name = (const char *)tag;
  gboolean standard = g_str_has_prefix(name, YAML_TAG_PREFIX);
  char *full =
      g_strconcat(standard ? "!!" : "", standard ? name + strlen(YAML_TAG_PREFIX) : name, NULL);
  char *shown = node_show(full);
  note(self, line_of(event->start_mark), column_of(event->start_mark),
       "the tag %s has no meaning here; leave it out", shown);
  g_free(shown);
  g_free(full);
}

/* Opens an anchor; NULL if the node has none. */
static Anchor *open_anchor(Parser *self, const yaml_char_t *name) {
  if (!name) return NULL;
  Anchor *anchor = g_new0(Anchor, 1);
  g_ptr_array_add(self->made, anchor);
  g_hash_table_replace(self->anchors, g_strdup((const char *)name), anchor);
  return anchor;
}

/* Levels of a subtree; adds its nodes to `nodes`. */
static guint measure(const Node *self, guint *nodes) {
  guint deepest = 0;
  *nodes += 1 + (self->keys ? self->keys->len : 0);
  for (guint i = 0; self->items && i < self->items->len; i++) {
    guint height = measure(self->items->pdata[i], nodes); /* MAX would ask twice */
    deepest = MAX(deepest, height);
  }
  return deepest + 1;
}

/* The copy stands where the alias does, as an error of its use is to be put right there; what it
 * holds keeps the places of the original.                                                       */
static Node *parse_alias(Parser *self, const yaml_event_t *event, guint level) {
  const char *name = (const char *)event->data.alias.anchor;
  const Anchor *anchor = g_hash_table_lookup(self->anchors, name);
  if (!anchor || !anchor->node) {
    note(self, line_of(event->start_mark), column_of(event->start_mark),
         anchor ? "the alias '*%s' lies inside of its own anchor '&%s'; a tree cannot hold itself"
                : "the alias '*%s' has no anchor '&%s' above it",
         name, name);
    return spend(self, event, 1, level) ? at_event(self, node_scalar(""), event) : NULL;
  }
  guint nodes = 0;
  guint height = measure(anchor->node, &nodes);
  if (!spend(self, event, nodes, level + height - 1)) return NULL;
  return at_event(self, node_copy(anchor->node), event);
}

static Node *parse_scalar(Parser *self, const yaml_event_t *event, guint level) {
  if (!spend(self, event, 1, level)) return NULL;
  Anchor *anchor = open_anchor(self, event->data.scalar.anchor);
  refuse_tag(self, event, event->data.scalar.tag);
  const char *text = (const char *)event->data.scalar.value;
  if (strlen(text) != event->data.scalar.length)
    note(self, line_of(event->start_mark), column_of(event->start_mark),
         "a text cannot hold the character NUL (\\0)");
  Node *node = at_event(self, node_scalar(text), event);
  node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  if (anchor) anchor->node = node;
  return node;
}

static Node *parse_node(Parser *self, guint level);

static Node *parse_sequence(Parser *self, const yaml_event_t *event, guint level) {
  if (!spend(self, event, 1, level)) return NULL;
  Anchor *anchor = open_anchor(self, event->data.sequence_start.anchor);
  refuse_tag(self, event, event->data.sequence_start.tag);
  Node *node = at_event(self, node_sequence(), event);
  for (Node *item; (item = parse_node(self, level + 1));) node_append(node, item);
  if (self->broken) g_clear_pointer(&node, node_free);
  if (anchor) anchor->node = node;
  return node;
}

static void note_duplicate(Parser *self, const Node *key, const Node *first) {
  char *shown = node_show(key->text);
  if (first->line == key->line)
    note(self, key->line, key->column, "duplicate key %s: column %u of this line has it already",
         shown, first->column);
  else
    note(self, key->line, key->column, "duplicate key %s: line %u has it already", shown,
         first->line);
  g_free(shown);
}

/* Takes key and value. `seen` holds the keys of this mapping. */
static void add_pair(Parser *self, Node *mapping, GHashTable *seen, Node *key, Node *value) {
  const Node *first = NULL;
  if (key->kind != NODE_SCALAR) {
    note(self, key->line, key->column, "a key must be a text, not a %s; put quotes around it",
         key->kind == NODE_SEQUENCE ? "sequence" : "mapping");
  } else if ((first = g_hash_table_lookup(seen, key->text))) {
    note_duplicate(self, key, first);
  } else {
    g_hash_table_insert(seen, key->text, key);
    g_ptr_array_add(mapping->keys, key);
    g_ptr_array_add(mapping->items, value);
    return;
  }
  g_ptr_array_add(self->dropped, key);
  g_ptr_array_add(self->dropped, value);
}

static Node *parse_mapping(Parser *self, const yaml_event_t *event, guint level) {
  if (!spend(self, event, 1, level)) return NULL;
  Anchor *anchor = open_anchor(self, event->data.mapping_start.anchor);
  refuse_tag(self, event, event->data.mapping_start.tag);
  Node *node = at_event(self, node_mapping(), event);
  GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (Node *key; (key = parse_node(self, level + 1));) {
    Node *value = parse_node(self, level + 1);
    if (value)
      add_pair(self, node, seen, key, value);
    else
      node_free(key);
  }
  g_hash_table_unref(seen);
  if (self->broken) g_clear_pointer(&node, node_free);
  if (anchor) anchor->node = node;
  return node;
}

/* The next node; NULL at the end of the collection around it, and when the parse has ended. */
static Node *parse_node(Parser *self, guint level) {
  yaml_event_t event;
  if (!next_event(self, &event)) return NULL;
  Node *node = NULL;
  switch (event.type) {
  case YAML_ALIAS_EVENT: node = parse_alias(self, &event, level); break;
  case YAML_SCALAR_EVENT: node = parse_scalar(self, &event, level); break;
  case YAML_SEQUENCE_START_EVENT: node = parse_sequence(self, &event, level); break;
  case YAML_MAPPING_START_EVENT: node = parse_mapping(self, &event, level); break;
  default: break;
  }
  yaml_event_delete(&event);
  return node;
}

/* The next event, when only its type and place matter. */
static yaml_event_type_t skip_event(Parser *self, guint *line, guint *column) {
  yaml_event_t event;
  if (!next_event(self, &event)) return YAML_NO_EVENT;
  yaml_event_type_t type = event.type;
  *line = line_of(event.start_mark);
  *column = column_of(event.start_mark);
  yaml_event_delete(&event);
  return type;
}

static Node *parse_document(Parser *self) {
  guint line = 1, column = 1;
  skip_event(self, &line, &column); /* the stream's start */
  Node *root = NULL;
  if (skip_event(self, &line, &column) == YAML_DOCUMENT_START_EVENT) {
    root = parse_node(self, 1);
    skip_event(self, &line, &column); /* the document's end */
    if (skip_event(self, &line, &column) == YAML_DOCUMENT_START_EVENT)
      note(self, line, column, "a second document begins here; put it into a file of its own");
  }
  if (self->broken) {
    node_free(root);
    return NULL;
  }
  gboolean empty = !root || (root->kind == NODE_SCALAR && !root->quoted && !*root->text);
  if (!empty) return root;
  Node *mapping = node_mapping();
  mapping->file = self->name;
  mapping->line = root ? root->line : 1;
  mapping->column = root ? root->column : 1;
  node_free(root);
  return mapping;
}

/* FALSE and a message for what libyaml would take for another encoding or name by no place. */
static gboolean check_utf8(Parser *self) {
  const char *end;
  if (g_utf8_validate_len(self->text, self->length, &end)) return TRUE;
  guint line, column;
  locate(self, (gsize)(end - self->text), &line, &column);
  note(self, line, column, "the byte 0x%02X is no UTF-8 text; save the file as UTF-8",
       (guchar)*end);
  return FALSE;
}

Node *node_parse(const char *text, gsize length, const char *name, Diagnostics *diagnostics) {
  Parser self = {.text = length ? text : "", .length = length, .name = g_intern_string(name)};
  self.diagnostics = diagnostics;
  if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
    self.text += 3; /* a byte order mark is no column of the first line */
    self.length -= 3;
  }
  if (!check_utf8(&self)) return NULL;
  if (!yaml_parser_initialize(&self.yaml)) {
    note_syntax(&self);
    return NULL;
  }
  yaml_parser_set_encoding(&self.yaml, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&self.yaml, (const yaml_char_t *)self.text, self.length);
  self.anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  self.made = g_ptr_array_new_with_free_func(g_free);
  self.dropped = g_ptr_array_new_with_free_func((GDestroyNotify)node_free);
  Node *root = parse_document(&self);
  g_ptr_array_unref(self.dropped);
  g_ptr_array_unref(self.made);
  g_hash_table_unref(self.anchors);
  yaml_parser_delete(&self.yaml);
  return root;
}

/* At most MAX_BYTES + 1 bytes of a file, so that a device or pipe without end is refused too;
 * NULL with errno.                                                                              */
static GByteArray *read_file(const char *path) {
  FILE *file = fopen(path, "rbe");
  if (!file) return NULL;
  GByteArray *bytes = g_byte_array_new();
  guint8 block[16384];
  size_t got;
  while (bytes->len <= MAX_BYTES && (got = fread(block, 1, sizeof block, file)) > 0)
    g_byte_array_append(bytes, block, (guint)got);
  int failure = ferror(file) ? errno : 0;
  fclose(file);
  if (failure) g_clear_pointer(&bytes, g_byte_array_unref);
  errno = failure;
  return bytes;
}

Node *node_parse_file(const char *path, Diagnostics *diagnostics) {
  return node_parse_kept(path, NULL, diagnostics);
}

Node *node_parse_kept(const char *path, char **text, Diagnostics *diagnostics) {
  Node *root = NULL;
  GByteArray *bytes = read_file(path);
  if (!bytes)
    diagnostics_add(diagnostics, AB_NO_INPUT, path, "cannot be read: %s", g_strerror(errno));
  else if (bytes->len > MAX_BYTES)
    diagnostics_add(diagnostics, AB_DATA, path,
                    "larger than 4 MiB, which no manifest needs to be; is it the right file?");
  else
    root = node_parse((const char *)bytes->data, bytes->len, path, diagnostics);
  if (root && text) /* an empty file has no data, and an empty text */
    *text = bytes->len ? g_strndup((const char *)bytes->data, bytes->len) : g_strdup("");
  if (bytes) g_byte_array_unref(bytes);
  return root;
}
