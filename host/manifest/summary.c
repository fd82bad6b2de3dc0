/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of parameters on one line: "integer, default 64, 1 to 1048576 units". */
#include "param.h"

/* The value on one line, in flow style. */
static void add_flow(GString *out, const Node *node) {
  if (node->kind == NODE_SCALAR) {
    gboolean bare = *node->text && !node->quoted;
    g_string_append_printf(out, bare ? "%s" : "'%s'", node->text);
    return;
  }
  g_string_append_c(out, node->kind == NODE_SEQUENCE ? '[' : '{');
  for (guint i = 0; i < node->items->len; i++) {
    if (i) g_string_append(out, ", ");
    if (node->keys) g_string_append_printf(out, "%s: ", ((const Node *)node->keys->pdata[i])->text);
    add_flow(out, node->items->pdata[i]);
  }
  g_string_append_c(out, node->kind == NODE_SEQUENCE ? ']' : '}');
}

static void add_default(GString *out, const AbParam *row) {
  if (row->flags & AB_PARAM_REQUIRED) {
    g_string_append(out, ", required");
    return;
  }
  Diagnostics *diagnostics = diagnostics_new();
  g_autoptr(Node) value =
      row->flags & PARAM_OFF ? NULL : param_default(row, "summary", diagnostics);
  diagnostics_free(diagnostics);
  g_string_append(out, value ? ", default " : ", absent unless given");
  if (value) add_flow(out, value);
}

static void add_range(GString *out, const AbParam *row) {
  char *range = row->type == AB_TYPE_CHOICE ? param_choices(row) : param_range(row);
  const char *each = param_is_list(row->type) ? "each " : "";
  if (row->type == AB_TYPE_CHOICE)
    g_string_append_printf(out, ", one of: %s", range);
  else if (range)
    g_string_append_printf(out, ", %s%s", each, range);
  else if (*row->unit)
    g_string_append_printf(out, ", %sin %s", each, row->unit);
  g_free(range);
}

char *param_summary(const AbParam *row) {
  GString *out = g_string_new(param_type_name(row->type));
  add_default(out, row);
  add_range(out, row);
  return g_string_free(out, FALSE);
}
