/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluation on a split. */
#include "evaluate.h"

#include "signals.h"
#include <math.h>
#include <string.h>

static void result_free(gpointer data) {
  Result *result = data;
  g_free(result->split);
  g_free(result->name);
  g_free(result);
}

GPtrArray *results_new(void) {
  return g_ptr_array_new_with_free_func(result_free);
}

void results_add(GPtrArray *results, const char *split, const char *name, double value) {
  Result *result = g_new0(Result, 1);
  *result = (Result){g_strdup(split), g_strdup(name), value};
  g_ptr_array_add(results, result);
}

const Result *results_find(const GPtrArray *results, const char *split, const char *name) {
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    if (strcmp(result->split, split) == 0 && strcmp(result->name, name) == 0) return result;
  }
  return NULL;
}

gboolean prepare_batch(Assembly *self, AbBatch *batch, gboolean training, gint64 step) {
  const char *target = training ? assembly_target(self->taught) : assembly_compared(self);
  if (target) ab_batch_put(batch, "target", ab_batch_get(batch, target));
  if (training && self->noise) {
    ab_begin(self->ctx, AB_PURPOSE_NOISE, step);
    ab_batch_put(batch, "x", ab_noise_corrupt(self->noise, ab_batch_get(batch, "x")));
  }
  return ab_ok(self->ctx);
}

/* Sums of one pass. */
typedef struct {
  double loss;
  gint64 samples;
} Pass;

static gboolean has_loss(const Assembly *self) {
  return self->loss && !self->own_objective && assembly_target(self->role);
}

static void add_batch(Assembly *self, AbBatch *batch, Pass *pass) {
  AbTensor *target = ab_batch_get(batch, "target");
  gint64 samples = ab_batch_count(batch);
  const AbBatch *outer = ab_set_batch(self->ctx, batch);
  AbTensor *output = self->role == AB_ROLE_GENERATE
                         ? ab_generate(self->model, samples)
                         : ab_call(self->model, self->role, ab_batch_get(batch, "x"));
  ab_set_batch(self->ctx, outer);
  if (has_loss(self))
    pass->loss += ab_item(ab_loss_value(self->loss, output, target)) * (double)samples;
  for (guint i = 0; i < self->metrics->len; i++)
    ab_metric_update(((NamedMetric *)self->metrics->pdata[i])->metric, output, target);
  pass->samples += samples;
}

/* One batch; FALSE at the end (*error unset) or after an error. */
static gboolean next_batch(Assembly *self, gint64 number, Pass *pass, GError **error) {
  AbScope scope = ab_scope_begin(self->ctx);
  AbBatch *batch = feed_next(self->feed, error);
  if (batch && prepare_batch(self, batch, FALSE, number)) {
    ab_begin(self->ctx, AB_PURPOSE_EVALUATE, number);
    add_batch(self, batch, pass);
  }
  gboolean more = batch != NULL;
  ab_batch_free(batch);
  ab_scope_end(self->ctx, scope, NULL, 0);
  if (more && signals_stop()) {
    g_set_error(error, HOST_ERROR, AB_STOPPED, "stopped on request");
    return FALSE;
  }
  return more && assembly_check(self, error);
}

static void collect(Assembly *self, AbSplit split, const Pass *pass, GPtrArray *results) {
  const char *name = ab_split_name(split);
  if (has_loss(self) && pass->samples > 0)
    results_add(results, name, "loss", pass->loss / (double)pass->samples);
  for (guint i = 0; i < self->metrics->len; i++) {
    const NamedMetric *metric = self->metrics->pdata[i];
    results_add(results, name, metric->name, ab_metric_value(metric->metric));
  }
}

static void begin_metrics(Assembly *self) {
  for (guint i = 0; i < self->metrics->len; i++)
    ab_metric_begin(((NamedMetric *)self->metrics->pdata[i])->metric, self->model);
}

/* Episodes without exploration; the metrics see their returns. */
static gboolean evaluate_agent(Assembly *self, AbSplit split, GPtrArray *results, GError **error) {
  Pass pass = {0};
  if (split == AB_TRAIN) return TRUE;
  begin_metrics(self);
  for (gint64 i = 0; i < self->settings->environment.episodes && ab_ok(self->ctx); i++) {
    AbScope scope = ab_scope_begin(self->ctx);
    ab_begin(self->ctx, AB_PURPOSE_EVALUATE, split * EVALUATE_EPISODES + i);
    AbTensor *sum = ab_full(self->ctx, ab_real_dtype(self->ctx), AB_SHAPE(1),
                            ab_environment_episode(self->environment, self->model));
    for (guint j = 0; j < self->metrics->len; j++)
      ab_metric_update(((NamedMetric *)self->metrics->pdata[j])->metric, sum, sum);
    ab_scope_end(self->ctx, scope, NULL, 0);
    if (signals_stop()) return host_fail(error, AB_STOPPED, "stopped on request");
  }
  collect(self, split, &pass, results);
  return assembly_check(self, error);
}

gboolean evaluate_split(Assembly *self, AbSplit split, GPtrArray *results, GError **error) {
  if (self->environment) return evaluate_agent(self, split, results, error);
  if (feed_samples(self->feed, split) == 0 || !assembly_compared(self)) return TRUE;
  if (self->metrics->len == 0 && !has_loss(self)) return TRUE;
  GError *cause = NULL;
  Pass pass = {0};
  if (!feed_start(self->feed, split, 0, 0, error)) return FALSE;
  begin_metrics(self);
  bool recording = ab_set_recording(self->ctx, false);
  for (gint64 number = 0; next_batch(self, number, &pass, &cause); number++) {
  }
  ab_set_recording(self->ctx, recording);
  if (cause) {
    g_propagate_error(error, cause);
    return FALSE;
  }
  collect(self, split, &pass, results);
  return TRUE;
}

/* ---- the table ------------------------------------------------------------------------------- */

static void distinct(GPtrArray *list, const char *text) {
  for (guint i = 0; i < list->len; i++)
    if (strcmp(list->pdata[i], text) == 0) return;
  g_ptr_array_add(list, (gpointer)text);
}

static char *cell(const GPtrArray *results, const char *split, const char *name) {
  const Result *result = results_find(results, split, name);
  return result ? g_strdup_printf("%.5g", result->value) : g_strdup("");
}

char *results_table(const GPtrArray *results) {
  GPtrArray *splits = g_ptr_array_new(), *names = g_ptr_array_new();
  int width = 0;
  for (guint i = 0; i < results->len; i++) {
    const Result *result = results->pdata[i];
    distinct(splits, result->split);
    distinct(names, result->name);
    width = MAX(width, (int)strlen(result->name));
  }
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "%-*s", width, "");
  for (guint j = 0; j < splits->len; j++)
    g_string_append_printf(text, "  %12s", (const char *)splits->pdata[j]);
  g_string_append_c(text, '\n');
  for (guint i = 0; i < names->len; i++) {
    g_string_append_printf(text, "%-*s", width, (const char *)names->pdata[i]);
    for (guint j = 0; j < splits->len; j++) {
      char *value = cell(results, splits->pdata[j], names->pdata[i]);
      g_string_append_printf(text, "  %12s", value);
      g_free(value);
    }
    g_string_append_c(text, '\n');
  }
  g_ptr_array_unref(splits);
  g_ptr_array_unref(names);
  return g_string_free(text, FALSE);
}
