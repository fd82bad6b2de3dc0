/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost evaluate RUN|CHECKPOINT: the metrics of saved weights on the splits of their data. */
#include "../run/record.h"
#include "session.h"

static int show(const GPtrArray *results, const RunState *state, const Assembly *assembly,
                const char *file, gboolean json) {
  const char *model = assembly->model->component->name;
  g_autofree char *text = NULL;
  if (json) {
    text = record_run(state, results, file, model);
  } else {
    g_autofree char *table = results_table(results);
    text = g_strdup_printf("%s\nmodel  %s, after %" G_GINT64_FORMAT " epochs, %" G_GINT64_FORMAT
                           " steps\nfile   %s\n",
                           table, model, state->epoch, state->step, file);
  }
  return command_output(text);
}

static int work(const char *path, const CommandOptions *common, char **sets) {
  GError *error = NULL;
  g_autofree char *file = run_folder_find_tested(path, &error);
  g_autoptr(Registry) registry =
      file ? registry_new((const char *const *)common->folders, &error) : NULL;
  g_autoptr(Checkpoint) checkpoint = registry ? checkpoint_open(file, &error) : NULL;
  if (!checkpoint) return command_fail(error);
  g_autoptr(Assembly) assembly =
      session_reassemble(registry, checkpoint, file, (const char *const *)sets, &error);
  g_autoptr(RunState) state = run_state_new();
  g_autoptr(GPtrArray) results = results_new();
  if (!assembly || !session_restore(checkpoint, assembly, state, &error))
    return command_fail(error);
  if (!evaluate_split(assembly, AB_VALIDATION, results, &error) ||
      !evaluate_split(assembly, AB_TEST, results, &error))
    return command_fail(error);
  if (results->len == 0) {
    command_note(
        "there is nothing to evaluate: the data has neither a validation nor a test split");
    return AB_CONFIG;
  }
  return show(results, state, assembly, file, common->json);
}

static int run(int argc, char **argv) {
  char **sets = NULL;
  const GOptionEntry own[] = {{"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &sets,
                               "Change a value of the manifest, such as data.folder",
                               "KEY.PATH=VALUE"},
                              {0}};
  const CommandLine line = {.command = &command_evaluate,
                            .arguments = "RUN|CHECKPOINT",
                            .description = "Of a run folder, the checkpoint that the run is tested "
                                           "with: best.h5 if it is there, else last.h5.",
                            .own = own,
                            .plugins = TRUE,
                            .json = TRUE,
                            .min_count = 1,
                            .max_count = 1};
  CommandOptions common;
  int status;
  if (command_parse(&line, argc, argv, &common, &status)) {
    status = work(common.arguments[0], &common, sets);
    command_clear(&common);
  }
  g_strfreev(sets);
  return status;
}

const Command command_evaluate = {"evaluate", "Compute the metrics of a checkpoint.", run, true};
