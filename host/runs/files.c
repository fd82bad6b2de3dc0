/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading small files. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_NESTING = 64 }; /* json-glib reads nested values by recursion, without a limit */

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Of a plain file; a pipe would make us wait. */
int files_open(const char *folder, const char *name, gint64 *size, GError **error) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  struct stat info;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &info) != 0) {
    host_fail(error, errno == ENOENT ? AB_NO_INPUT : AB_IO, "%s cannot be read: %s", name,
              g_strerror(errno));
  } else if (!S_ISREG(info.st_mode)) {
    host_fail(error, AB_DATA, "%s is no plain file", name);
  } else {
    *size = info.st_size;
    return fd;
  }
  if (fd >= 0) close(fd);
  return -1;
}

/* Up to `size` bytes from `offset` on: fewer, where the file was cut meanwhile. */
static char *read_bytes(int fd, const char *name, gint64 offset, gsize size, gsize *length,
                        GError **error) {
  char *text = g_try_malloc(size + 1);
  *length = 0;
  for (ssize_t got = 1; text && *length < size && got > 0; *length += (gsize)MAX(got, 0)) {
    got = pread(fd, text + *length, size - *length, offset + (gint64)*length);
    if (got < 0) {
      host_fail(error, AB_IO, "%s cannot be read: %s", name, g_strerror(errno));
      g_free(text);
      return NULL;
    }
  }
  if (text)
    text[*length] = '\0';
  else
    host_fail(error, AB_DATA, "%s does not fit into memory", name);
  return text;
}

char *files_read(const char *folder, const char *name, gsize limit, gsize *length, GError **error) {
  gint64 size = 0;
  int fd = files_open(folder, name, &size, error);
  if (fd < 0) return NULL;
  char *text = NULL;
  if ((guint64)size <= limit)
    text = read_bytes(fd, name, 0, (gsize)size, length, error);
  else
    host_fail(error, AB_DATA, "%s has %" G_GINT64_FORMAT " bytes, which is too much", name, size);
  close(fd);
  return text;
}

char *files_read_end(const char *folder, const char *name, gsize limit, gsize *length,
                     GError **error) {
  gint64 size = 0;
  int fd = files_open(folder, name, &size, error);
  if (fd < 0) return NULL;
  gboolean whole = (guint64)size <= limit;
  gint64 offset = whole ? 0 : size - (gint64)limit;
  char *text = read_bytes(fd, name, offset, (gsize)(size - offset), length, error);
  close(fd);
  if (!text || whole) return text;
  const char *line = memchr(text, '\n', *length); /* what stands before is a part of a line */
  gsize skip = line ? (gsize)(line + 1 - text) : *length;
  *length -= skip;
  memmove(text, text + skip, *length + 1);
  return text;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static gboolean nested_too_deeply(const char *text, gsize length) {
  guint depth = 0;
  gboolean quoted = FALSE;
  for (gsize i = 0; i < length; i++) {
    if (quoted && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text[i] == '[' || text[i] == '{') && ++depth > MAX_NESTING)
      return TRUE;
    else if (!quoted && (text[i] == ']' || text[i] == '}') && depth > 0)
      depth--;
  }
  return FALSE;
}

JsonNode *files_object(const char *name, const char *text, gssize length, GError **error) {
  gsize size = length < 0 ? strlen(text) : (gsize)length;
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) cause = NULL;
  if (nested_too_deeply(text, size)) {
    host_fail(error, AB_DATA, "%s is nested too deeply", name);
    return NULL;
  }
  if (!g_utf8_validate(text, (gssize)size, NULL)) {
    host_fail(error, AB_DATA, "%s is no JSON: it is no UTF-8", name);
    return NULL;
  }
  if (!json_parser_load_from_data(parser, text, (gssize)size, &cause)) {
    host_fail(error, AB_DATA, "%s is no JSON: %s", name, cause->message);
    return NULL;
  }
  JsonNode *root = json_parser_steal_root(parser);
  if (root && JSON_NODE_HOLDS_OBJECT(root)) return root;
  if (root) json_node_unref(root);
  host_fail(error, AB_DATA, "%s is no object of JSON", name);
  return NULL;
}

const char *files_json_text(JsonObject *object, const char *key) {
  JsonNode *node = json_object_get_member(object, key);
  gboolean text =
      node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
  return text ? json_node_get_string(node) : NULL;
}

gboolean files_json_number(JsonObject *object, const char *key, double *value) {
  JsonNode *node = json_object_get_member(object, key);
  if (!node || !JSON_NODE_HOLDS_VALUE(node)) return FALSE;
  GType type = json_node_get_value_type(node);
  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE) return FALSE;
  *value = json_node_get_double(node);
  return TRUE;
}

JsonObject *files_json_object(JsonObject *object, const char *key) {
  JsonNode *node = json_object_get_member(object, key);
  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}
