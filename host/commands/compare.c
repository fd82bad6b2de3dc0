/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost compare MANIFEST: all candidates of a manifest, on equal terms. */
#include "../compare/compare.h"
#include "../manifest/node.h"
#include "../report/report.h"
#include "common.h"

#include <string.h>

typedef struct {
  char **sets, **sweep;
  char *seeds, *candidates, *budget, *output;
  gint64 epochs, jobs, random, halving;
  gboolean quiet;
} Options;

/* --halving may stand alone, which only a callback allows; and a callback of GLib's gets nothing
 * but the text. */
static gint64 halving;

static gboolean read_halving(const char *name, const char *value, gpointer data, GError **error) {
  (void)name, (void)data;
  halving = 3;
  if (!value) return TRUE;
  g_autoptr(Node) node = node_scalar(value);
  if (node_read_int(node, &halving, NULL) && halving >= 2) return TRUE;
  g_set_error(
      error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "--halving takes a factor from 2, not '%s'; write --halving=3, or the manifest before "
      "it",
      value);
  return FALSE;
}

/* Axes of --sweep, and those that follow the manifest. */
static gboolean collect_axes(const CommandOptions *common, const Options *options, GPtrArray *axes,
                             int *status) {
  for (guint i = 0; options->sweep && options->sweep[i]; i++)
    g_ptr_array_add(axes, options->sweep[i]);
  gboolean sweep = axes->len > 0;
  for (guint i = 1; i < common->count; i++) {
    if (!sweep || !strchr(common->arguments[i], '=')) {
      *status =
          command_usage(&command_compare, "'%s' is one argument too many (axes follow a --sweep)",
                        common->arguments[i]);
      return FALSE;
    }
    g_ptr_array_add(axes, common->arguments[i]);
  }
  g_ptr_array_add(axes, NULL);
  return TRUE;
}

static int show(const Comparison *comparison, gboolean json) {
  g_autofree char *text = json ? compare_json(comparison) : compare_table(comparison);
  int status = command_output(text);
  if (status != AB_OK) return status;
  return compare_complete(comparison) ? AB_OK : AB_DATA;
}

/* The page is made from the result, which stands: without it nothing is lost. */
static void write_report(const Comparison *comparison) {
  g_autoptr(GError) error = NULL;
  if (!report_compare(compare_folder(comparison), NULL, &error))
    command_note("no report.html: %s", error->message);
}

static int work(const CommandOptions *common, const Options *options) {
  g_autoptr(GPtrArray) axes = g_ptr_array_new();
  int status;
  if (!collect_axes(common, options, axes, &status)) return status;
  CompareRequest request = {.manifest = common->arguments[0],
                            .sets = (const char *const *)options->sets,
                            .sweep = (const char *const *)axes->pdata,
                            .folders = (const char *const *)common->folders,
                            .seeds = options->seeds,
                            .candidates = options->candidates,
                            .budget = options->budget,
                            .output = options->output,
                            .epochs = options->epochs,
                            .jobs = options->jobs,
                            .random = options->random,
                            .halving = halving,
                            .quiet = options->quiet};
  GError *error = NULL;
  g_autoptr(Comparison) comparison = compare_new(&request, &error);
  if (!comparison) return command_fail(error);
  gboolean done = compare_run(comparison, &error);
  if (done || error->code == AB_STOPPED) write_report(comparison);
  if (done) return show(comparison, common->json);
  if (error->code != AB_STOPPED) return command_fail(error);
  command_note("%s (%s)", error->message, compare_folder(comparison));
  g_error_free(error);
  return AB_STOPPED;
}

static void clear(Options *options) {
  g_strfreev(options->sets);
  g_strfreev(options->sweep);
  g_free(options->seeds);
  g_free(options->candidates);
  g_free(options->budget);
  g_free(options->output);
}

static const char description[] =
    "Axes of a sweep: model.hidden=64,128 (values), optimizer.lr=log:1e-4..1e-2:5 or\n"
    "model.dropout=lin:0.0..0.5:6 (a number of them, evenly spaced; without the number for\n"
    "--random). Further axes may follow the first.\n"
    "\n"
    "The same command goes on with what is not finished; more seeds and other candidates use\n"
    "what is there.\n"
    "\n"
    "Exit status: 0 all runs succeeded, 65 some did not (the table says why), 75 stopped by a\n"
    "signal, others as in sysexits.h.";

static int run(int argc, char **argv) {
  Options options = {.epochs = -1, .jobs = 1};
  halving = 0;
  const GOptionEntry own[] = {
      {"seeds", 0, 0, G_OPTION_ARG_STRING, &options.seeds,
       "How many seeds, from 1 (default: 5), or a list of them", "N|N,N,..."},
      {"candidates", 0, 0, G_OPTION_ARG_STRING, &options.candidates,
       "These alone; `model` is the manifest's own", "NAME,NAME"},
      {"jobs", 0, 0, G_OPTION_ARG_INT64, &options.jobs,
       "Runs at once, which share the cores (default: 1)", "N"},
      {"budget", 0, 0, G_OPTION_ARG_STRING, &options.budget,
       "What each run may use: steps=N, seconds=N or parameters=N", "KIND=N"},
      {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.sets,
       "Change a value for all (may be given several times)", "KEY.PATH=VALUE"},
      {"epochs", 0, 0, G_OPTION_ARG_INT64, &options.epochs, "The same as --set epochs=N", "N"},
      {"sweep", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.sweep,
       "Compare values instead (may be given several times)", "KEY.PATH=VALUES"},
      {"random", 0, 0, G_OPTION_ARG_INT64, &options.random,
       "Draw so many points of the sweep, always the same", "N"},
      {"halving", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK, (gpointer)read_halving,
       "Successive halving: one of so many goes on (default: 3)", "FACTOR"},
      {"output", 0, 0, G_OPTION_ARG_FILENAME, &options.output,
       "The folder; without it one below runs/", "FOLDER"},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options.quiet, "No progress, no notes", NULL},
      {0}};
  const CommandLine line = {.command = &command_compare,
                            .arguments = "MANIFEST [KEY.PATH=VALUES...]",
                            .description = description,
                            .own = own,
                            .plugins = TRUE,
                            .json = TRUE,
                            .min_count = 1,
                            .max_count = 1000};
  CommandOptions common;
  int status;
  if (command_parse(&line, argc, argv, &common, &status)) {
    status = work(&common, &options);
    command_clear(&common);
  }
  clear(&options);
  return status;
}

const Command command_compare = {"compare", "Train all candidates and compare them.", run};
