/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop of a run. */
#include "train.h"

#include "record.h"
#include "signals.h"
#include <math.h>
#include <string.h>

/* Adds the time since the last call, or since training began. */
static void count_seconds(Run *self) {
  gint64 now = g_get_monotonic_time();
  if (self->counted) self->state->seconds += (double)(now - self->counted) / G_USEC_PER_SEC;
  self->counted = now;
}

/* best.h5 before last.h5: a checkpoint that knows of a best one does not stand without it. */
static gboolean save(Run *self, gboolean best, GError **error) {
  gint64 step = self->state->step;
  char *path = run_folder_checkpoint(self->folder, step);
  count_seconds(self);
  gboolean done = checkpoint_save(path, self->assembly, self->state, self->manifest, error) &&
                  (!best || run_folder_point(self->folder, "best.h5", step, error)) &&
                  run_folder_point(self->folder, "last.h5", step, error);
  g_free(path);
  if (done) run_folder_prune(self->folder, self->assembly->settings->checkpoint.keep);
  return done;
}

gboolean run_save(Run *self, GError **error) {
  return save(self, FALSE, error);
}

static ProgressState progress_of(const Run *self, gboolean finished) {
  const Assembly *assembly = self->assembly;
  const RunState *state = self->state;
  return (ProgressState){
      .epoch = state->epoch + 1,
      .epochs = assembly->settings->general.epochs,
      .batch = finished ? feed_batches(assembly->feed, AB_TRAIN) : state->batch,
      .batches = feed_batches(assembly->feed, AB_TRAIN),
      .step = state->step,
      .loss = state->sums->len ? run_state_mean(state->sums->pdata[0]) : NAN,
  };
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void add_sums(Run *self, AbTensor *loss) {
  AbContext *ctx = self->assembly->ctx;
  run_state_add(self->state, "loss", ab_item(loss));
  for (gint64 i = 0; i < ab_part_count(ctx); i++)
    run_state_add(self->state, ab_part_name(ctx, i), ab_part_value(ctx, i));
  ab_parts_clear(ctx);
}

static gboolean train_batch(Run *self, AbBatch *batch, GError **error) {
  Assembly *assembly = self->assembly;
  RunState *state = self->state;
  AbProgress progress = {.epoch = state->epoch,
                         .epochs = assembly->settings->general.epochs,
                         .step = state->step,
                         .steps_per_epoch = feed_batches(assembly->feed, AB_TRAIN)};
  if (!prepare_batch(assembly, batch, TRUE, state->step)) return assembly_check(assembly, error);
  ab_begin(assembly->ctx, AB_PURPOSE_TRAIN, state->step);
  AbTensor *loss = ab_step_run(assembly->step, batch, &progress);
  if (!assembly_check(assembly, error)) return FALSE;
  add_sums(self, loss);
  state->step++;
  state->batch++;
  ProgressState shown = progress_of(self, FALSE);
  progress_step(&self->progress, &shown, ab_batch_count(batch));
  return TRUE;
}

static gboolean stopped(Run *self, GError **error) {
  if (!run_save(self, error)) return FALSE;
  g_set_error(error, HOST_ERROR, AB_STOPPED,
              "stopped in epoch %" G_GINT64_FORMAT " after step %" G_GINT64_FORMAT
              "; go on with `abhost resume %s`",
              self->state->epoch + 1, self->state->step, self->folder->path);
  return FALSE;
}

/* The rest of an epoch's batches. */
static gboolean train_epoch(Run *self, GError **error) {
  Assembly *assembly = self->assembly;
  gint64 save_every = assembly->settings->checkpoint.steps;
  if (self->state->batch == 0) run_state_clear_sums(self->state);
  if (!feed_start(assembly->feed, AB_TRAIN, self->state->epoch, self->state->batch, error))
    return FALSE;
  for (;;) {
    AbScope scope = ab_scope_begin(assembly->ctx);
    GError *cause = NULL;
    AbBatch *batch = feed_next(assembly->feed, &cause);
    gboolean done = batch ? train_batch(self, batch, &cause) : TRUE;
    ab_batch_free(batch);
    ab_scope_end(assembly->ctx, scope, NULL, 0);
    if (cause) {
      g_propagate_error(error, cause);
      return FALSE;
    }
    if (!batch || !done) return done;
    if (signals_stop()) return stopped(self, error);
    if (save_every > 0 && self->state->step % save_every == 0 && !run_save(self, error))
      return FALSE;
  }
}

/* ---- the end of an epoch --------------------------------------------------------------------- */

/* Notes a new value; TRUE if it is the best so far by more than min_delta. */
static gboolean improve(Best *best, const NamedMetric *metric, const GPtrArray *results,
                        const RunState *state, double min_delta) {
  const Result *result = metric ? results_find(results, "validation", metric->name) : NULL;
  if (!result) return FALSE;
  gboolean higher = ab_metric_higher_is_better(metric->metric);
  double gain = higher ? result->value - best->value : best->value - result->value;
  if (!isfinite(result->value) || (best->any && !(gain > min_delta))) {
    best->stale++;
    return FALSE;
  }
  *best = (Best){TRUE, result->value, state->epoch + 1, state->step, 0};
  return TRUE;
}

static char *metrics_text(const GPtrArray *results) {
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    if (strcmp(result->split, "validation") == 0)
      g_string_append_printf(text, "  %s%s %.5g",
                             strcmp(result->name, "loss") == 0 ? "validation " : "", result->name,
                             result->value);
  }
  return g_string_free(text, FALSE);
}

static void take_sums(const RunState *state, GPtrArray *results) {
  for (guint i = 0; i < state->sums->len; i++) {
    const Sum *sum = state->sums->pdata[i];
    results_add(results, "train", sum->name, run_state_mean(sum));
  }
}

static const NamedMetric *watched(const Assembly *assembly, const char *name) {
  if (name) return assembly_metric(assembly, name);
  return assembly->metrics->len ? assembly->metrics->pdata[0] : NULL;
}

/* Evaluates, records, saves. *last when early stopping ends the run. */
static gboolean finish_epoch(Run *self, gboolean *last, GError **error) {
  Assembly *assembly = self->assembly;
  RunState *state = self->state;
  const Settings *settings = assembly->settings;
  g_autoptr(GPtrArray) results = results_new();
  take_sums(state, results);
  GError *cause = NULL;
  if (!evaluate_split(assembly, AB_VALIDATION, results, &cause)) {
    if (cause->code != AB_STOPPED) {
      g_propagate_error(error, cause);
      return FALSE;
    }
    g_clear_error(&cause); /* the epoch's steps are done; evaluation is repeated by the resume */
    return stopped(self, error);
  }
  count_seconds(self);
  ProgressState shown = progress_of(self, TRUE);
  char *text = metrics_text(results);
  progress_epoch(&self->progress, &shown, text);
  g_free(text);

  const char *best_name = settings->checkpoint.best;
  gboolean best =
      best_name && improve(&state->best, assembly_metric(assembly, best_name), results, state, 0);
  improve(&state->stop, watched(assembly, settings->stop.metric), results, state,
          settings->stop.min_delta);
  state->epoch++;
  state->batch = 0;
  char *line = record_epoch(state, results);
  gboolean done = run_folder_record(self->folder, line, &state->log_bytes, error);
  g_free(line);
  if (!done) return FALSE;

  *last = settings->stop.patience > 0 && state->stop.stale >= settings->stop.patience;
  gboolean end = *last || state->epoch >= settings->general.epochs;
  if (!best && !end && state->epoch % settings->checkpoint.every != 0) return TRUE;
  return save(self, best, error);
}

/* ---- the run --------------------------------------------------------------------------------- */

/* A run that was killed between the writing of a checkpoint and that of its links may have a
 * best.h5 that is older, or younger, than its state knows of. */
static gboolean point_best(Run *self, GError **error) {
  const Best *best = &self->state->best;
  if (!self->assembly->settings->checkpoint.best || !best->any) return TRUE;
  g_autofree char *path = run_folder_checkpoint(self->folder, best->step);
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) return TRUE;
  return run_folder_point(self->folder, "best.h5", best->step, error);
}

/* The weights of the best epoch, where the manifest asks for them. */
static gboolean take_best(Run *self, GError **error) {
  if (!self->assembly->settings->checkpoint.best || !self->state->best.any) return TRUE;
  char *path = g_build_filename(self->folder->checkpoints, "best.h5", NULL);
  g_autoptr(Checkpoint) best = checkpoint_open(path, error);
  g_free(path);
  if (!best || !checkpoint_weights(best, self->assembly, error)) return FALSE;
  progress_note(&self->progress, "tested with the weights of epoch %" G_GINT64_FORMAT ", %s %.5g",
                self->state->best.epoch, self->assembly->settings->checkpoint.best,
                self->state->best.value);
  return TRUE;
}

static gboolean conclude(Run *self, GError **error) {
  if (!take_best(self, error)) return FALSE;
  take_sums(self->state, self->results);
  if (!evaluate_split(self->assembly, AB_VALIDATION, self->results, error) ||
      !evaluate_split(self->assembly, AB_TEST, self->results, error))
    return FALSE;
  char *line = record_end(self->state, self->results);
  gboolean done = run_folder_record(self->folder, line, &self->state->log_bytes, error);
  g_free(line);
  return done;
}

static gboolean already_stale(const Run *self) {
  const StopSettings *stop = &self->assembly->settings->stop;
  return stop->patience > 0 && self->state->stop.stale >= stop->patience;
}

gboolean run_train(Run *self, GError **error) {
  RunState *state = self->state;
  gint64 epochs = self->assembly->settings->general.epochs;
  gboolean last = already_stale(self);
  self->counted = g_get_monotonic_time();
  if (!point_best(self, error)) return FALSE;
  while (state->epoch < epochs && !last) {
    if (signals_stop()) return stopped(self, error);
    if (!train_epoch(self, error)) return FALSE;
    if (!finish_epoch(self, &last, error)) return FALSE;
  }
  if (last)
    progress_note(&self->progress, "stopped early: no improvement since epoch %" G_GINT64_FORMAT,
                  state->stop.epoch);
  GError *cause = NULL;
  if (conclude(self, &cause)) return TRUE;
  if (cause->code != AB_STOPPED) {
    g_propagate_error(error, cause);
    return FALSE;
  }
  g_clear_error(&cause);
  g_set_error(error, HOST_ERROR, AB_STOPPED,
              "stopped before the last evaluation; `abhost resume %s` does it", self->folder->path);
  return FALSE;
}
