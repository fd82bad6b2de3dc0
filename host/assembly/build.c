/* SPDX-License-Identifier: Apache-2.0
 *
 * Shapes: what the data is, what the role makes of it, a model built for that. */
#include "assembly.h"

#include <fnmatch.h>
#include <string.h>

/* Where the manifest has what a message begins with: a component ("loss (mse): ...") or a key
 * ("data.batch is ..."). NULL for a default, which it does not name.                             */
static const char *place_of(const Assembly *self, const char *message) {
  g_autofree char *subject = g_strndup(message, strcspn(message, " :,"));
  return g_hash_table_lookup(self->binder.places, subject);
}

/* Puts the place before the message of an error, if it is known; always FALSE. */
static gboolean add_place(const Assembly *self, GError **error) {
  const char *place = error && *error ? place_of(self, (*error)->message) : NULL;
  if (place) g_prefix_error(error, "%s: ", place);
  return FALSE;
}

gboolean assembly_check(Assembly *self, GError **error) {
  if (ab_ok(self->ctx)) return TRUE;
  g_set_error_literal(error, HOST_ERROR, ab_error_code(self->ctx), ab_error_message(self->ctx));
  return add_place(self, error);
}

const char *assembly_target(AbRole role) {
  switch (role) {
  case AB_ROLE_RECONSTRUCT: return "x";
  case AB_ROLE_CLASSIFY:
  case AB_ROLE_PREDICT: return "y";
  default: return NULL;
  }
}

const char *assembly_compared(const Assembly *self) {
  if (self->role == AB_ROLE_GENERATE) return "x";
  if (self->role == AB_ROLE_SCORE && feed_spec(self->feed, "y")) return "y";
  return assembly_target(self->role);
}

guint32 assembly_roles(const Assembly *self) {
  const AbModelVtable *table = self->model->component->vtable;
  guint32 roles = ab_component_roles(self->model->component);
  if (table->flags & AB_ONE_ROLE)
    roles &= AB_ROLE_BIT(ab_model_signature(self->model).role) | AB_ROLE_BIT(AB_ROLE_ENCODE);
  return roles;
}

/* What an agent sees, and a value for each action. */
static AbSignature agent_signature(const Assembly *self) {
  AbSpec seen = ab_environment_observation(self->environment);
  AbSpec values = {.rank = 1,
                   .dtype = ab_real_dtype(self->ctx),
                   .shape = {ab_environment_actions(self->environment)}};
  return ab_signature(AB_ROLE_ACT, &seen, &values);
}

/* What predict must give: what y is, or the logits of each of its classes. */
static AbSpec predicted(const Assembly *self, const AbSpec *y) {
  AbSpec out = *y;
  if (y->range != AB_RANGE_CLASS) return out;
  out = (AbSpec){.rank = y->rank + 1, .dtype = ab_real_dtype(self->ctx), .classes = y->classes};
  memcpy(out.shape, y->shape, (size_t)y->rank * sizeof *out.shape);
  out.shape[y->rank] = y->classes;
  return out;
}

/* What the model is given and must give, by role and data. */
static gboolean signature_of(const Assembly *self, AbSignature *signature, GError **error) {
  if (self->environment) {
    *signature = agent_signature(self);
    return TRUE;
  }
  const AbSpec *x = feed_spec(self->feed, "x"), *y = feed_spec(self->feed, "y");
  const char *name = self->data->component->name, *role = ab_role_name(self->role);
  const char *target = assembly_target(self->role);
  if (target && *target == 'y' && !y)
    return host_fail(error, AB_CONFIG, "data %s has no y, which the problem %s needs", name, role);
  if (self->role == AB_ROLE_CLASSIFY && (y->range != AB_RANGE_CLASS || y->rank > 0))
    return host_fail(error, AB_CONFIG,
                     "y of data %s is no class, which the problem classify needs; the problem "
                     "predict takes numbers, and classes of a sequence",
                     name);
  if (self->role == AB_ROLE_PREDICT && y->range == AB_RANGE_CLASS && y->rank == 0)
    return host_fail(error, AB_CONFIG,
                     "y of data %s is a class; the problem classify takes classes", name);
  if (self->role == AB_ROLE_RECONSTRUCT) {
    *signature = ab_signature(self->role, x, x);
  } else if (self->role == AB_ROLE_CLASSIFY) {
    AbSpec logits = {.rank = 1, .dtype = ab_real_dtype(self->ctx), .shape = {y->classes}};
    *signature = ab_signature(self->role, x, &logits);
  } else if (self->role == AB_ROLE_PREDICT) {
    AbSpec out = predicted(self, y);
    *signature = ab_signature(self->role, x, &out);
  } else if (self->role == AB_ROLE_SCORE) {
    AbSpec number = {.rank = 0, .dtype = ab_real_dtype(self->ctx)};
    *signature = ab_signature(self->role, x, &number);
  } else if (self->role == AB_ROLE_GENERATE) {
    AbSpec nothing = {.rank = -1};
    *signature = ab_signature(self->role, &nothing, x);
  } else {
    *signature = ab_signature(self->role, x, NULL);
  }
  return TRUE;
}

static void check_metrics_against(Assembly *self, const AbSpec *output, const AbSpec *target) {
  for (guint i = 0; target && i < self->metrics->len && ab_ok(self->ctx); i++) {
    AbMetric *metric = ((NamedMetric *)self->metrics->pdata[i])->metric;
    ab_metric_check(metric, output, target);
    if (ab_ok(self->ctx))
      ab_metric_begin(metric, self->model); /* refuses a model of no use to it */
  }
}

/* Whether the loss and the metrics can compare what there is. */
static void check_against_target(Assembly *self) {
  const AbSpec number = {.rank = 0, .dtype = ab_real_dtype(self->ctx)};
  const char *compared = assembly_compared(self), *taught = assembly_target(self->taught);
  AbSpec output = ab_model_signature(self->model).out;
  if (self->loss && !self->own_objective && taught) {
    const AbSpec *target = feed_spec(self->feed, taught);
    ab_loss_check(self->loss, self->taught == self->role ? &output : target, target);
  }
  if (self->environment)
    check_metrics_against(self, &number, &number); /* returns */
  else if (compared)
    check_metrics_against(self, &output, feed_spec(self->feed, compared));
}

static void no_action(AbInstance *instance, int64_t index) {
  (void)instance;
  (void)index;
}

/* Calls `act` for every weight whose name matches; a pattern that matches none is a mistake. */
static gboolean each_match(Assembly *self, const char *key, const char *pattern,
                           void (*act)(AbInstance *instance, int64_t index), GError **error) {
  guint matches = 0;
  for (guint i = 0; i < self->binder.instances->len; i++) {
    AbInstance *instance = self->binder.instances->pdata[i];
    for (gint64 j = 0; j < ab_state_count(instance); j++) {
      AbState state = ab_state(instance, j);
      if (!state.weight || fnmatch(pattern, state.name, 0) != 0) continue;
      act(instance, j);
      matches++;
    }
  }
  return matches > 0 ||
         host_fail(error, AB_CONFIG, "%s: no weight matches '%s'; `abhost check` lists the weights",
                   key, pattern);
}

static gboolean freeze(Assembly *self, GError **error) {
  const AbTexts *patterns = &self->settings->general.freeze;
  for (gint64 p = 0; p < patterns->count; p++)
    if (!each_match(self, "freeze", patterns->items[p], ab_state_freeze, error)) return FALSE;
  return TRUE;
}

static gboolean set_rates(Assembly *self, GError **error) {
  const RateGroup *rates = self->settings->rates.items;
  for (gint64 i = 0; i < self->settings->rates.count; i++) {
    if (!each_match(self, "optimizer.groups", rates[i].match, no_action, error)) return FALSE;
    ab_step_rate(self->step, rates[i].match, rates[i].rate);
  }
  return TRUE;
}

static gboolean make_step(Assembly *self, GError **error) {
  AbStepParts parts = {
      .role = self->taught,
      .model = self->model,
      .loss = self->own_objective ? NULL : self->loss,
      .environment = self->environment,
      .optimizer = self->optimizer,
      .controller = self->controller,
      .regularizers = (AbRegularizer *const *)self->regularizers->pdata,
      .regularizer_count = self->regularizers->len,
      .clip_norm = self->settings->clip.norm,
      .clip_value = self->settings->clip.value,
  };
  self->step = ab_step_new(self->ctx, &parts);
  if (!self->step) return assembly_check(self, error);
  if (!set_rates(self, error) || !freeze(self, error)) return FALSE;
  ab_step_build(self->step);
  return assembly_check(self, error);
}

gboolean assembly_build_model(Assembly *self, const AbSignature *signature, GError **error) {
  AbScope scope = ab_scope_begin(self->ctx);
  ab_begin(self->ctx, AB_PURPOSE_INIT, 0);
  ab_build(self->model, signature);
  ab_scope_end(self->ctx, scope, NULL, 0);
  return assembly_check(self, error);
}

/* What watches the validation split needs one. */
static gboolean check_watchers(const Assembly *self, GError **error) {
  const char *watcher = self->settings->checkpoint.best     ? "checkpoint.best"
                        : self->settings->stop.patience > 0 ? "stop.patience"
                                                            : NULL;
  if (!watcher || self->environment || feed_samples(self->feed, AB_VALIDATION) > 0) return TRUE;
  return host_fail(error, AB_CONFIG,
                   "%s watches the validation split, and there is none; see validation.fraction",
                   watcher);
}

static gboolean open_source(Assembly *self, GError **error) {
  if (self->environment) {
    ab_environment_build(self->environment);
    self->feed = feed_new_idle(self->ctx, self->settings->environment.steps);
  } else {
    ab_data_open(self->data);
    if (ab_ok(self->ctx))
      self->feed = feed_new(self->data, &self->settings->transform, &self->settings->feed,
                            (guint64)self->settings->general.seed, error);
  }
  return self->feed ? assembly_check(self, error) : *error == NULL && assembly_check(self, error);
}

/* Metrics of a score compare it with classes. */
static gboolean check_metrics(Assembly *self, GError **error) {
  if (self->role != AB_ROLE_SCORE || assembly_compared(self)) return TRUE;
  if (node_get(self->resolved, "metrics") && self->metrics_given)
    return host_fail(error, AB_CONFIG,
                     "metrics: the data has no y, which says of each sample what it is; leave the "
                     "metrics out");
  g_ptr_array_set_size(self->metrics, 0);
  return TRUE;
}

static gboolean build(Assembly *self, GError **error) {
  AbSignature signature;
  if (!open_source(self, error) || !check_metrics(self, error)) return FALSE;
  if (!signature_of(self, &signature, error) || !assembly_build_model(self, &signature, error))
    return FALSE;
  check_against_target(self);
  if (!assembly_check(self, error) || !check_watchers(self, error)) return FALSE;
  AbScope scope = ab_scope_begin(self->ctx);
  gboolean done = make_step(self, error);
  ab_scope_end(self->ctx, scope, NULL, 0);
  return done;
}

gboolean assembly_build(Assembly *self, GError **error) {
  return build(self, error) || add_place(self, error);
}

gboolean assembly_load(Assembly *self, GError **error) {
  return (feed_load(self->feed, error) && assembly_check(self, error)) || add_place(self, error);
}
