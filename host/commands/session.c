/* SPDX-License-Identifier: Apache-2.0
 *
 * From options to a run. */
#include "session.h"

#include "../manifest/manifest.h"
#include "../report/report.h"
#include "../run/record.h"
#include "../run/result.h"
#include <stdio.h>

void session_options_clear(SessionOptions *self) {
  g_strfreev(self->sets);
  g_free(self->candidate);
  g_free(self->output);
}

/* --seed and --epochs are assignments like others, after them. */
static GPtrArray *assignments(const SessionOptions *options) {
  GPtrArray *sets = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; options->sets && options->sets[i]; i++)
    g_ptr_array_add(sets, g_strdup(options->sets[i]));
  if (options->seed >= 0)
    g_ptr_array_add(sets, g_strdup_printf("seed=%" G_GINT64_FORMAT, options->seed));
  if (options->epochs >= 0)
    g_ptr_array_add(sets, g_strdup_printf("epochs=%" G_GINT64_FORMAT, options->epochs));
  g_ptr_array_add(sets, NULL);
  return sets;
}

static Assembly *assemble(const Registry *registry, Node *root, gboolean dry,
                          Diagnostics *diagnostics, GError **error) {
  if (!root) {
    diagnostics_check(diagnostics, error);
    return NULL;
  }
  if (!command_installed(registry, error)) return NULL;
  return assembly_new(registry, root, dry, diagnostics, error);
}

Assembly *session_assemble(const Registry *registry, const char *path,
                           const SessionOptions *options, gboolean dry, char **manifest,
                           GError **error) {
  Diagnostics *diagnostics = diagnostics_new();
  GPtrArray *sets = assignments(options);
  ManifestRequest request = {path, options->candidate, (const char *const *)sets->pdata, manifest,
                             options->text};
  g_autoptr(Node) root = manifest_read(&request, diagnostics);
  Assembly *assembly = assemble(registry, root, dry, diagnostics, error);
  g_ptr_array_unref(sets);
  diagnostics_free(diagnostics);
  return assembly;
}

Assembly *session_reassemble(const Registry *registry, const Checkpoint *checkpoint,
                             const char *path, const char *const *sets, GError **error) {
  Diagnostics *diagnostics = diagnostics_new();
  char *name = g_strdup_printf("%s:/resolved", path);
  const char *interned = g_intern_string(name); /* nodes keep the name of their file */
  g_autoptr(Node) root = manifest_parse(checkpoint->resolved, interned, sets, diagnostics);
  Assembly *assembly = assemble(registry, root, FALSE, diagnostics, error);
  g_free(name);
  diagnostics_free(diagnostics);
  return assembly;
}

gboolean session_restore(const Checkpoint *checkpoint, Assembly *assembly, RunState *state,
                         GError **error) {
  /* the data comes last: a fault of the checkpoint is found before it is read */
  return assembly_build(assembly, error) &&
         checkpoint_statistics(checkpoint, assembly->feed, error) &&
         checkpoint_weights(checkpoint, assembly, error) &&
         checkpoint_progress(checkpoint, assembly, state, error) && assembly_load(assembly, error);
}

void session_notes(const Assembly *assembly, RunFolder *folder, gboolean quiet) {
  if (!assembly->own_objective || !assembly->loss) return;
  char *note = g_strdup_printf("model %s has an objective of its own; loss %s is not used",
                               assembly->model->component->name, assembly->loss->component->name);
  if (folder) run_folder_log(folder, "%s", note);
  if (!quiet) command_note("%s", note);
  g_free(note);
}

static int show(const Run *run, gboolean json) {
  const char *model = run->assembly->model->component->name;
  char *text;
  if (json) {
    text = record_run(run->state, run->results, run->folder->path, model);
  } else {
    char *table = results_table(run->results);
    text = g_strdup_printf("%s\nmodel  %s, %" G_GINT64_FORMAT " epochs, %" G_GINT64_FORMAT
                           " steps, %.1f s\nrun    %s\n",
                           table, model, run->state->epoch, run->state->step, run->state->seconds,
                           run->folder->path);
    g_free(table);
  }
  int status = command_output(text);
  g_free(text);
  return status;
}

/* What ended the run is worth more than that this cannot be written, on a full disk. */
static void record_failure(const Run *run, const GError *cause) {
  g_autoptr(GError) error = NULL;
  if (!result_write(run, cause, &error)) run_folder_log(run->folder, "%s", error->message);
}

static int fail(const Run *run, GError *error) {
  g_autofree char *last = g_build_filename(run->folder->checkpoints, "last.h5", NULL);
  run_folder_log(run->folder, "%s", error->message);
  int status = command_fail(error);
  if (status != AB_STOPPED && g_file_test(last, G_FILE_TEST_EXISTS))
    command_note("the last checkpoint is %s", last);
  return status;
}

int session_train(Run *run, gboolean json, gboolean quiet) {
  GError *error = NULL;
  progress_start(&run->progress, quiet, run->state->step);
  gboolean done = run_train(run, &error);
  progress_end(&run->progress);
  if (!done && error->code != AB_STOPPED) record_failure(run, error);
  if (!done || !result_write(run, NULL, &error) || !report_run(run->folder->path, NULL, &error))
    return fail(run, error);
  run_folder_log(run->folder, "finished after %" G_GINT64_FORMAT " epochs", run->state->epoch);
  return show(run, json);
}
