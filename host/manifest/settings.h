/* SPDX-License-Identifier: Apache-2.0
 *
 * What a manifest says beside its components: seed, epochs, batches, validation, checkpoints. Each
 * section is a table of parameters like that of a plugin, so that checking, messages, the resolved
 * manifest and the reference come from one place.                                               */
#ifndef HOST_MANIFEST_SETTINGS_H
#define HOST_MANIFEST_SETTINGS_H

#include "../feed/feed.h"
#include "node.h"

typedef struct {
  const char *match; /* weights by full name; * and ? */
  double rate;       /* factor of the learning rate */
} RateGroup;

typedef struct {
  int64_t problem; /* role - 1 */
  int64_t seed, epochs;
  int64_t device;    /* index into ab_device_names() */
  int64_t precision; /* 0: f32, 1: f64 */
  AbTexts freeze;    /* patterns of weights that do not learn */
} GeneralSettings;

typedef struct {
  int64_t steps;    /* of an epoch */
  int64_t episodes; /* of an evaluation */
} EnvironmentSettings;

typedef struct {
  int64_t every, steps, keep; /* epochs, steps (0: off), files */
  const char *best;           /* metric, or NULL */
} CheckpointSettings;

typedef struct {
  const char *metric; /* or NULL: the first */
  int64_t patience;   /* epochs without improvement; 0: never stop early */
  double min_delta;
  int64_t steps;  /* of training; 0: no limit */
  double seconds; /* of training, over all sessions; 0: no limit */
} StopSettings;

typedef struct {
  double norm, value; /* 0: off */
} ClipSettings;

typedef struct {
  const char *from; /* checkpoint, or NULL */
  GPtrArray *map;   /* pairs of char *: prefix here, prefix there */
} InitSettings;

typedef struct {
  GeneralSettings general;
  EnvironmentSettings environment;
  FeedOptions feed;
  FeedTransform transform;
  CheckpointSettings checkpoint;
  StopSettings stop;
  ClipSettings clip;
  InitSettings init;
  AbRecords rates; /* of RateGroup */
  Node *sections;  /* what each section resolves to, by its name in settings_tables */
  GPtrArray *memory;
} Settings;

/* Reads all sections of `root`; mistakes are noted. */
Settings *settings_new(const Node *root, Diagnostics *diagnostics);
void settings_free(Settings *self);

AbRole settings_role(const Settings *self); /* AB_ROLE_NONE where that was a mistake */
AbDtype settings_precision(const Settings *self);
const char *settings_device(const Settings *self);

/* Keys of the data, environment and optimizer mappings that are settings and no parameters of the
 * component. */
extern const char *const settings_data_keys[], *const settings_environment_keys[],
                                                   *const settings_optimizer_keys[];
/* Copies what a section resolves to into a mapping: all of its keys, or, with `key`, the whole
 * section under that key (nothing if it is empty).                                               */
void settings_resolve(const Settings *self, const char *section, const char *key, Node *into);

/* All tables, for the reference of manifests: rows of {section, rows, count, doc}; NULL section
 * ends. Roles and devices are in them after settings_fill, which settings_new calls as well.     */
typedef struct {
  const char *section; /* "" for the top level, "data.transform" for a section in a section */
  const AbParam *params;
  guint count;
  const char *doc;
} SettingsTable;
extern const SettingsTable settings_tables[];
void settings_fill(void);
const SettingsTable *settings_table(const char *section); /* NULL if there is none */

/* Keys that are mappings from texts to texts; NULL section ends. */
typedef struct {
  const char *section, *key, *doc;
} SettingsMap;
extern const SettingsMap settings_maps[];

#endif
