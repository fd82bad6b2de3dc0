/* SPDX-License-Identifier: Apache-2.0
 *
 * A side of the comparison: side.h says what it is. */
#include "side.h"
#include <json-glib/json-glib.h>

struct Side {
  GSubprocess *process;
  GOutputStream *requests;
  GDataInputStream *answers;
};

/* The next line as an object; NULL at the end. */
static JsonNode *answer(Side *side) {
  g_autofree char *line = g_data_input_stream_read_line(side->answers, NULL, NULL, NULL);
  JsonNode *node = line ? json_from_string(line, NULL) : NULL;
  if (node && JSON_NODE_HOLDS_OBJECT(node)) return node;
  if (node) json_node_unref(node);
  return NULL;
}

/* Whether the next answer has that member, and its value. */
static bool number_in(Side *side, const char *member, double *value) {
  g_autoptr(JsonNode) node = answer(side);
  JsonObject *object = node ? json_node_get_object(node) : NULL;
  if (!object || !json_object_has_member(object, member)) return false;
  if (value) *value = json_object_get_double_member(object, member);
  return true;
}

Side *side_start(const char *const *arguments, const char *threads) {
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_subprocess_launcher_setenv(launcher, "OMP_NUM_THREADS", threads, TRUE);
  g_autoptr(GError) error = NULL;
  GSubprocess *process = g_subprocess_launcher_spawnv(launcher, arguments, &error);
  if (!process) {
    g_printerr("%s\n", error->message);
    return NULL;
  }
  Side *side = g_new0(Side, 1);
  side->process = process;
  side->requests = g_subprocess_get_stdin_pipe(process);
  side->answers = g_data_input_stream_new(g_subprocess_get_stdout_pipe(process));
  if (number_in(side, "ready", NULL)) return side;
  side_stop(side, NULL);
  return NULL;
}

bool side_time(Side *side, int steps, double *seconds) {
  g_autofree char *request = g_strdup_printf("time %d\n", steps);
  if (!g_output_stream_write_all(side->requests, request, strlen(request), NULL, NULL, NULL) ||
      !g_output_stream_flush(side->requests, NULL, NULL) || !number_in(side, "seconds", seconds))
    return false;
  *seconds /= steps;
  return true;
}

void side_stop(Side *side, double *memory) {
  if (!side) return;
  g_output_stream_close(side->requests, NULL, NULL);
  number_in(side, "peak_memory_mb", memory);
  g_subprocess_wait(side->process, NULL, NULL);
  g_object_unref(side->answers);
  g_object_unref(side->process);
  g_free(side);
}
