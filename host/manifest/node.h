/* SPDX-License-Identifier: Apache-2.0
 *
 * A YAML document as a tree that knows where each value stood (libyaml).
 * Nothing is typed here: a scalar keeps its text, and is read by the type that its parameter
 * declares (so `lr: 1e-4` is a number and `name: no` is a text).                                */
#ifndef HOST_MANIFEST_NODE_H
#define HOST_MANIFEST_NODE_H

#include "../error.h"

typedef enum { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING } NodeKind;

typedef struct Node Node;
struct Node {
  NodeKind kind;
  char *text;         /* scalar: its text, else NULL                                    */
  gboolean quoted;    /* scalar: written with quotes or as a block                      */
  GPtrArray *keys;    /* mapping: scalar nodes, in the order of the file; else NULL     */
  GPtrArray *items;   /* sequence: its items; mapping: the values, parallel to keys     */
  const char *file;   /* interned name for messages: a path, or "--set"                 */
  guint line, column; /* of the first character, from 1                                */
};

/* Parses one document. `name` is what messages call it. Errors (bad YAML, duplicate keys, several
 * documents, keys that are no scalars, tags, bytes that are no UTF-8, more than 100,000 nodes
 * (keys and values) or 64 levels after aliases are expanded) go to `diagnostics` as AB_CONFIG with
 * their place. NULL is returned after a syntax error, foreign bytes or a limit; after milder ones a
 * usable tree: the first of duplicate keys, the first document, values without their tags, an
 * empty scalar for an alias without a meaning. An empty document is an empty mapping. A merge key
 * (<<) is a key like any other. A value given by an alias stands where the alias does, its parts
 * where the anchor has them.                                                                    */
Node *node_parse(const char *text, gsize length, const char *name, Diagnostics *diagnostics);
/* The same from a file; a file that cannot be read is noted as AB_NO_INPUT, one that is larger
 * than 4 MiB as AB_DATA.                                                                        */
Node *node_parse_file(const char *path, Diagnostics *diagnostics);
/* The same, and the text that was read in *text (free with g_free), as a pipe is read only once. */
Node *node_parse_kept(const char *path, char **text, Diagnostics *diagnostics);

/* Built nodes have no place and are not `quoted`. Texts are UTF-8. */
Node *node_scalar(const char *text);
Node *node_scalar_printf(const char *format, ...) G_GNUC_PRINTF(1, 2);
Node *node_sequence(void);
Node *node_mapping(void);
Node *node_copy(const Node *self);
void node_free(Node *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Node, node_free)

/* The value of a key, NULL if absent or if `self` is no mapping. Borrowed. */
Node *node_get(const Node *self, const char *key);
/* The key's own node (for its place), NULL if absent. Borrowed. */
Node *node_get_key(const Node *self, const char *key);
/* Sets or replaces; takes `value`, whose place a new key gets. `self` must be a mapping. */
void node_put(Node *self, const char *key, Node *value);
gboolean node_remove(Node *self, const char *key);
void node_append(Node *self, Node *value); /* `self` must be a sequence; takes `value` */

/* Applies one `key.path=value` of the command line: the value is YAML in flow style, path elements
 * are keys or indices of a sequence; mappings on the way are made where they are absent. Values
 * that it sets have the place "--set key.path". An index equal to the length appends; "key.path="
 * sets an empty text. An error is noted, as AB_USAGE where the argument is no assignment and as
 * AB_CONFIG where it does not fit the tree or its value is bad, and leaves the tree as it was.  */
void node_set_path(Node *self, const char *assignment, Diagnostics *diagnostics);

/* "file:line:column", "file" when line is 0, NULL when the node has no file; free with g_free. */
char *node_place(const Node *self);
/* A text as messages show it: 'in quotes', on one line, cut after 60 characters; free with g_free.
 * Any bytes will do.                                                                            */
char *node_show(const char *text);

/* Typed readers: TRUE and the value, or FALSE and a message ("'12x' is no integer") in *why, to be
 * freed (`why` may be NULL). An integer may be written 1000, 1_000 or 1e3; no octal, no
 * hexadecimal, and no leading 0, which could mean either; overflow is an error. A real may be inf,
 * -inf or nan (.inf, -.inf, .nan) only where `finite` is FALSE; one too small for any but 0 is an
 * error too. A boolean is true or false. Quotes make no difference: the type decides.           */
gboolean node_read_int(const Node *self, gint64 *value, char **why);
gboolean node_read_real(const Node *self, gboolean finite, double *value, char **why);
gboolean node_read_bool(const Node *self, gboolean *value, char **why);

/* The tree as YAML text (block style, short sequences of scalars in flow style, texts quoted where
 * they are `quoted` or could not stand plain); free with g_free. Parsing it gives an equal tree.
 * Bytes that are no UTF-8 become U+FFFD.                                                        */
char *node_emit(const Node *self);

#endif
