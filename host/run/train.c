/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop of a run. */
#include "train.h"

#include "record.h"
#include "signals.h"
#include "usage.h"
#include <math.h>
#include <string.h>

static double seconds_since(gint64 then) {
  return then ? (double)(g_get_monotonic_time() - then) / G_USEC_PER_SEC : 0;
}

/* What was used since the last call is no training: it was looked on, or saved. */
static void skip_use(Run *self) {
  self->counted = g_get_monotonic_time();
  self->cpu_counted = usage_cpu_seconds();
}

/* Adds the time since the last call, or since training began. */
static void count_use(Run *self) {
  RunState *state = self->state;
  state->seconds += seconds_since(self->counted);
  if (self->counted) state->cpu_seconds += usage_cpu_seconds() - self->cpu_counted;
  state->peak_memory = MAX(state->peak_memory, usage_peak_memory());
  skip_use(self);
}

/* best.h5 before last.h5: a checkpoint that knows of a best one does not stand without it. */
static gboolean save(Run *self, gboolean best, GError **error) {
  gint64 step = self->state->step;
  char *path = run_folder_checkpoint(self->folder, step);
  count_use(self);
  gboolean done = checkpoint_save(path, self->assembly, self->state, self->manifest, error) &&
                  (!best || run_folder_point(self->folder, "best.h5", step, error)) &&
                  run_folder_point(self->folder, "last.h5", step, error);
  g_free(path);
  if (done) run_folder_prune(self->folder, self->assembly->settings->checkpoint.keep);
  skip_use(self); /* what a checkpoint does not know of must not bring stop.seconds nearer */
  return self->saved = done;
}

static gboolean save_unless_saved(Run *self, GError **error) {
  return self->saved || save(self, FALSE, error);
}

/* ---- when it ends ---------------------------------------------------------------------------- */

static gint64 epochs_of(const Run *self) {
  return self->assembly->settings->general.epochs;
}

static gint64 batches_of(const Run *self) {
  return feed_batches(self->assembly->feed, AB_TRAIN);
}

static gboolean stale(const Run *self) {
  const StopSettings *stop = &self->assembly->settings->stop;
  return stop->patience > 0 && self->state->stop.stale >= stop->patience;
}

/* The limit of stop.* that is reached: "steps" or "seconds"; NULL: none. */
static const char *limit(const Run *self) {
  const StopSettings *stop = &self->assembly->settings->stop;
  if (stop->steps > 0 && self->state->step >= stop->steps) return "steps";
  if (stop->seconds > 0 && self->state->seconds + seconds_since(self->counted) >= stop->seconds)
    return "seconds";
  return NULL;
}

static const char *stopped_by(const Run *self) {
  if (self->state->epoch >= epochs_of(self)) return NULL;
  return stale(self) ? "early stopping" : limit(self);
}

/* Steps that are still to come, if nobody stops early. */
static gint64 steps_left(const Run *self) {
  const StopSettings *stop = &self->assembly->settings->stop;
  gint64 epochs = MIN(self->until, epochs_of(self));
  gint64 left = (epochs - self->state->epoch) * batches_of(self) - self->state->batch;
  if (stop->steps > 0) left = MIN(left, stop->steps - self->state->step);
  return MAX(left, 0);
}

static ProgressState progress_of(const Run *self) {
  const RunState *state = self->state;
  double seconds = self->assembly->settings->stop.seconds;
  return (ProgressState){
      .epoch = state->epoch + 1,
      .epochs = epochs_of(self),
      .batch = state->batch,
      .batches = batches_of(self),
      .step = state->step,
      .steps_left = steps_left(self),
      .seconds_left =
          seconds > 0 ? MAX(seconds - state->seconds - seconds_since(self->counted), 0) : INFINITY,
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
  self->saved = FALSE;
  AbTensor *loss = ab_step_run(assembly->step, batch, &progress);
  /* the guard of the SDK leaves a norm that is no number */
  self->diverged = !ab_ok(assembly->ctx) && isnan(ab_step_gradient_norm(assembly->step));
  if (!assembly_check(assembly, error)) return FALSE;
  add_sums(self, loss);
  state->step++;
  state->batch++;
  ProgressState shown = progress_of(self);
  progress_step(&self->progress, &shown, ab_batch_count(batch));
  return TRUE;
}

static gboolean stopped(Run *self, GError **error) {
  if (!save_unless_saved(self, error)) return FALSE;
  g_set_error(error, HOST_ERROR, AB_STOPPED,
              "stopped in epoch %" G_GINT64_FORMAT " after step %" G_GINT64_FORMAT
              "; go on with `abhost resume %s`",
              self->state->epoch + 1, self->state->step, self->folder->path);
  return FALSE;
}

/* As `until` asks. */
static gboolean paused(Run *self, GError **error) {
  return save_unless_saved(self, error) &&
         host_fail(error, AB_STOPPED,
                   "stopped after epoch %" G_GINT64_FORMAT
                   ", as --until says; go on with `abhost resume %s`",
                   self->state->epoch, self->folder->path);
}

/* The rest of an epoch's batches, or those up to a limit. */
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
    if (limit(self)) return TRUE;
    if (save_every > 0 && self->state->step % save_every == 0 && !save(self, FALSE, error))
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

/* What the sums and the validation split say of the epoch at work. A stop on request leaves the
 * epoch open: its steps are done, and a resume evaluates again. */
static gboolean measure(Run *self, GPtrArray *results, GError **error) {
  GError *cause = NULL;
  take_sums(self->state, results);
  if (!evaluate_split(self->assembly, AB_VALIDATION, results, &cause)) {
    if (cause->code != AB_STOPPED) {
      g_propagate_error(error, cause);
      return FALSE;
    }
    g_clear_error(&cause);
    return stopped(self, error);
  }
  count_use(self);
  ProgressState shown = progress_of(self);
  progress_epoch(&self->progress, &shown, results);
  return TRUE;
}

/* The line of epoch `epoch`, of which `consumed` batches were trained on; 0: all. */
static gboolean record(Run *self, gint64 epoch, gint64 consumed, const GPtrArray *results,
                       GError **error) {
  const Assembly *assembly = self->assembly;
  g_autofree char *hash = assembly->environment ? NULL : feed_order_hash(assembly->feed, epoch - 1);
  if (!hash && !assembly->environment)
    return host_fail(error, AB_CONFIG, "no memory to name the batches of an epoch; take less data");
  EpochRecord facts = {epoch, consumed, hash};
  g_autofree char *line = record_epoch(self->state, &facts, results);
  return run_folder_record(self->folder, line, &self->state->log_bytes, error);
}

static gboolean improve_best(Run *self, const GPtrArray *results) {
  const char *name = self->assembly->settings->checkpoint.best;
  return name && improve(&self->state->best, assembly_metric(self->assembly, name), results,
                         self->state, 0);
}

/* Evaluates, records, saves. */
static gboolean finish_epoch(Run *self, GError **error) {
  RunState *state = self->state;
  const Settings *settings = self->assembly->settings;
  g_autoptr(GPtrArray) results = results_new();
  if (!measure(self, results, error)) return FALSE;
  gboolean best = improve_best(self, results);
  improve(&state->stop, watched(self->assembly, settings->stop.metric), results, state,
          settings->stop.min_delta);
  state->epoch++;
  state->batch = 0;
  self->saved = FALSE;
  if (!record(self, state->epoch, 0, results, error)) return FALSE;
  if (!onlooker_epoch(self->onlooker, results, error)) return FALSE;
  skip_use(self);
  return (!best && state->epoch % settings->checkpoint.every != 0) || save(self, best, error);
}

/* An epoch that a limit of stop.* has broken off stays open: its line, like that of the end, comes
 * after the checkpoint, so that whoever goes on from there finds the epoch as it is. */
static gboolean finish_part(Run *self, GError **error) {
  g_autoptr(GPtrArray) results = results_new();
  if (!measure(self, results, error)) return FALSE;
  gboolean best = improve_best(self, results);
  if (!onlooker_epoch(self->onlooker, results, error)) return FALSE;
  skip_use(self);
  return save(self, best, error) &&
         record(self, self->state->epoch + 1, self->state->batch, results, error);
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
  if (!onlooker_last(self->onlooker, error) || !take_best(self, error)) return FALSE;
  take_sums(self->state, self->results);
  if (!evaluate_split(self->assembly, AB_VALIDATION, self->results, error) ||
      !evaluate_split(self->assembly, AB_TEST, self->results, error))
    return FALSE;
  char *line = record_end(self->state, self->results);
  gboolean done = run_folder_record(self->folder, line, &self->state->log_bytes, error);
  g_free(line);
  return done && onlooker_end(self->onlooker, self->results, error);
}

static gboolean train(Run *self, GError **error) {
  RunState *state = self->state;
  while (state->epoch < epochs_of(self) && !stale(self)) {
    const char *reached = limit(self);
    if (reached && state->batch == 0) break;
    if (state->epoch >= self->until) return paused(self, error);
    if (signals_stop()) return stopped(self, error);
    if (!reached && !train_epoch(self, error)) return FALSE;
    if (state->batch < batches_of(self)) return finish_part(self, error);
    if (!finish_epoch(self, error)) return FALSE;
  }
  return save_unless_saved(self, error);
}

static void note_end(Run *self) {
  const RunState *state = self->state;
  self->stopped_by = stopped_by(self);
  if (self->stopped_by && stale(self))
    progress_note(&self->progress, "stopped early: no improvement since epoch %" G_GINT64_FORMAT,
                  state->stop.epoch);
  else if (self->stopped_by)
    progress_note(&self->progress,
                  "stopped after %" G_GINT64_FORMAT " steps and %.1f s, as stop.%s says",
                  state->step, state->seconds, self->stopped_by);
}

static gboolean train_and_conclude(Run *self, GError **error) {
  GError *cause = NULL;
  if (!save_unless_saved(self, error) || !point_best(self, error) || !train(self, error))
    return FALSE;
  note_end(self);
  if (conclude(self, &cause)) return TRUE;
  if (cause->code != AB_STOPPED) {
    g_propagate_error(error, cause);
    return FALSE;
  }
  g_clear_error(&cause);
  return host_fail(error, AB_STOPPED,
                   "stopped before the last evaluation; `abhost resume %s` does it",
                   self->folder->path);
}

gboolean run_train(Run *self, GError **error) {
  self->multiply_adds = ab_model_multiply_adds(self->assembly->model);
  if (!assembly_check(self->assembly, error)) return FALSE;
  self->onlooker = onlooker_new(self->assembly, self->folder, self->state, error);
  if (!self->onlooker) return FALSE;
  count_use(self);
  gboolean done = train_and_conclude(self, error);
  if (!done) count_use(self);
  g_clear_pointer(&self->onlooker, onlooker_free);
  return done;
}
