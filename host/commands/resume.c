/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost resume RUN: goes on where the last checkpoint of a run is. */
#include "../run/signals.h"
#include "session.h"

typedef struct {
  char **sets;
  gint64 epochs; /* -1: not given */
  gint64 until;  /* G_MAXINT64: not given */
  gboolean quiet;
} ResumeOptions;

/* Where the files of the data are, at whatever depth: "data.of.folder=there". */
static gboolean is_place(const char *set) {
  g_autofree char *key = g_strndup(set, strcspn(set, "="));
  return g_str_has_prefix(key, "data.") &&
         (g_str_has_suffix(key, ".folder") || g_str_has_suffix(key, ".file"));
}

/* Values that may change without the run becoming another. */
static gboolean allowed(const char *const *sets, GError **error) {
  for (guint i = 0; sets && sets[i]; i++) {
    if (g_str_has_prefix(sets[i], "epochs=") || is_place(sets[i]) ||
        g_str_has_prefix(sets[i], "checkpoint."))
      continue;
    g_set_error(error, HOST_ERROR, AB_USAGE,
                "resume: '%s' would make it another run; only epochs, data.folder, data.file and "
                "checkpoint.* can change (init.from starts a new run from these weights)",
                sets[i]);
    return FALSE;
  }
  return TRUE;
}

static void note_differences(const Checkpoint *checkpoint, const Assembly *assembly,
                             RunFolder *folder, gboolean quiet) {
  g_autofree char *differences = checkpoint_differences(checkpoint, assembly);
  gint64 threads = 0;
  if (*differences) {
    g_strchomp(differences);
    run_folder_log(folder, "%s", differences);
    if (!quiet) command_note("%s", differences);
  }
  if (store_read_attr_int(checkpoint->file, "/", "threads", &threads, NULL) &&
      threads != ab_threads() && !quiet)
    command_note("the run had %d threads and now has %d; its last digits may differ", (int)threads,
                 ab_threads());
}

static int work(const char *path, const CommandOptions *common, const ResumeOptions *options) {
  GError *error = NULL;
  g_autoptr(GPtrArray) sets = g_ptr_array_new();
  g_autofree char *epochs = g_strdup_printf("epochs=%" G_GINT64_FORMAT, options->epochs);
  for (guint i = 0; options->sets && options->sets[i]; i++) g_ptr_array_add(sets, options->sets[i]);
  if (options->epochs >= 0) g_ptr_array_add(sets, epochs);
  g_ptr_array_add(sets, NULL);
  const char *const *assignments = (const char *const *)sets->pdata;
  if (!allowed(assignments, &error)) return command_fail(error);
  if (!g_file_test(path, G_FILE_TEST_IS_DIR))
    return command_fail(g_error_new(HOST_ERROR, AB_NO_INPUT, "%s is no run folder", path));

  g_autofree char *file = run_folder_find_checkpoint(path, &error);
  g_autoptr(RunFolder) folder = file ? run_folder_open(path, &error) : NULL;
  g_autoptr(Registry) registry =
      folder ? registry_new((const char *const *)common->folders, &error) : NULL;
  g_autoptr(Checkpoint) checkpoint = registry ? checkpoint_open(file, &error) : NULL;
  if (!checkpoint) return command_fail(error);
  g_autoptr(Assembly) assembly =
      session_reassemble(registry, checkpoint, file, assignments, &error);
  g_autoptr(RunState) state = run_state_new();
  if (!assembly || !session_restore(checkpoint, assembly, state, &error))
    return command_fail(error);
  signals_install(); /* what changes from here on is to be left whole */
  if (!run_folder_go_on(folder, checkpoint->manifest, &state->log_bytes, &error))
    return command_fail(error);
  note_differences(checkpoint, assembly, folder, options->quiet);
  g_autoptr(GPtrArray) results = results_new();
  run_folder_log(folder, "resumed at step %" G_GINT64_FORMAT, state->step);
  Run run = {.assembly = assembly,
             .folder = folder,
             .state = state,
             .manifest = checkpoint->manifest,
             .results = results,
             .until = options->until,
             .saved = TRUE};
  return session_train(&run, common->json, options->quiet);
}

static int run(int argc, char **argv) {
  ResumeOptions options = {.epochs = -1, .until = G_MAXINT64};
  const GOptionEntry own[] = {
      {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.sets,
       "Change where the data is, or checkpoint.*", "KEY.PATH=VALUE"},
      {"epochs", 0, 0, G_OPTION_ARG_INT64, &options.epochs, "Train to this epoch", "N"},
      {"until", 0, 0, G_OPTION_ARG_INT64, &options.until,
       "Stop after this epoch, saved, with status 75; `abhost resume` goes on", "EPOCH"},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options.quiet, "No progress, no notes", NULL},
      {0}};
  const CommandLine line = {.command = &command_resume,
                            .arguments = "RUN",
                            .own = own,
                            .plugins = TRUE,
                            .json = TRUE,
                            .min_count = 1,
                            .max_count = 1};
  CommandOptions common;
  int status;
  if (command_parse(&line, argc, argv, &common, &status)) {
    if (options.epochs < -1)
      status = command_usage(&command_resume, "--epochs takes a number from 0");
    else if (options.until < 1)
      status = command_usage(&command_resume, "--until takes a number from 1");
    else
      status = work(common.arguments[0], &common, &options);
    command_clear(&common);
  }
  g_strfreev(options.sets);
  return status;
}

const Command command_resume = {"resume", "Go on with a run from its last checkpoint.", run, true};
