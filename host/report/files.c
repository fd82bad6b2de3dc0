/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a folder. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_JSON  (G_GINT64_CONSTANT(64) << 20)
#define MAX_DEPTH 64 /* json-glib 1.6 goes as deep as the text does, on the stack */

FILE *files_open(const char *folder, const char *name, GError **error) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  struct stat status;
  /* without O_NONBLOCK a pipe would wait for somebody to write */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  int code = fd < 0 || fstat(fd, &status) != 0 ? errno : 0;
  FILE *file = NULL;
  if (code == 0 && !S_ISREG(status.st_mode))
    host_fail(error, AB_DATA, "%s is no ordinary file", path);
  else if (code == 0 && !(file = fdopen(fd, "r")))
    code = errno;
  if (code && code != ENOENT && code != ENOTDIR)
    host_fail(error, AB_IO, "%s cannot be read: %s", path, g_strerror(code));
  if (!file && fd >= 0) close(fd);
  return file;
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* Up to `limit` bytes from where the file stands. */
static GString *read_bytes(FILE *file, gsize limit) {
  GString *text = g_string_new(NULL);
  char block[8192];
  gsize got = 1;
  while (text->len < limit && got > 0) {
    got = fread(block, 1, MIN(sizeof block, limit - text->len), file);
    g_string_append_len(text, block, (gssize)got);
  }
  return text;
}

/* A text that was cut ends, or begins, in the midst of a line. */
static void drop_broken_line(GString *text, FilesEnd end) {
  char *line = end == FILES_HEAD ? strrchr(text->str, '\n') : strchr(text->str, '\n');
  if (!line) return;
  if (end == FILES_HEAD)
    g_string_truncate(text, (gsize)(line + 1 - text->str));
  else
    g_string_erase(text, 0, line + 1 - text->str);
}

char *files_text(const char *folder, const char *name, gsize limit, FilesEnd end, gboolean *cut,
                 GError **error) {
  FILE *file = files_open(folder, name, error);
  if (!file) return NULL;
  struct stat status = {0};
  *cut = fstat(fileno(file), &status) == 0 && status.st_size > (goffset)limit;
  if (*cut && end == FILES_TAIL && fseeko(file, -(off_t)limit, SEEK_END) != 0) rewind(file);
  GString *text = read_bytes(file, limit);
  gboolean failed = ferror(file) != 0;
  fclose(file);
  if (*cut) drop_broken_line(text, end);
  char *valid = failed ? NULL : g_utf8_make_valid(text->str, (gssize)text->len);
  g_string_free(text, TRUE);
  if (failed) host_fail(error, AB_IO, "%s/%s cannot be read", folder, name);
  return valid;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static int depth_of(const char *text) {
  int depth = 0, deepest = 0;
  gboolean quoted = FALSE;
  for (const char *at = text; *at; at++) {
    if (*at == '"') quoted = !quoted;
    if (quoted && *at == '\\' && at[1]) at++;
    if (quoted) continue;
    if (*at == '[' || *at == '{') depth++;
    if (*at == ']' || *at == '}') depth--;
    deepest = MAX(deepest, depth);
  }
  return deepest;
}

JsonNode *files_parse(const char *text, const char *what, GError **error) {
  GError *cause = NULL;
  JsonNode *node = NULL;
  if (depth_of(text) > MAX_DEPTH)
    host_fail(error, AB_DATA, "%s is damaged: it is nested too deeply", what);
  else if (!(node = json_from_string(text, &cause)))
    host_fail(error, AB_DATA, "%s is damaged: %s", what, cause ? cause->message : "it is empty");
  else if (!JSON_NODE_HOLDS_OBJECT(node))
    host_fail(error, AB_DATA, "%s is damaged: it is no JSON object", what);
  g_clear_error(&cause);
  if (node && JSON_NODE_HOLDS_OBJECT(node)) return node;
  g_clear_pointer(&node, json_node_unref);
  return NULL;
}

JsonNode *files_json(const char *folder, const char *name, GError **error) {
  gboolean cut = FALSE;
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_autofree char *text = files_text(folder, name, MAX_JSON, FILES_HEAD, &cut, error);
  if (!text) return NULL;
  if (!cut) return files_parse(text, path, error);
  host_fail(error, AB_DATA, "%s is larger than 64 MiB", path);
  return NULL;
}

JsonNode *files_member(JsonNode *object, const char *name) {
  if (!object || !JSON_NODE_HOLDS_OBJECT(object)) return NULL;
  return json_object_get_member(json_node_get_object(object), name);
}

const char *files_member_text(JsonNode *object, const char *name) {
  JsonNode *node = files_member(object, name);
  gboolean is =
      node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
  return is ? json_node_get_string(node) : NULL;
}

JsonArray *files_member_array(JsonNode *object, const char *name) {
  JsonNode *node = files_member(object, name);
  return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

double files_member_real(JsonNode *object, const char *name) {
  JsonNode *node = files_member(object, name);
  if (!node || !JSON_NODE_HOLDS_VALUE(node)) return NAN;
  GType type = json_node_get_value_type(node);
  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double(node) : NAN;
}
