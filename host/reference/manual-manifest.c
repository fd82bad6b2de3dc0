/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of the manifest: every key that is no component's. */
#include "manual-internal.h"

#include "../manifest/sections.h"
#include "../manifest/settings.h"
#include "../registry/fit.h"
#include <string.h>

static void add_table(Page *page, const SettingsTable *table) {
  manual_rows(page, table->params, table->count, sizeof *table->params);
  for (const SettingsMap *map = settings_maps; map->section; map++)
    if (strcmp(map->section, table->section) == 0)
      page_item(page, map->key, "mapping of texts", map->doc);
}

/* "data.transform" below "data". */
static void add_nested(Page *page, const char *section) {
  g_autofree char *prefix = g_strdup_printf("%s.", section);
  for (const SettingsTable *table = settings_tables; table->section; table++) {
    if (!g_str_has_prefix(table->section, prefix)) continue;
    page_heading(page, 2, table->section);
    page_paragraph(page, "%s", table->doc);
    add_table(page, table);
  }
}

/* ---- keys that hold components --------------------------------------------------------------- */

/* "mse for reconstruct, predict" */
static char *default_text(const AbComponent *component) {
  GString *text = g_string_new(component->name);
  if (component->default_for == AB_ANY_ROLE) return g_string_free(text, FALSE);
  const char *gap = " for ";
  for (AbRole role = AB_ROLE_NONE + 1; role < AB_ROLE_COUNT; role++) {
    if (!(component->default_for & AB_ROLE_BIT(role))) continue;
    g_string_append_printf(text, "%s%s", gap, ab_role_name(role));
    gap = ", ";
  }
  return g_string_free(text, FALSE);
}

/* "mse for reconstruct, predict; cross-entropy for classify", or "none". */
static char *defaults_text(const Registry *registry, AbKind kind) {
  g_autoptr(GPtrArray) entries = fit_entries(registry, kind, AB_ROLE_NONE);
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < entries->len; i++) {
    const AbComponent *component = ((const Entry *)entries->pdata[i])->component;
    if (!component->default_for) continue;
    g_autofree char *one = default_text(component);
    g_string_append_printf(text, "%s%s", text->len ? "; " : "", one);
  }
  if (!text->len) g_string_append(text, "none");
  return g_string_free(text, FALSE);
}

static void add_section(Page *page, const Registry *registry, const Section *section) {
  g_autofree char *defaults = defaults_text(registry, section->kind);
  const SettingsTable *table = settings_table(section->key);
  page_heading(page, 1, section->key);
  page_paragraph(page, "%s", section->doc);
  page_paragraph(page, "%s of the kind %s. Default: %s.",
                 section->many ? "A component, or a list of components," : "A component",
                 ab_kind_name(section->kind), defaults);
  if (!table) return;
  page_paragraph(page, "%s", table->doc);
  add_table(page, table);
  add_nested(page, section->key);
}

/* ---- the page -------------------------------------------------------------------------------- */

static void add_key(Page *page, const Registry *registry, const char *key) {
  const Section *section = section_of_key(key);
  const SettingsTable *table = settings_table(key);
  if (section) {
    add_section(page, registry, section);
  } else if (table) {
    page_heading(page, 1, key);
    page_paragraph(page, "%s", table->doc);
    add_table(page, table);
    add_nested(page, key);
  }
}

static void add_components(Page *page) {
  page_heading(page, 1, "How a component is written");
  page_paragraph(page, "As a mapping with its name under the key `plugin`, its parameters and its "
                       "slots, which hold components themselves:");
  page_code(page, "model:\n  plugin: auto-encoder\n  encoder: {plugin: mlp, units: [256, 32]}\n"
                  "  decoder: {plugin: mlp, units: [256]}\n");
  page_paragraph(page,
                 "The name alone stands for a mapping with nothing else. Of a kind that has a "
                 "default for the problem, `plugin` may be left out: `optimizer: {lr: 1e-2}`.");
}

static void add_candidates(Page *page) {
  page_heading(page, 1, "candidates");
  page_paragraph(page,
                 "A mapping from names to what differs: each key of a candidate takes the "
                 "place of the manifest's, as a whole. `abhost run --candidate NAME` lays one "
                 "over the manifest, and `abhost compare` runs them all.");
}

static void add_introduction(Page *page) {
  page_heading(page, 1, "Description");
  page_paragraph(page, "A manifest is a YAML mapping. Values are read by the type that their "
                       "parameter has, whatever YAML would take them for: `1e-4` is a number. An "
                       "integer may be written 1000, 1_000 or 1e3; quotes make no difference. "
                       "Unknown keys are mistakes, and all mistakes are told at once. Paths are "
                       "relative to the manifest.");
  if (page_form(page) == PAGE_MARKDOWN)
    page_raw(page, "[manifest.md](manifest.md) introduces it, with examples; "
                   "[components.md](components.md) has the parameters of the components.");
}

char *manual_manifest(const Registry *registry, PageForm form) {
  settings_fill();
  g_autofree const char **names = section_names();
  Page *page = page_new(form, "abhost-manifest", 5, "The manifest: reference");
  manual_name(page, "abhost\\-manifest", "a problem and what answers it");
  add_introduction(page);
  page_heading(page, 1, "Top level");
  add_table(page, settings_table(""));
  for (guint i = 0; names[i]; i++) add_key(page, registry, names[i]);
  add_candidates(page);
  add_components(page);
  if (form == PAGE_ROFF) {
    page_heading(page, 1, "See also");
    page_raw(page, ".BR abhost (1),\n.BR abhost\\-components (7)");
  }
  return page_finish(page);
}
