/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of all components. */
#include "manual-internal.h"

#include "../commands/inspect.h"
#include "../manifest/param.h"
#include "../registry/fit.h"

#include <string.h>

/* ---- one component --------------------------------------------------------------------------- */

static void add_slot(Page *page, const Registry *registry, const AbSlot *slot) {
  g_autofree char *wanted = fit_wanted(slot->kind, slot->role);
  g_autofree char *note = g_strdup_printf("%s, %s", wanted, inspect_arity(slot->arity));
  g_autofree char *names = fit_names(registry, slot->kind, slot->role);
  g_autofree char *text =
      slot->role == AB_ROLE_NONE
          ? g_strdup(slot->doc)
          : g_strdup_printf("%s%sFits: %s.", slot->doc, *slot->doc ? " " : "", names);
  page_item(page, slot->key, note, text);
}

static void add_defaults(Page *page, const AbComponent *component) {
  if (component->default_for == AB_ANY_ROLE)
    page_paragraph(page, "The default of its kind.");
  else if (component->default_for) {
    GString *roles = g_string_new(NULL);
    for (AbRole role = AB_ROLE_NONE + 1; role < AB_ROLE_COUNT; role++)
      if (component->default_for & AB_ROLE_BIT(role))
        g_string_append_printf(roles, "%s%s", roles->len ? ", " : "", ab_role_name(role));
    page_paragraph(page, "The default of its kind for: %s.", roles->str);
    g_string_free(roles, TRUE);
  }
}

static void add_component(Page *page, const Registry *registry, const AbComponent *component) {
  g_autofree char *name = g_strdup_printf("%s/%s", ab_kind_name(component->kind), component->name);
  g_autofree char *roles = fit_roles(component);
  page_heading(page, 2, name);
  page_paragraph(page, "%s", component->doc);
  if (*component->citation) page_paragraph(page, "Citation: %s", component->citation);
  if (*roles) page_paragraph(page, "Roles: %s.", roles);
  add_defaults(page, component);
  if (component->param_count) page_paragraph(page, "Parameters:");
  manual_rows(page, component->params, component->param_count, component->param_stride);
  if (component->slot_count) page_paragraph(page, "Slots:");
  for (guint i = 0; i < component->slot_count; i++)
    add_slot(page, registry, slot_row(component, i));
}

/* ---- all ------------------------------------------------------------------------------------- */

/* Links to the components of a kind, by the names that GitHub gives to headings. */
static void add_contents(Page *page, const GPtrArray *entries) {
  GString *links = g_string_new(NULL);
  for (guint i = 0; i < entries->len; i++) {
    const AbComponent *component = ((const Entry *)entries->pdata[i])->component;
    g_string_append_printf(links, "%s[%s](#%s%s)", i ? ", " : "", component->name,
                           ab_kind_name(component->kind), component->name);
  }
  page_raw(page, "%s", links->str);
  g_string_free(links, TRUE);
}

static void add_kind(Page *page, const Registry *registry, AbKind kind) {
  g_autoptr(GPtrArray) entries = fit_entries(registry, kind, AB_ROLE_NONE);
  if (!entries->len) return;
  page_heading(page, 1, ab_kind_name(kind));
  if (page_form(page) == PAGE_MARKDOWN) add_contents(page, entries);
  for (guint i = 0; i < entries->len; i++)
    add_component(page, registry, ((const Entry *)entries->pdata[i])->component);
}

char *manual_components(const Registry *registry, PageForm form) {
  Page *page = page_new(form, "abhost-components", 7, "Components");
  manual_name(page, "abhost\\-components", "what a manifest can name");
  page_heading(page, 1, "Description");
  page_paragraph(page, "The components that come with the program, by kind, with their parameters "
                       "and slots. `abhost list` shows those that are installed, `abhost inspect "
                       "COMPONENT` the same of one of them, with a manifest to start from.");
  for (AbKind kind = 1; kind < AB_KIND_COUNT; kind++) add_kind(page, registry, kind);
  if (form == PAGE_ROFF) {
    page_heading(page, 1, "See also");
    page_raw(page, ".BR abhost (1),\n.BR abhost\\-manifest (5)");
  }
  return page_finish(page);
}
