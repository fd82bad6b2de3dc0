/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of the settings, and reading by them. */
#include "settings.h"

#include "bind.h"
#include "param.h"
#include <math.h>
#include <string.h>

static const char *role_names[AB_ROLE_COUNT]; /* in their order; see settings_fill */
static const char *const precisions[] = {"f32", "f64", NULL};

static AbParam general[] = {
    {.key = "problem",
     .type = AB_TYPE_CHOICE,
     .flags = AB_PARAM_REQUIRED,
     .offset = AB_FIELD(GeneralSettings, problem, int64_t),
     .choices = role_names,
     .unit = "",
     .doc = "The role that the model must fill.",
     .since = "0.1"},
    AB_PARAM_INT(GeneralSettings, seed, 0, 0, INT64_MAX, "", "Of everything random."),
    {.key = "device",
     .type = AB_TYPE_CHOICE,
     .offset = AB_FIELD(GeneralSettings, device, int64_t),
     .text_default = "cpu",
     .choices = NULL, /* see settings_fill */
     .unit = "",
     .doc = "Where to compute.",
     .since = "0.1"},
    AB_PARAM_CHOICE(GeneralSettings, precision, "f32", precisions, "Type of real numbers."),
    AB_PARAM_INT(GeneralSettings, epochs, 10, 0, 1 << 30, "epochs", "Passes over the data."),
    AB_PARAM_TEXTS(GeneralSettings, freeze, NULL,
                   "Weights that do not learn, by full name; * and ? are wildcards."),
};
#define GENERAL_COUNT G_N_ELEMENTS(general)

static const AbParam feed[] = {
    AB_PARAM_INT(FeedOptions, batch, 100, 1, 1 << 30, "samples", "Samples of one training step."),
    AB_PARAM_BOOL(FeedOptions, shuffle, true, "A new order of the samples in every epoch."),
    AB_PARAM_BOOL(FeedOptions, drop_last, false, "Leave out the last batch when it is short."),
};

static const AbParam transform[] = {
    AB_PARAM_INTS(FeedTransform, reshape, NULL, -1, INT64_MAX, "", "New shape of one sample of x."),
    AB_PARAM_REALS(FeedTransform, scale, NULL, -1e30, 1e30, "",
                   "[low, high]: where the training minimum and maximum of x go."),
    AB_PARAM_BOOL(FeedTransform, standardise, false,
                  "Each feature minus its training mean, over its standard deviation."),
    {.key = "binarise",
     .type = AB_TYPE_REAL,
     .flags = PARAM_OFF,
     .offset = AB_FIELD(FeedTransform, binarise, double),
     .real_min = -1e30,
     .real_max = 1e30,
     .unit = "",
     .doc = "Threshold above which x becomes 1, else 0; off where it is not given.",
     .since = "0.1"},
    AB_PARAM_BOOL(FeedTransform, draw, false,
                  "x from 0 to 1 is the probability of a 1, drawn anew in every epoch of training; "
                  "what is evaluated stays as it was drawn."),
    AB_PARAM_INT(FeedTransform, shift, 0, 0, 1000, "pixels",
                 "Training images moved by up to that."),
    AB_PARAM_BOOL(FeedTransform, flip, false, "Half of the training images mirrored."),
};

static const AbParam environment[] = {
    AB_PARAM_INT(EnvironmentSettings, steps, 1000, 1, 1 << 30, "steps", "Steps of one epoch."),
    AB_PARAM_INT(EnvironmentSettings, episodes, 10, 1, 1 << 20, "episodes",
                 "Episodes of an evaluation, without exploration."),
};

static const AbParam validation[] = {
    AB_PARAM_REAL(FeedOptions, fraction, 0.1, 0, 0.9, "",
                  "Part of the training samples held out, where the data has no split of its own."),
};

static const AbParam checkpoint[] = {
    AB_PARAM_INT(CheckpointSettings, every, 1, 1, 1 << 30, "epochs", "Between checkpoints."),
    AB_PARAM_INT(CheckpointSettings, steps, 0, 0, INT64_MAX, "steps",
                 "Between further checkpoints within an epoch; 0: none."),
    AB_PARAM_INT(CheckpointSettings, keep, 3, 1, 1 << 30, "files",
                 "Newest checkpoints that stay; the best one stays as well."),
    AB_PARAM_TEXT(CheckpointSettings, best, NULL,
                  "Metric of the validation split whose best checkpoint is kept and tested."),
};

static const AbParam stop[] = {
    AB_PARAM_TEXT(StopSettings, metric, NULL, "Metric that is watched; absent: the first."),
    AB_PARAM_INT(StopSettings, patience, 0, 0, 1 << 30, "epochs",
                 "Epochs without improvement after which training ends; 0: all epochs."),
    AB_PARAM_REAL(StopSettings, min_delta, 0, 0, 1e30, "", "What counts as an improvement."),
    AB_PARAM_INT(StopSettings, steps, 0, 0, INT64_MAX, "steps",
                 "Training steps after which the run ends, in the middle of an epoch too; 0: any."),
    AB_PARAM_REAL(StopSettings, seconds, 0, 0, 1e30, "s",
                  "Time of training after which the run ends, without pauses; 0: any."),
};

static const AbParam clip[] = {
    AB_PARAM_REAL(ClipSettings, norm, 0, 0, 1e30, "", "Longest norm of all gradients; 0: any."),
    AB_PARAM_REAL(ClipSettings, value, 0, 0, 1e30, "", "Largest size of one gradient; 0: any."),
};

static const AbParam init[] = {
    AB_PARAM_PATH(InitSettings, from, NULL,
                  "Checkpoint or run folder whose weights are taken, by name."),
};

static const AbParam rate_group[] = {
    {.key = "match",
     .type = AB_TYPE_TEXT,
     .flags = AB_PARAM_REQUIRED,
     .offset = AB_FIELD(RateGroup, match, const char *),
     .unit = "",
     .doc = "Weights by full name; * and ? are wildcards.",
     .since = "0.1"},
    AB_PARAM_REAL(RateGroup, rate, 1, 0, 1e6, "", "Factor of the learning rate."),
};
static const AbParam groups[] = {
    {.key = "groups",
     .type = AB_TYPE_RECORDS,
     .offset = AB_FIELD(Settings, rates, AbRecords),
     .record = rate_group,
     .record_count = G_N_ELEMENTS(rate_group),
     .record_size = sizeof(RateGroup),
     .unit = "",
     .doc = "Learning rates of some weights; the first match counts.",
     .since = "0.1"},
};

const SettingsTable settings_tables[] = {
    {"", general, GENERAL_COUNT, "The problem, and what holds for all of it."},
    {"data", feed, G_N_ELEMENTS(feed), "Keys that every data component takes besides its own."},
    {"data.transform", transform, G_N_ELEMENTS(transform),
     "What is done to x before the model sees it; statistics are those of the training split."},
    {"environment", environment, G_N_ELEMENTS(environment),
     "Keys that every environment takes besides its own."},
    {"optimizer", groups, G_N_ELEMENTS(groups), "Keys that the optimizer takes besides its own."},
    {"validation", validation, G_N_ELEMENTS(validation), "What is held out of training."},
    {"checkpoint", checkpoint, G_N_ELEMENTS(checkpoint), "What is saved, and when."},
    {"stop", stop, G_N_ELEMENTS(stop), "When training ends before its last epoch."},
    {"clip", clip, G_N_ELEMENTS(clip), "Limits of gradients."},
    {"init", init, G_N_ELEMENTS(init), "Weights to begin with."},
    {NULL, NULL, 0, NULL},
};

const SettingsMap settings_maps[] = {
    {"init", "map",
     "Where names differ: from names of weights here to names in the file of init.from."},
    {NULL, NULL, NULL},
};

/* From the SDK, so that no list is kept here. */
void settings_fill(void) {
  for (AbRole role = 1; role < AB_ROLE_COUNT; role++) role_names[role - 1] = ab_role_name(role);
  for (guint i = 0; i < GENERAL_COUNT; i++)
    if (strcmp(general[i].key, "device") == 0) general[i].choices = ab_device_names();
}

const SettingsTable *settings_table(const char *section) {
  for (const SettingsTable *table = settings_tables; table->section; table++)
    if (strcmp(table->section, section) == 0) return table;
  return NULL;
}

const char *const settings_data_keys[] = {"batch", "shuffle", "drop_last", "transform", NULL};
const char *const settings_environment_keys[] = {"steps", "episodes", NULL};
const char *const settings_optimizer_keys[] = {"groups", NULL};

/* ---- reading --------------------------------------------------------------------------------- */

static void *remember(void *owner, gsize size) {
  void *memory = g_malloc0(size);
  g_ptr_array_add(((Settings *)owner)->memory, memory);
  return memory;
}

/* Reads one section into `target`, and keeps what it resolves to. */
static Node *section(Settings *self, const char *name, const Node *node, const AbParam *params,
                     guint count, void *target, const char *const *ignore,
                     Diagnostics *diagnostics) {
  Node *resolved = node_mapping();
  bind_params(node, params, count, sizeof *params, target, remember, self, ignore,
              *name ? name : "the manifest", resolved, diagnostics);
  node_put(self->sections, name, resolved);
  return resolved;
}

static void absent_is_nan(const Node *node, const char *key, double *field, Node *resolved) {
  if (node_get(node, key)) return;
  *field = NAN;
  node_remove(resolved, key);
}

/* Only the keys of the table: the rest of the mapping is somebody else's. */
static Node *own_part(const Node *mapping, const AbParam *params, guint count) {
  if (!mapping || mapping->kind != NODE_MAPPING) return NULL;
  Node *part = node_copy(mapping);
  for (guint i = part->keys->len; i > 0; i--) {
    const char *key = ((Node *)part->keys->pdata[i - 1])->text;
    gboolean own = FALSE;
    for (guint j = 0; j < count; j++) own |= strcmp(params[j].key, key) == 0;
    if (!own) node_remove(part, key);
  }
  return part;
}

static void read_general(Settings *self, const Node *root, Diagnostics *diagnostics) {
  Node *part = own_part(root, general, GENERAL_COUNT);
  self->general.problem = -1; /* stays where the manifest's is missing or unknown */
  section(self, "", part, general, GENERAL_COUNT, &self->general, NULL, diagnostics);
  node_free(part);
}

static void read_data(Settings *self, const Node *root, Diagnostics *diagnostics) {
  const Node *data = node_get(root, "data"), *given = node_get(data, "transform");
  Node *part = own_part(data, feed, G_N_ELEMENTS(feed));
  section(self, "data", part, feed, G_N_ELEMENTS(feed), &self->feed, NULL, diagnostics);
  node_free(part);
  Node *resolved = section(self, "data.transform", given, transform, G_N_ELEMENTS(transform),
                           &self->transform, NULL, diagnostics);
  absent_is_nan(given, "binarise", &self->transform.binarise, resolved);
}

static void read_environment(Settings *self, const Node *root, Diagnostics *diagnostics) {
  Node *part = own_part(node_get(root, "environment"), environment, G_N_ELEMENTS(environment));
  section(self, "environment", part, environment, G_N_ELEMENTS(environment), &self->environment,
          NULL, diagnostics);
  node_free(part);
}

static void read_validation(Settings *self, const Node *root, Diagnostics *diagnostics) {
  const Node *given = node_get(root, "validation");
  Node *resolved = section(self, "validation", given, validation, G_N_ELEMENTS(validation),
                           &self->feed, NULL, diagnostics);
  absent_is_nan(given, "fraction", &self->feed.fraction, resolved);
}

/* The pairs of init.map; FALSE if it is no mapping of texts. */
static gboolean read_map(Settings *self, const Node *map) {
  if (map->kind != NODE_MAPPING) return FALSE;
  for (guint i = 0; i < map->items->len; i++) {
    const Node *here = map->keys->pdata[i], *there = map->items->pdata[i];
    if (there->kind != NODE_SCALAR) return FALSE;
    g_ptr_array_add(self->init.map, g_strdup(here->text));
    g_ptr_array_add(self->init.map, g_strdup(there->text));
  }
  return TRUE;
}

static void read_init(Settings *self, const Node *root, Diagnostics *diagnostics) {
  const char *const others[] = {settings_maps[0].key, NULL};
  const Node *given = node_get(root, "init"), *map = node_get(given, "map");
  Node *resolved =
      section(self, "init", given, init, G_N_ELEMENTS(init), &self->init, others, diagnostics);
  if (!map) return;
  if (read_map(self, map) && self->init.from) {
    node_put(resolved, "map", node_copy(map));
    return;
  }
  char *place = node_place(map);
  diagnostics_add(diagnostics, AB_CONFIG, place,
                  "init.map is a mapping from names here to names in the file of init.from, such "
                  "as {model/encoder: model}");
  g_free(place);
}

static void read_rates(Settings *self, const Node *root, Diagnostics *diagnostics) {
  Node *part = own_part(node_get(root, "optimizer"), groups, G_N_ELEMENTS(groups));
  section(self, "optimizer", part, groups, G_N_ELEMENTS(groups), self, NULL, diagnostics);
  node_free(part);
}

Settings *settings_new(const Node *root, Diagnostics *diagnostics) {
  settings_fill();
  Settings *self = g_new0(Settings, 1);
  self->memory = g_ptr_array_new_with_free_func(g_free);
  self->init.map = g_ptr_array_new_with_free_func(g_free);
  self->sections = node_mapping();
  read_general(self, root, diagnostics);
  read_data(self, root, diagnostics);
  read_environment(self, root, diagnostics);
  read_validation(self, root, diagnostics);
  read_init(self, root, diagnostics);
  read_rates(self, root, diagnostics);
#define READ(name)                                                                         \
  section(self, #name, node_get(root, #name), name, G_N_ELEMENTS(name), &self->name, NULL, \
          diagnostics)
  READ(checkpoint);
  READ(stop);
  READ(clip);
#undef READ
  return self;
}

void settings_resolve(const Settings *self, const char *name, const char *key, Node *into) {
  const Node *resolved = node_get(self->sections, name);
  if (!resolved || resolved->items->len == 0) return;
  if (key) {
    node_put(into, key, node_copy(resolved));
    return;
  }
  for (guint i = 0; i < resolved->items->len; i++)
    node_put(into, ((Node *)resolved->keys->pdata[i])->text, node_copy(resolved->items->pdata[i]));
}

void settings_free(Settings *self) {
  if (!self) return;
  g_ptr_array_unref(self->memory);
  g_ptr_array_unref(self->init.map);
  node_free(self->sections);
  g_free(self);
}

AbRole settings_role(const Settings *self) {
  return (AbRole)(self->general.problem + 1);
}

AbDtype settings_precision(const Settings *self) {
  return self->general.precision ? AB_F64 : AB_F32;
}

const char *settings_device(const Settings *self) {
  return ab_device_names()[self->general.device];
}
