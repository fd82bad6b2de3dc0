/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run folder says of its run. Nothing of it is believed to be well-formed. */
#include "compare-internal.h"

#include "../files.h"
#include "../jsonin.h"
#include "../manifest/node.h"
#include "../run/folder.h"
#include "../run/metrics.h"
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { TAIL_BYTES = 16384, MAX_RESULT = 1 << 20 };

/* Members of an object that are numbers, as results of a split. */
static void take_split(GPtrArray *results, JsonObject *object, const char *split) {
  JsonObject *values = jsonin_inner(object, split);
  g_autoptr(GList) names = values ? json_object_get_members(values) : NULL;
  for (GList *at = names; at; at = at->next)
    results_add(results, split, at->data, jsonin_real(values, at->data));
}

static void take_splits(GPtrArray *results, JsonObject *object) {
  g_ptr_array_set_size(results, 0);
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    take_split(results, object, ab_split_name(split));
}

/* ---- metrics.jsonl --------------------------------------------------------------------------- */

/* What the last epoch says stands for the run until it has ended. */
static void take_epochs(Trial *trial) {
  g_autoptr(GPtrArray) lines = metrics_epochs(trial->folder, NULL);
  for (guint i = 0; i < lines->len; i++) {
    JsonObject *object = json_node_get_object(lines->pdata[i]);
    const char *hash = jsonin_text(object, "batches");
    g_ptr_array_add(trial->orders, g_strdup(hash ? hash : ""));
  }
  if (lines->len == 0) return;
  JsonObject *last = json_node_get_object(lines->pdata[lines->len - 1]);
  trial->recorded = trial->epochs = jsonin_int(last, "epoch", -1);
  trial->steps = jsonin_int(last, "step", -1);
  trial->seconds = jsonin_real(last, "seconds");
  take_splits(trial->results, last);
}

double state_validation(const Trial *trial, gint64 epoch, const char *metric) {
  g_autoptr(GPtrArray) lines = metrics_epochs(trial->folder, NULL);
  double value = NAN;
  for (guint i = 0; i < lines->len; i++) {
    JsonObject *object = json_node_get_object(lines->pdata[i]);
    JsonObject *split = jsonin_inner(object, "validation");
    if (split && jsonin_int(object, "epoch", -1) <= epoch) value = jsonin_real(split, metric);
  }
  return value;
}

gint64 state_epoch(const Trial *trial) {
  g_autofree char *path = g_build_filename(trial->folder, "metrics.jsonl", NULL);
  char tail[TAIL_BYTES + 1];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  off_t size = lseek(fd, 0, SEEK_END);
  gssize got = pread(fd, tail, TAIL_BYTES, MAX(size - TAIL_BYTES, 0));
  close(fd);
  tail[MAX(got, 0)] = 0;
  gint64 epoch = 0;
  static const char key[] = "\"epoch\":";
  for (const char *at = tail; (at = strstr(at, key)); at++) {
    gint64 found = g_ascii_strtoll(at + strlen(key), NULL, 10); /* 0 for "epoch","step" */
    epoch = MAX(epoch, found);
  }
  return epoch;
}

/* ---- result.json ----------------------------------------------------------------------------- */

static TrialStatus status_of(const char *name) {
  for (TrialStatus status = TRIAL_DONE; status <= TRIAL_FAILED; status++)
    if (g_strcmp0(name, trial_status_name(status)) == 0) return status;
  return TRIAL_FAILED;
}

static void take_result(Trial *trial, JsonObject *object) {
  JsonObject *results = jsonin_inner(object, "results");
  trial->status = status_of(jsonin_text(object, "status"));
  g_free(trial->reason);
  trial->reason = g_strdup(jsonin_text(object, "reason"));
  trial->epochs = jsonin_int(object, "epochs", -1);
  trial->steps = jsonin_int(object, "steps", -1);
  trial->seconds = jsonin_real(object, "seconds");
  trial->cpu = jsonin_real(object, "cpu_seconds");
  trial->peak = jsonin_int(object, "peak_memory_bytes", -1);
  trial->batches = g_strdup(jsonin_text(object, "batches"));
  trial->stopped_by = g_strdup(jsonin_text(object, "stopped_by"));
  if (trial->status == TRIAL_DONE && results) take_splits(trial->results, results);
}

static void clear(Trial *trial) {
  trial->status = TRIAL_WAITING;
  g_clear_pointer(&trial->reason, g_free);
  g_clear_pointer(&trial->batches, g_free);
  g_clear_pointer(&trial->stopped_by, g_free);
  g_ptr_array_set_size(trial->results, 0);
  g_ptr_array_set_size(trial->orders, 0);
  trial->recorded = 0;
  trial->epochs = trial->steps = trial->peak = -1;
  trial->seconds = trial->cpu = NAN;
}

void state_read(Trial *trial) {
  g_autofree char *checkpoint = run_folder_find_checkpoint(trial->folder, NULL);
  clear(trial);
  trial->exists = g_file_test(trial->folder, G_FILE_TEST_EXISTS);
  trial->resumable = trial->exists && checkpoint != NULL;
  take_epochs(trial);
  g_autoptr(JsonNode) result = files_read_object(trial->folder, "result.json", MAX_RESULT, NULL);
  if (result)
    take_result(trial, json_node_get_object(result));
  else if (trial->resumable)
    trial->status = TRIAL_STOPPED;
}

NextStep state_next(const Trial *trial, gint64 until) {
  if (trial->status == TRIAL_DONE || trial->status == TRIAL_DIVERGED) return STEP_NOTHING;
  if (!trial->resumable) return STEP_BEGIN;
  gboolean there = until > 0 && trial->recorded >= until;
  return trial->status == TRIAL_STOPPED && there ? STEP_NOTHING : STEP_RESUME;
}

/* ---- is it that run? ------------------------------------------------------------------------- */

/* A resolved manifest with seed 0, in the form that the dry run gives it; NULL after a mistake. */
static char *without_seed(const char *text, const char *path) {
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(Node) root = node_parse(text, strlen(text), g_intern_string(path), diagnostics);
  gboolean sound = root && diagnostics_check(diagnostics, NULL) && root->kind == NODE_MAPPING;
  diagnostics_free(diagnostics);
  if (!sound) return NULL;
  node_put(root, "seed", node_scalar("0"));
  return node_emit(root);
}

/* The first line of `left` that differs from that of `right`. */
static char *first_difference(const char *left, const char *right) {
  g_auto(GStrv) a = g_strsplit(left, "\n", -1);
  g_auto(GStrv) b = g_strsplit(right, "\n", -1);
  guint i = 0;
  while (a[i] && b[i] && strcmp(a[i], b[i]) == 0) i++;
  return g_strdup_printf("'%s' there, '%s' now", a[i] ? g_strstrip(a[i]) : "",
                         b[i] ? g_strstrip(b[i]) : "");
}

gboolean state_check(const Trial *trial, GError **error) {
  g_autofree char *path = g_build_filename(trial->folder, "resolved.yaml", NULL);
  g_autofree char *text = NULL;
  if (!trial->candidate->resolved || !g_file_get_contents(path, &text, NULL, NULL)) return TRUE;
  g_autofree char *there = without_seed(text, path);
  if (there && strcmp(there, trial->candidate->resolved) == 0) return TRUE;
  g_autofree char *what =
      there ? first_difference(there, trial->candidate->resolved) : g_strdup("it cannot be read");
  return host_fail(error, AB_CONFIG,
                   "%s is not what candidate %s is now: %s; another default, or another place of "
                   "the data?\ntake that folder away, or name another with --output",
                   path, trial->candidate->name, what);
}
