/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages by name. */
#include "manual-internal.h"

#include "../manifest/param.h"
#include <string.h>

const char **manual_names(void) {
  GPtrArray *names = g_ptr_array_new();
  g_ptr_array_add(names, (gpointer) "abhost");
  for (guint i = 0; command_table[i]; i++) g_ptr_array_add(names, (gpointer)command_table[i]->name);
  g_ptr_array_add(names, (gpointer) "manifest");
  g_ptr_array_add(names, (gpointer) "components");
  g_ptr_array_add(names, NULL);
  return (const char **)g_ptr_array_free(names, FALSE);
}

static const Command *command_named(const char *name) {
  for (guint i = 0; command_table[i]; i++)
    if (strcmp(command_table[i]->name, name) == 0) return command_table[i];
  return NULL;
}

char *manual_page(const Registry *registry, const char *name, PageForm form) {
  const Command *command = command_named(name);
  if (command) return manual_command(command, form);
  if (strcmp(name, "manifest") == 0) return manual_manifest(registry, form);
  if (strcmp(name, "components") == 0) return manual_components(registry, form);
  return manual_program(form);
}

char *manual_file(const char *name, PageForm form) {
  gboolean program = strcmp(name, "abhost") == 0, manifest = strcmp(name, "manifest") == 0,
           components = strcmp(name, "components") == 0;
  if (form == PAGE_MARKDOWN)
    return program      ? g_strdup("commands.md")
           : manifest   ? g_strdup("manifest-reference.md")
           : components ? g_strdup("components.md")
                        : NULL;
  int section = manifest ? 5 : components ? 7 : 1;
  if (program) return g_strdup_printf("man%d/abhost.%d", section, section);
  return g_strdup_printf("man%d/abhost-%s.%d", section, name, section);
}

/* ---- what pages share ------------------------------------------------------------------------ */

void manual_name(Page *page, const char *name, const char *summary) {
  if (page_form(page) == PAGE_MARKDOWN) return;
  g_autofree char *text = g_strdup(summary);
  gsize length = strlen(text);
  if (length && text[length - 1] == '.') text[length - 1] = '\0';
  page_heading(page, 1, "Name");
  page_raw(page, "%s \\- %s", name, text);
}

void manual_rows(Page *page, const AbParam *params, guint count, guint stride) {
  for (guint i = 0; i < count; i++) {
    const AbParam *row = param_row(params, stride, i);
    g_autofree char *summary = param_summary(row);
    g_autofree char *note = g_strdup_printf("%s; since %s", summary, row->since);
    page_item(page, row->key, note, row->doc);
    if (row->type != AB_TYPE_RECORDS) continue;
    page_indent(page);
    manual_rows(page, row->record, row->record_count, stride);
    page_outdent(page);
  }
}
