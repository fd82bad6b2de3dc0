/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost apply RUN|CHECKPOINT: a role of a trained model over data. */
#include "../apply/apply.h"
#include "../files.h"
#include "../jsonout.h"
#include "../registry/fit.h"
#include "../run/signals.h"
#include "session.h"

#include <string.h>

static const char description[] =
    "The input is a file of samples, first axis samples: HDF5 (--dataset; x if there is one),\n"
    "NPY of NumPy, or IDX, plain or gzipped; else a data component as in a manifest:\n"
    "  --input digits    --input '{plugin: csv, file: x.csv}' --split test\n"
    "For decode it is codes. The transforms of the training are applied, with the statistics that\n"
    "the checkpoint keeps. Bytes (u8) of a file become 0 to 1 (over 255) where the samples of the\n"
    "training were from 0 to 1; --raw leaves them as they are.\n\n"
    "The output has a dataset that is named after the role; classify gives probabilities, and\n"
    "/class, the most probable one. What lies in data space is as after the transforms. Where the\n"
    "training data named its classes (characters of a text, labels of a table), --text writes\n"
    "results by these names; - is the standard output.\n"
    "A run stands for its best checkpoint, if it has one (checkpoint.best), else for its last; its\n"
    "training data need not be there.";

typedef struct {
  char *role, *input, *output, *text, *dataset, *split;
  gint64 batch, count, seed; /* count, seed: -1 where they are not given */
  gboolean raw, force;
} ApplyOptions;

static void options_clear(ApplyOptions *self) {
  g_free(self->role);
  g_free(self->input);
  g_free(self->output);
  g_free(self->text);
  g_free(self->dataset);
  g_free(self->split);
}

/* ---- what the command line says -------------------------------------------------------------- */

static AbSplit split_named(const char *name) {
  for (AbSplit split = 0; name && split < AB_SPLIT_COUNT; split++)
    if (strcmp(ab_split_name(split), name) == 0) return split;
  return -1;
}

/* What can be said before anything is opened. */
static int check_options(const ApplyOptions *options, gboolean json) {
  static const char *splits[AB_SPLIT_COUNT + 1];
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) splits[split] = ab_split_name(split);
  if (options->role && !fit_role(options->role)) {
    const char **roles = fit_role_names();
    int status = command_no_name(&command_apply, options->role, "role", roles);
    g_free(roles);
    return status;
  }
  if (options->split && split_named(options->split) < 0)
    return command_no_name(&command_apply, options->split, "split", splits);
  if (!options->output && !options->text)
    return command_usage(&command_apply, "--output is missing (or --text)");
  if (g_strcmp0(options->output, options->text) == 0)
    return command_usage(&command_apply, "--output and --text name the same file");
  if (json && options->text && strcmp(options->text, "-") == 0)
    return command_usage(&command_apply, "--text - and --json both write to the standard output");
  if (options->batch < 1) return command_usage(&command_apply, "--batch takes a number from 1");
  if (options->count == 0 || options->count < -1)
    return command_usage(&command_apply, "--count takes a number from 1");
  if (options->seed < -1) return command_usage(&command_apply, "--seed takes a number from 0");
  return AB_OK;
}

/* What depends on the role. */
static int check_input(const ApplyOptions *options, AbRole role) {
  gboolean generates = role == AB_ROLE_GENERATE;
  const char *extra = options->input     ? "--input"
                      : options->dataset ? "--dataset"
                      : options->split   ? "--split"
                      : options->raw     ? "--raw"
                                         : NULL;
  if (generates && extra)
    return command_usage(&command_apply, "generate takes no %s; --count says how many", extra);
  if (generates && options->count < 0)
    return command_usage(&command_apply, "--count is missing: how many samples to generate");
  if (!generates && options->count >= 0)
    return command_usage(&command_apply, "--count is for the role generate, and this is %s",
                         ab_role_name(role));
  if (!generates && !options->input)
    return command_usage(&command_apply, "--input is missing: what to %s", ab_role_name(role));
  return AB_OK;
}

/* ---- what is shown --------------------------------------------------------------------------- */

static char *shape_text(const OutputInfo *info, char *text, gsize size) {
  AbShape shape = {.rank = info->rank};
  for (int i = 0; i < info->rank; i++) shape.dims[i] = info->shape[i];
  ab_shape_text(shape, text, size);
  return text;
}

static char *plain_text(const OutputInfo *info, AbRole role, const ApplyOptions *options) {
  g_autoptr(GString) text = g_string_new(NULL);
  char shape[200];
  if (info) {
    g_string_append_printf(text, "/%s  %s %s", ab_role_name(role), ab_dtype_name(info->dtype),
                           shape_text(info, shape, sizeof shape));
    if (info->classes) g_string_append(text, ", with /class");
    if (info->labels) g_string_append(text, info->classes ? " and /y" : ", with /y");
    g_string_append_printf(text, "\nfile  %s\n", options->output);
  }
  if (options->text) g_string_append_printf(text, "text  %s\n", options->text);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static void add_info(JsonBuilder *json, const OutputInfo *info, AbRole role) {
  g_autofree char *dataset = g_strdup_printf("/%s", ab_role_name(role));
  jsonout_text(json, "dataset", dataset);
  jsonout_text(json, "dtype", ab_dtype_name(info->dtype));
  jsonout_begin_array(json, "shape");
  for (int i = 0; i < info->rank; i++) json_builder_add_int_value(json, info->shape[i]);
  json_builder_end_array(json);
  if (info->classes) jsonout_text(json, "classes", "/class");
  if (info->labels) jsonout_text(json, "labels", "/y");
  jsonout_int(json, "not_finite", info->odd);
}

static char *result_json(const OutputInfo *info, const Trained *trained, AbRole role,
                         const ApplyOptions *options) {
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  if (info) jsonout_text(json, "output", options->output);
  if (info) add_info(json, info, role);
  if (options->text) jsonout_text(json, "text", options->text);
  jsonout_text(json, "role", ab_role_name(role));
  jsonout_text(json, "model", trained->checkpoint->model);
  jsonout_text(json, "checkpoint", store_path(trained->checkpoint->file));
  json_builder_end_object(json);
  return jsonout_finish(json);
}

/* Plugins of the model that are not those that trained it. */
static void note_differences(const Trained *trained) {
  g_autofree char *all = checkpoint_differences(trained->checkpoint, trained->assembly);
  g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (g_str_has_prefix(lines[i], "model")) command_note("%s", lines[i]);
}

static void note_numbers(const Source *source, const OutputInfo *info) {
  g_autofree char *note = source ? source_note(source) : NULL;
  if (note) command_note("%s", note);
  if (info && info->odd > 0)
    command_note("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                 " results are not finite: NaN or infinite",
                 info->odd, info->shape[0]);
}

/* ---- the work -------------------------------------------------------------------------------- */

/* What is written, and what of it is there so far. */
typedef struct {
  Output *output; /* either may be NULL */
  Texts *texts;
} Results;

static gboolean open_results(Results *self, const Trained *trained, AbRole role,
                             const ApplyOptions *options, GError **error) {
  const char *const sources[] = {store_path(trained->checkpoint->file), options->input, NULL};
  gboolean file = options->text && strcmp(options->text, "-") != 0;
  if (file && !output_may_write(options->text, options->force, sources, error)) return FALSE;
  if (options->text && !(self->texts = texts_new(trained->checkpoint, role, error))) return FALSE;
  if (!options->output) return TRUE;
  self->output = output_new(options->output, role, options->force, sources, error);
  return self->output != NULL;
}

static void results_clear(Results *self) {
  output_free(self->output);
  texts_free(self->texts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Results, results_clear)

static gboolean commit(Results *self, const Trained *trained, const Source *source,
                       const ApplyOptions *options, GError **error) {
  if (self->output) {
    output_attribute(self->output, "checkpoint", store_path(trained->checkpoint->file));
    output_attribute(self->output, "model", trained->checkpoint->model);
    if (source) output_attribute(self->output, "input", source_name(source));
    if (!output_commit(self->output, error)) return FALSE;
  }
  if (!self->texts || strcmp(options->text, "-") == 0) return TRUE;
  return files_write(options->text, texts_string(self->texts), -1, error);
}

static int apply(const Trained *trained, AbRole role, const ApplyOptions *options, gboolean json) {
  GError *error = NULL;
  const SourceRequest request = {.input = options->input,
                                 .dataset = options->dataset,
                                 .split = split_named(options->split),
                                 .raw = options->raw,
                                 .batch = options->batch,
                                 .role = role};
  signals_install(); /* from here on there is a temporary file to take away */
  g_auto(Results) results = {0};
  if (!open_results(&results, trained, role, options, &error)) return command_fail(error);
  g_autoptr(Source) source = options->input ? source_new(trained, &request, &error) : NULL;
  if ((options->input && !source) ||
      !apply_run(trained, role, source, options->count, options->batch, results.output,
                 results.texts, &error) ||
      !commit(&results, trained, source, options, &error))
    return command_fail(error);
  const OutputInfo *info = results.output ? output_info(results.output) : NULL;
  note_numbers(source, info);
  if (options->text && strcmp(options->text, "-") == 0)
    return command_output(texts_string(results.texts));
  g_autofree char *text =
      json ? result_json(info, trained, role, options) : plain_text(info, role, options);
  return command_output(text);
}

static int work(const char *path, const CommandOptions *common, const ApplyOptions *options) {
  GError *error = NULL;
  g_autofree char *seed = g_strdup_printf("seed=%" G_GINT64_FORMAT, options->seed);
  const char *const sets[] = {options->seed >= 0 ? seed : NULL, NULL};
  g_autofree char *file = run_folder_find_tested(path, &error);
  g_autoptr(Registry) registry =
      file ? registry_new((const char *const *)common->folders, &error) : NULL;
  g_autoptr(Checkpoint) checkpoint = registry ? checkpoint_open(file, &error) : NULL;
  if (!checkpoint) return command_fail(error);
  g_autoptr(Assembly) assembly = session_reassemble(registry, checkpoint, file, sets, &error);
  if (!assembly) return command_fail(error);
  AbRole role = options->role ? fit_role(options->role) : assembly->role;
  int status = check_input(options, role);
  if (status) return status;
  Trained trained;
  if (!trained_restore(&trained, checkpoint, assembly, &error) ||
      !trained_check_role(&trained, role, &error))
    return command_fail(error);
  note_differences(&trained);
  return apply(&trained, role, options, common->json);
}

static int run(int argc, char **argv) {
  ApplyOptions options = {.batch = 256, .count = -1, .seed = -1};
  const GOptionEntry own[] = {
      {"role", 0, 0, G_OPTION_ARG_STRING, &options.role,
       "What the model is to do; default: the problem that it was trained for", "ROLE"},
      {"input", 'i', 0, G_OPTION_ARG_FILENAME, &options.input,
       "A file of samples, or a data component", "FILE|DATA"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "Where the results go (HDF5)",
       "FILE"},
      {"text", 0, 0, G_OPTION_ARG_FILENAME, &options.text,
       "Where results go by the names of their classes; -: the standard output", "FILE"},
      {"dataset", 0, 0, G_OPTION_ARG_STRING, &options.dataset, "Of an HDF5 file", "NAME"},
      {"split", 0, 0, G_OPTION_ARG_STRING, &options.split,
       "Of a data component: train, validation, test; default: test if there is one", "SPLIT"},
      {"count", 0, 0, G_OPTION_ARG_INT64, &options.count, "Samples to generate", "N"},
      {"batch", 0, 0, G_OPTION_ARG_INT64, &options.batch, "Samples at a time; default: 256", "N"},
      {"seed", 0, 0, G_OPTION_ARG_INT64, &options.seed,
       "Of what is random; default: that of the run", "N"},
      {"raw", 0, 0, G_OPTION_ARG_NONE, &options.raw, "Bytes of a file stay 0 to 255", NULL},
      {"force", 'f', 0, G_OPTION_ARG_NONE, &options.force, "Overwrite the output", NULL},
      {0}};
  const CommandLine line = {.command = &command_apply,
                            .arguments = "RUN|CHECKPOINT",
                            .description = description,
                            .own = own,
                            .plugins = TRUE,
                            .json = TRUE,
                            .min_count = 1,
                            .max_count = 1};
  CommandOptions common;
  int status;
  if (command_parse(&line, argc, argv, &common, &status)) {
    status = check_options(&options, common.json);
    if (!status) status = work(common.arguments[0], &common, &options);
    command_clear(&common);
  }
  options_clear(&options);
  return status;
}

const Command command_apply = {"apply", "Run a role of a trained model over data.", run, true};
