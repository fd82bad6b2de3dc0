/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of the keys that hold components. */
#include "sections.h"

#include "settings.h"
#include <string.h>

const Section sections[] = {
    {"data", AB_KIND_DATA, FALSE, TRUE, "What is learned from: samples, in splits."},
    {"environment", AB_KIND_ENVIRONMENT, FALSE, TRUE,
     "What an agent acts in; it stands in the place of data where the problem is act."},
    {"noise", AB_KIND_NOISE, FALSE, FALSE, "On the training input; the target stays clean."},
    {"model", AB_KIND_MODEL, FALSE, TRUE, "What answers the problem."},
    {"loss", AB_KIND_LOSS, FALSE, FALSE,
     "How far the model's answer is from the target; not used by a model that has an objective of "
     "its own."},
    {"regularizers", AB_KIND_REGULARIZER, TRUE, FALSE,
     "Penalties on weights, and limits that they are held to."},
    {"optimizer", AB_KIND_OPTIMIZER, FALSE, FALSE, "How gradients move weights."},
    {"controller", AB_KIND_CONTROLLER, FALSE, FALSE, "What a step of training is."},
    {"metrics", AB_KIND_METRIC, TRUE, FALSE, "What the splits are evaluated by."},
    {NULL, 0, FALSE, FALSE, NULL},
};

const Section *section_of_key(const char *key) {
  for (const Section *section = sections; section->key; section++)
    if (strcmp(section->key, key) == 0) return section;
  return NULL;
}

const Section *section_of_kind(AbKind kind) {
  for (const Section *section = sections; section->key; section++)
    if (section->kind == kind) return section;
  return NULL;
}

const char **section_names(void) {
  GPtrArray *names = g_ptr_array_new();
  for (const Section *section = sections; section->key; section++)
    g_ptr_array_add(names, (gpointer)section->key);
  for (const SettingsTable *table = settings_tables; table->section; table++) {
    gboolean below = strchr(table->section, '.') != NULL;
    if (!*table->section)
      for (guint i = 0; i < table->count; i++)
        g_ptr_array_add(names, (gpointer)table->params[i].key);
    else if (!below && !section_of_key(table->section))
      g_ptr_array_add(names, (gpointer)table->section);
  }
  g_ptr_array_add(names, NULL);
  return (const char **)g_ptr_array_free(names, FALSE);
}
