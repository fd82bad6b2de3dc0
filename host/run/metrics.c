/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading metrics.jsonl. */
#include "metrics.h"

#include "../files.h"
#include "../jsonin.h"

enum { MAX_LINE = 1 << 20 };

typedef struct {
  gint64 lines, first; /* how many; number of the first */
  char *reason;        /* of the first; NULL: there is none */
} Damage;

static void note(Damage *self, gint64 number, const char *reason) {
  if (self->lines++ > 0) return;
  self->first = number;
  self->reason = g_strdup(reason);
}

static void read_lines(FILE *file, MetricsTake take, gpointer data, Damage *damage) {
  g_autoptr(GString) line = g_string_new(NULL);
  FilesLine kind;
  for (gint64 number = 1; (kind = files_line(file, line, MAX_LINE)) != FILES_END; number++) {
    g_autoptr(GError) error = NULL;
    if (kind == FILES_WHOLE && line->len == 0) continue;
    g_autoptr(JsonNode) node =
        kind == FILES_LONG ? NULL : jsonin_object("it", line->str, (gssize)line->len, &error);
    if (node)
      take(node, data);
    else if (kind != FILES_BROKEN)
      note(damage, number, error ? error->message : "the line is longer than 1 MiB");
  }
}

gboolean metrics_read(const char *folder, MetricsTake take, gpointer data, GError **error) {
  Damage damage = {0};
  FILE *file = files_open_lines(folder, "metrics.jsonl", error);
  if (!file) return FALSE;
  read_lines(file, take, data, &damage);
  gboolean whole = !ferror(file);
  fclose(file);
  if (!whole)
    host_fail(error, AB_IO, "metrics.jsonl cannot be read to its end");
  else if (damage.lines)
    host_fail(error, AB_DATA,
              "metrics.jsonl, line %" G_GINT64_FORMAT ": %s (damaged lines: %" G_GINT64_FORMAT ")",
              damage.first, damage.reason, damage.lines);
  g_free(damage.reason);
  return whole && !damage.lines;
}

static void take_epoch(JsonNode *line, gpointer epochs) {
  if (g_strcmp0(jsonin_text(json_node_get_object(line), "event"), "epoch") == 0)
    g_ptr_array_add(epochs, json_node_ref(line));
}

GPtrArray *metrics_epochs(const char *folder, GError **error) {
  GPtrArray *epochs = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
  GError *cause = NULL;
  if (!metrics_read(folder, take_epoch, epochs, &cause) && cause->code != AB_NO_INPUT)
    g_propagate_error(error, cause);
  else
    g_clear_error(&cause);
  return epochs;
}
