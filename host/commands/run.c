/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost run MANIFEST: trains the model of a manifest. */
#include "../run/signals.h"
#include "check.h"

/* Weights from the checkpoint of init.from; the number of them, -1 after an error. */
static gint64 initialize(Assembly *assembly, GError **error) {
  const InitSettings *init = &assembly->settings->init;
  if (!init->from) return 0;
  g_autofree char *file = run_folder_find_tested(init->from, error);
  g_autoptr(Checkpoint) checkpoint = file ? checkpoint_open(file, error) : NULL;
  return checkpoint ? checkpoint_init(checkpoint, assembly, init->map, error) : -1;
}

static RunFolder *make_folder(const Assembly *assembly, const char *path, const char *manifest,
                              const char *output, GError **error) {
  char *resolved = node_emit(assembly->resolved);
  RunFolder *folder = run_folder_new(output, path, manifest, resolved, error);
  g_free(resolved);
  return folder;
}

static int train(Assembly *assembly, const char *path, const char *manifest,
                 const SessionOptions *options, gboolean json) {
  GError *error = NULL;
  g_autoptr(RunFolder) folder = NULL;
  g_autoptr(RunState) state = run_state_new();
  g_autoptr(GPtrArray) results = results_new();
  if (!assembly_load(assembly, &error)) return command_fail(error);
  gint64 found = initialize(assembly, &error);
  if (found < 0) return command_fail(error);
  signals_install(); /* what there is from here on is to be left whole */
  folder = make_folder(assembly, path, manifest, options->output, &error);
  if (!folder) return command_fail(error);
  if (found > 0)
    run_folder_log(folder, "%" G_GINT64_FORMAT " weights from %s", found,
                   assembly->settings->init.from);
  session_notes(assembly, folder, options->quiet);
  Run run = {.assembly = assembly,
             .folder = folder,
             .state = state,
             .manifest = manifest,
             .results = results,
             .until = options->until};
  return session_train(&run, json, options->quiet);
}

static int work(const char *path, const CommandOptions *common, const SessionOptions *options) {
  if (options->dry) return check_manifest(path, common, options, FALSE);
  GError *error = NULL;
  g_autoptr(Registry) registry = registry_new((const char *const *)common->folders, &error);
  if (!registry) return command_fail(error);
  g_autofree char *manifest = NULL;
  g_autoptr(Assembly) assembly =
      session_assemble(registry, path, options, FALSE, &manifest, &error);
  if (!assembly || !assembly_build(assembly, &error)) return command_fail(error);
  return train(assembly, path, manifest, options, common->json);
}

static int run(int argc, char **argv) {
  SessionOptions options = {.seed = -1, .epochs = -1, .until = G_MAXINT64};
  const GOptionEntry own[] = {
      {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.sets,
       "Change a value of the manifest (may be given several times)", "KEY.PATH=VALUE"},
      {"candidate", 0, 0, G_OPTION_ARG_STRING, &options.candidate,
       "Take what this candidate of the manifest says", "NAME"},
      {"seed", 0, 0, G_OPTION_ARG_INT64, &options.seed, "The same as --set seed=N", "N"},
      {"epochs", 0, 0, G_OPTION_ARG_INT64, &options.epochs, "The same as --set epochs=N", "N"},
      {"until", 0, 0, G_OPTION_ARG_INT64, &options.until,
       "Stop after this epoch, saved, with status 75; `abhost resume` goes on", "EPOCH"},
      {"output", 0, 0, G_OPTION_ARG_FILENAME, &options.output,
       "The run folder; without it one below runs/", "FOLDER"},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options.quiet, "No progress, no notes", NULL},
      {"dry-run", 0, 0, G_OPTION_ARG_NONE, &options.dry, "Check and describe only", NULL},
      {0}};
  const CommandLine line = {
      .command = &command_run,
      .arguments = "MANIFEST",
      .description = "Exit status: 0 done, 75 stopped by a signal or by --until (go on with "
                     "`abhost resume`), others as in sysexits.h.",
      .own = own,
      .plugins = TRUE,
      .json = TRUE,
      .min_count = 1,
      .max_count = 1};
  CommandOptions common;
  int status;
  if (command_parse(&line, argc, argv, &common, &status)) {
    if (options.seed < -1 || options.epochs < -1)
      status = command_usage(&command_run, "--seed and --epochs take numbers from 0");
    else if (options.until < 1)
      status = command_usage(&command_run, "--until takes a number from 1");
    else
      status = work(common.arguments[0], &common, &options);
    command_clear(&common);
  }
  session_options_clear(&options);
  return status;
}

const Command command_run = {"run", "Train the model of a manifest.", run, true};
