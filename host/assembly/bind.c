/* SPDX-License-Identifier: Apache-2.0
 *
 * The components that a manifest names, and those that it gets by default. */
#include "assembly.h"

#include "../manifest/sections.h"
#include "../store/service.h"
#include <string.h>

/* ---- keys of the top level ------------------------------------------------------------------- */

static void check_keys(const Node *root, Diagnostics *diagnostics) {
  g_autofree const char **names = section_names();
  for (guint i = 0; i < root->keys->len; i++) {
    const Node *key = root->keys->pdata[i];
    if (g_strv_contains(names, key->text)) continue;
    const char *nearest = nearest_name(key->text, names);
    char *place = node_place(key), *all = g_strjoinv(", ", (char **)names);
    diagnostics_add(diagnostics, AB_CONFIG, place, "a manifest has no key '%s'; %s%s%s(keys: %s)",
                    key->text, nearest ? "did you mean '" : "", nearest ? nearest : "",
                    nearest ? "'? " : "leave it out ", all);
    g_free(all);
    g_free(place);
  }
}

/* Notes where each key stands ("data.batch"), for what is found out later. */
static void note_places(Assembly *self, const Node *mapping, const char *prefix, int depth) {
  for (guint i = 0; mapping->kind == NODE_MAPPING && i < mapping->items->len; i++) {
    const Node *value = mapping->items->pdata[i];
    g_autofree char *key = g_strconcat(prefix, ((Node *)mapping->keys->pdata[i])->text, NULL);
    char *place = node_place(value);
    if (place) g_hash_table_insert(self->binder.places, g_strdup(key), place);
    g_autofree char *below = g_strconcat(key, ".", NULL);
    if (depth > 1) note_places(self, value, below, depth - 1);
  }
}

/* ---- one component --------------------------------------------------------------------------- */

/* The default component of a kind for the role of the problem, as a node; NULL if there is none. */
static Node *preset(Assembly *self, AbKind kind) {
  GError *error = NULL;
  const Entry *entry = registry_default(self->binder.registry, kind,
                                        kind == AB_KIND_LOSS ? self->taught : self->role, &error);
  if (error) {
    diagnostics_add(self->binder.diagnostics, (AbCode)error->code, NULL, "%s", error->message);
    g_error_free(error);
  }
  return entry ? node_scalar(entry->component->name) : NULL;
}

/* Kinds without a default: they are the problem and its answer. */
static gboolean chosen(AbKind kind) {
  return section_of_kind(kind)->chosen;
}

/* Binds one component under `key`, with what the manifest says or the default; NULL if there is
 * neither. `settings_keys` are left to the settings of that section.                            */
static AbInstance *bind_one(Assembly *self, const Node *root, const char *key, AbKind kind,
                            const char *const *settings_keys) {
  const Node *given = node_get(root, key);
  Node *node = given ? node_copy(given) : preset(self, kind);
  if (given && given->kind == NODE_MAPPING && !chosen(kind) &&
      !node_get(given, "plugin")) { /* {lr: 0.1} of the default optimizer */
    Node *name = preset(self, kind);
    if (name) node_put(node, "plugin", name);
  }
  if (!node) return NULL;
  Node *resolved = NULL;
  self->binder.extra = settings_keys;
  AbInstance *instance = bind_component(
      &self->binder, kind, kind == AB_KIND_MODEL ? self->role : AB_ROLE_NONE, node, key, &resolved);
  if (resolved) {
    if (settings_keys) settings_resolve(self->settings, key, NULL, resolved);
    if (kind == AB_KIND_DATA)
      settings_resolve(self->settings, "data.transform", "transform", resolved);
    node_put(self->resolved, key, resolved);
  }
  node_free(node);
  return instance;
}

/* Without a problem nothing has a default. */
static void note_missing(Assembly *self, const Node *root, const char *key, AbKind kind) {
  gboolean free = chosen(kind);
  if (!free && self->role == AB_ROLE_NONE) return;
  char *place = node_place(root);
  diagnostics_add(self->binder.diagnostics, AB_CONFIG, place,
                  "the manifest names no %s%s%s; `abhost list %s` shows what is installed", key,
                  free ? "" : ", and none is the default for ",
                  free ? "" : ab_role_name(self->role), ab_kind_name(kind));
  g_free(place);
}

static AbInstance *bind_required(Assembly *self, const Node *root, const char *key, AbKind kind,
                                 const char *const *settings_keys) {
  guint before = diagnostics_count(self->binder.diagnostics);
  AbInstance *instance = bind_one(self, root, key, kind, settings_keys);
  if (!instance && diagnostics_count(self->binder.diagnostics) == before)
    note_missing(self, root, key, kind);
  return instance;
}

/* ---- several components ---------------------------------------------------------------------- */

/* A sequence of components, or one; each is given to `add`. */
static void bind_list(Assembly *self, const Node *list, const char *key, AbKind kind,
                      void (*add)(Assembly *self, AbInstance *instance)) {
  Node *all = node_sequence();
  gboolean listed = list->kind == NODE_SEQUENCE;
  guint count = listed ? list->items->len : 1;
  for (guint i = 0; i < count; i++) {
    char *path = g_strdup_printf("%s/%u", key, i);
    Node *resolved = NULL;
    AbInstance *instance = bind_component(&self->binder, kind, AB_ROLE_NONE,
                                          listed ? list->items->pdata[i] : list, path, &resolved);
    if (instance) add(self, instance);
    if (resolved) node_append(all, resolved);
    g_free(path);
  }
  node_put(self->resolved, key, all);
}

static void add_regularizer(Assembly *self, AbInstance *instance) {
  g_ptr_array_add(self->regularizers, instance);
}

static void add_metric(Assembly *self, AbInstance *instance) {
  NamedMetric *metric = g_new0(NamedMetric, 1);
  metric->metric = instance;
  metric->name = assembly_metric(self, instance->component->name)
                     ? g_strdup_printf("%s-%u", instance->component->name, self->metrics->len + 1)
                     : g_strdup(instance->component->name);
  g_ptr_array_add(self->metrics, metric);
}

/* The metrics that are the default for the role, where the manifest names none. */
static void bind_metrics(Assembly *self, const Node *root) {
  const Node *given = node_get(root, "metrics");
  Node *chosen = given ? node_copy(given) : node_sequence();
  self->metrics_given = given != NULL;
  const GPtrArray *entries = registry_entries(self->binder.registry);
  for (guint i = 0; !given && i < entries->len; i++) {
    const AbComponent *component = ((const Entry *)entries->pdata[i])->component;
    if (component->kind == AB_KIND_METRIC && component->default_for & AB_ROLE_BIT(self->role))
      node_append(chosen, node_scalar(component->name));
  }
  bind_list(self, chosen, "metrics", AB_KIND_METRIC, add_metric);
  node_free(chosen);
}

static void check_metric_names(Assembly *self, const Node *root) {
  if (self->role == AB_ROLE_NONE && !node_get(root, "metrics"))
    return; /* their default is unknown */
  static const struct {
    const char *section, *key;
  } uses[] = {{"checkpoint", "best"}, {"stop", "metric"}};
  for (guint i = 0; i < G_N_ELEMENTS(uses); i++) {
    const Node *node = node_get(node_get(root, uses[i].section), uses[i].key);
    if (!node || node->kind != NODE_SCALAR || assembly_metric(self, node->text)) continue;
    GString *names = g_string_new(NULL);
    for (guint j = 0; j < self->metrics->len; j++)
      g_string_append_printf(names, "%s%s", j ? ", " : "",
                             ((NamedMetric *)self->metrics->pdata[j])->name);
    char *place = node_place(node);
    diagnostics_add(self->binder.diagnostics, AB_CONFIG, place,
                    "%s.%s: this run has no metric '%s' (it has: %s)", uses[i].section, uses[i].key,
                    node->text, names->len ? names->str : "none");
    g_free(place);
    g_string_free(names, TRUE);
  }
}

/* ---- all ------------------------------------------------------------------------------------- */

static void metric_free(gpointer data) {
  NamedMetric *metric = data;
  g_free(metric->name);
  g_free(metric);
}

/* A role without a target leaves a loss nothing to compare with. */
static void note_no_objective(Assembly *self, const Node *root) {
  char *place = node_place(node_get(root, "model"));
  diagnostics_add(self->binder.diagnostics, AB_CONFIG, place,
                  "model %s has no objective of its own, and the problem %s has no target that a "
                  "loss could compare with; take another controller (`abhost list controller`), "
                  "another model, or another problem and `apply --role %s`",
                  self->model->component->name, ab_role_name(self->role), ab_role_name(self->role));
  g_free(place);
}

/* A score that is the error of a reconstruction is learned by reconstructing. */
static AbRole taught_role(const Assembly *self) {
  gboolean reconstructs =
      self->model && ab_component_roles(self->model->component) & AB_ROLE_BIT(AB_ROLE_RECONSTRUCT);
  gboolean by_error = self->role == AB_ROLE_SCORE && !self->own_objective && reconstructs;
  return by_error ? AB_ROLE_RECONSTRUCT : self->role;
}

static void bind_loss(Assembly *self, const Node *root) {
  self->own_objective = self->model && ab_model_has_objective(self->model, self->role);
  self->taught = taught_role(self);
  gboolean target = self->role == AB_ROLE_NONE || assembly_target(self->taught);
  gboolean plain = self->controller && self->controller->component->default_for == AB_ANY_ROLE;
  if (self->model && !self->own_objective && !target && plain)
    note_no_objective(self, root);
  else if (node_get(root, "loss") || (target && !self->own_objective))
    self->loss = self->own_objective ? bind_one(self, root, "loss", AB_KIND_LOSS, NULL)
                                     : bind_required(self, root, "loss", AB_KIND_LOSS, NULL);
}

/* An agent learns from an environment, everything else from data. */
static void bind_source(Assembly *self, const Node *root) {
  gboolean acts = self->role == AB_ROLE_ACT;
  static const char *const of_data[] = {"data", "noise", "validation", NULL};
  static const char *const of_environment[] = {"environment", NULL};
  for (const char *const *key = acts ? of_data : of_environment; *key; key++) {
    const Node *node = node_get(root, *key);
    if (!node || self->role == AB_ROLE_NONE) continue;
    char *place = node_place(node);
    diagnostics_add(self->binder.diagnostics, AB_CONFIG, place,
                    "the problem %s has %s; leave %s out", ab_role_name(self->role),
                    acts ? "an environment instead of data" : "data and no environment", *key);
    g_free(place);
  }
  if (acts) {
    self->environment =
        bind_required(self, root, "environment", AB_KIND_ENVIRONMENT, settings_environment_keys);
  } else {
    self->data = bind_required(self, root, "data", AB_KIND_DATA, settings_data_keys);
    if (node_get(root, "noise")) self->noise = bind_one(self, root, "noise", AB_KIND_NOISE, NULL);
  }
}

static void bind_components(Assembly *self, const Node *root) {
  bind_source(self, root);
  self->model = bind_required(self, root, "model", AB_KIND_MODEL, NULL);
  self->controller = bind_required(self, root, "controller", AB_KIND_CONTROLLER, NULL);
  bind_loss(self, root);
  const Node *regularizers = node_get(root, "regularizers");
  if (regularizers)
    bind_list(self, regularizers, "regularizers", AB_KIND_REGULARIZER, add_regularizer);
  self->optimizer =
      bind_required(self, root, "optimizer", AB_KIND_OPTIMIZER, settings_optimizer_keys);
  bind_metrics(self, root);
  check_metric_names(self, root);
}

/* The sections that are settings alone. */
static void resolve_rest(Assembly *self) {
  g_autofree const char **names = section_names();
  for (guint i = 0; names[i]; i++)
    if (settings_table(names[i]) && !section_of_key(names[i]))
      settings_resolve(self->settings, names[i], names[i], self->resolved);
}

Assembly *assembly_new(const Registry *registry, const Node *root, gboolean dry,
                       Diagnostics *diagnostics, GError **error) {
  Assembly *self = g_new0(Assembly, 1);
  self->regularizers = g_ptr_array_new();
  self->metrics = g_ptr_array_new_with_free_func(metric_free);
  self->resolved = node_mapping();
  check_keys(root, diagnostics);
  self->settings = settings_new(root, diagnostics);
  self->role = settings_role(self->settings);
  self->ctx = ab_context_new(settings_device(self->settings), settings_precision(self->settings),
                             (guint64)self->settings->general.seed);
  if (!self->ctx) g_error("out of memory");
  ab_set_store(self->ctx, store_service());
  ab_dry_run(self->ctx, dry);
  bind_init(&self->binder, registry, self->ctx, diagnostics);
  note_places(self, root, "", 3);
  settings_resolve(self->settings, "", NULL, self->resolved);
  bind_components(self, root);
  resolve_rest(self);
  self->binder.diagnostics = NULL; /* the caller's */
  if (diagnostics_check(diagnostics, error)) return self;
  assembly_free(self);
  return NULL;
}

void assembly_free(Assembly *self) {
  if (!self) return;
  ab_step_free(self->step);
  feed_free(self->feed);
  bind_clear(&self->binder);
  ab_context_free(self->ctx);
  g_ptr_array_unref(self->regularizers);
  g_ptr_array_unref(self->metrics);
  node_free(self->resolved);
  settings_free(self->settings);
  g_free(self);
}

NamedMetric *assembly_metric(const Assembly *self, const char *name) {
  for (guint i = 0; i < self->metrics->len; i++) {
    NamedMetric *metric = self->metrics->pdata[i];
    if (strcmp(metric->name, name) == 0) return metric;
  }
  return NULL;
}
