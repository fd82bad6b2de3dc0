/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of parameters in words. What is written here is read again by bind-value.c, which must get
 * the same bits.                                                                                */
#include "param.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const struct {
  const char *name;
  gsize size;
} types[] = {
    [AB_TYPE_INT] = {"integer", sizeof(int64_t)},
    [AB_TYPE_REAL] = {"number", sizeof(double)},
    [AB_TYPE_BOOL] = {"boolean", sizeof(bool)},
    [AB_TYPE_CHOICE] = {"choice", sizeof(int64_t)},
    [AB_TYPE_TEXT] = {"text", sizeof(const char *)},
    [AB_TYPE_PATH] = {"path", sizeof(const char *)},
    [AB_TYPE_INTS] = {"list of integers", sizeof(AbInts)},
    [AB_TYPE_REALS] = {"list of numbers", sizeof(AbReals)},
    [AB_TYPE_TEXTS] = {"list of texts", sizeof(AbTexts)},
    [AB_TYPE_RECORDS] = {"list of records", sizeof(AbRecords)},
};

const AbParam *param_row(const AbParam *params, guint stride, guint index) {
  return (const AbParam *)(const void *)((const char *)params + (gsize)stride * index);
}

const AbSlot *slot_row(const AbComponent *component, guint index) {
  const char *first = (const char *)component->slots;
  return (const AbSlot *)(const void *)(first + (gsize)component->slot_stride * index);
}

static gboolean is_type(AbParamType type) {
  return type >= AB_TYPE_INT && type <= AB_TYPE_RECORDS;
}

gsize param_field_size(AbParamType type) {
  return is_type(type) ? types[type].size : 0;
}

const char *param_type_name(AbParamType type) {
  return is_type(type) ? types[type].name : NULL;
}

gboolean param_is_list(AbParamType type) {
  return type >= AB_TYPE_INTS && type <= AB_TYPE_RECORDS;
}

gboolean param_is_whole(AbParamType type) {
  return type == AB_TYPE_INT || type == AB_TYPE_INTS;
}

gboolean param_is_real(AbParamType type) {
  return type == AB_TYPE_REAL || type == AB_TYPE_REALS;
}

char *param_real(double value) {
  if (isnan(value)) return g_strdup(".nan");
  if (isinf(value)) return g_strdup(value < 0 ? "-.inf" : ".inf");
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  for (int digits = 15; digits <= 17; digits++) {
    char format[8];
    g_snprintf(format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd(text, sizeof text, format, value);
    if (g_ascii_strtod(text, NULL) == value) break; /* 17 digits always do */
  }
  return g_strdup(text);
}

/* Bounds that are those of the type bound nothing; takes both texts. */
static char *range_text(char *min, char *max, const char *unit) {
  char *text = NULL;
  if (min && max && strcmp(min, max) == 0)
    text = g_strdup(min);
  else if (min && max)
    text = g_strdup_printf("%s to %s", min, max);
  else if (min || max)
    text = g_strdup_printf("%s %s", min ? "at least" : "at most", min ? min : max);
  g_free(min);
  g_free(max);
  if (!text || !*unit) return text;
  char *full = g_strdup_printf("%s %s", text, unit);
  g_free(text);
  return full;
}

static char *int_text(gint64 value) {
  return g_strdup_printf("%" G_GINT64_FORMAT, value);
}

char *param_range(const AbParam *row) {
  if (param_is_whole(row->type))
    return range_text(row->int_min == G_MININT64 ? NULL : int_text(row->int_min),
                      row->int_max == G_MAXINT64 ? NULL : int_text(row->int_max), row->unit);
  if (param_is_real(row->type))
    return range_text(row->real_min <= -DBL_MAX ? NULL : param_real(row->real_min),
                      row->real_max >= DBL_MAX ? NULL : param_real(row->real_max), row->unit);
  return NULL;
}

char *param_choices(const AbParam *row) {
  return g_strjoinv(", ", (char **)row->choices);
}

static gboolean reads_as_null(const char *text) {
  return !*text || strcmp(text, "~") == 0 || g_ascii_strcasecmp(text, "null") == 0;
}

gboolean param_is_null(const Node *node) {
  return node->kind == NODE_SCALAR && !node->quoted && reads_as_null(node->text);
}

Node *param_text(const char *text) {
  Node *node = node_scalar(text);
  node->quoted = reads_as_null(text);
  return node;
}

static Node *list_default(const AbParam *row, const char *what, Diagnostics *diagnostics) {
  if (!row->text_default) return node_sequence();
  char *name = g_strdup_printf("default of %s, %s", what, row->key);
  Node *node = node_parse(row->text_default, strlen(row->text_default), name, diagnostics);
  g_free(name);
  return node;
}

Node *param_default(const AbParam *row, const char *what, Diagnostics *diagnostics) {
  if (param_is_list(row->type)) return list_default(row, what, diagnostics);
  char *text = NULL;
  if (row->type == AB_TYPE_INT) text = int_text(row->int_default);
  if (row->type == AB_TYPE_REAL) text = param_real(row->real_default);
  if (row->type == AB_TYPE_BOOL) text = g_strdup(row->int_default ? "true" : "false");
  if (!text) return row->text_default ? param_text(row->text_default) : NULL;
  Node *node = node_scalar(text);
  g_free(text);
  return node;
}
