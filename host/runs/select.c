/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters and orders. */
#include "select.h"

#include <string.h>

/* ---- keys ------------------------------------------------------------------------------------ */

/* The distinct keys of all runs, of one kind; NULL-terminated, borrowed. */
static GPtrArray *keys_of(const GPtrArray *runs, FactKind kind) {
  GPtrArray *keys = g_ptr_array_new();
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < runs->len; i++) {
    const RunInfo *run = runs->pdata[i];
    for (guint j = 0; j < run->facts->len; j++) {
      const Fact *fact = run->facts->pdata[j];
      if (fact->kind == kind && g_hash_table_add(seen, fact->key)) g_ptr_array_add(keys, fact->key);
    }
  }
  g_ptr_array_add(keys, NULL);
  return keys;
}

/* Of the keys of manifests, which are many: those that begin as `key` does, or all beginnings. */
static char *manifest_text(const GPtrArray *keys, const char *key) {
  GString *text = g_string_new(NULL);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gsize length = strcspn(key, ".");
  gboolean known = FALSE;
  for (guint i = 0; i + 1 < keys->len && key[length]; i++)
    known = known || strncmp(keys->pdata[i], key, length + 1) == 0;
  for (guint i = 0; i + 1 < keys->len; i++) {
    const char *name = keys->pdata[i], *dot = strchr(name, '.');
    if (known && strncmp(name, key, length + 1) != 0) continue;
    char *shown =
        known || !dot ? g_strdup(name) : g_strdup_printf("%.*s*", (int)(dot + 1 - name), name);
    if (!g_hash_table_contains(seen, shown))
      g_string_append_printf(text, "%s%s", text->len ? ", " : "", shown);
    g_hash_table_add(seen, shown);
  }
  return g_string_free(text, FALSE);
}

static gboolean refuse_key(const GPtrArray *runs, const char *key, GError **error) {
  g_autoptr(GPtrArray) own = keys_of(runs, FACT_RUN), metrics = keys_of(runs, FACT_METRIC);
  g_autoptr(GPtrArray) manifest = keys_of(runs, FACT_MANIFEST), all = g_ptr_array_new();
  const GPtrArray *groups[] = {own, metrics, manifest};
  for (guint i = 0; i < G_N_ELEMENTS(groups); i++)
    for (guint j = 0; j + 1 < groups[i]->len; j++) g_ptr_array_add(all, groups[i]->pdata[j]);
  g_ptr_array_add(all, NULL);
  const char *nearest = nearest_name(key, (const char *const *)all->pdata);
  g_autofree char *own_text = g_strjoinv(", ", (char **)own->pdata);
  g_autofree char *metric_text = g_strjoinv(", ", (char **)metrics->pdata);
  g_autofree char *manifest_keys = manifest_text(manifest, key);
  return host_fail(error, AB_USAGE,
                   "no run has a '%s'%s%s%s\nof the run: %s\nmetrics: %s\nof the manifest: %s", key,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "",
                   own_text, metric_text, manifest_keys);
}

static gboolean check_key(const GPtrArray *runs, const char *key, GError **error) {
  gboolean known = runs->len == 0; /* nothing to choose from: any key will do */
  for (guint i = 0; i < runs->len && !known; i++) known = run_info_get(runs->pdata[i], key) != NULL;
  return known || refuse_key(runs, key, error);
}

/* ---- filters --------------------------------------------------------------------------------- */

typedef struct {
  char *key, *text; /* owned */
  char sign;        /* '=', '<', '>' */
  gboolean or_equal, numeric;
  double number;
} Filter;

static void filter_clear(Filter *self) {
  g_free(self->key);
  g_free(self->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filter, filter_clear)

static gboolean filter_parse(const char *text, Filter *self, GError **error) {
  gsize length = strcspn(text, "=<>");
  if (length == 0 || !text[length])
    return host_fail(error, AB_USAGE,
                     "'%s' is no filter; write KEY=VALUE, KEY<NUMBER or KEY>NUMBER, in quotes",
                     text);
  const char *value = text + length + 1;
  self->sign = text[length];
  self->or_equal = self->sign != '=' && *value == '=';
  self->key = g_strndup(text, length);
  self->text = g_strdup(value + self->or_equal);
  self->numeric = run_info_parse(self->text, &self->number);
  return self->sign == '=' || self->numeric || strcmp(self->key, "date") == 0 ||
         host_fail(error, AB_USAGE, "'%s' compares with '%s', which is no number", text,
                   self->text);
}

/* -1, 0, 1; of numbers by value, else by text. 2 where the two cannot be compared (NaN). */
static int order(const char *text, const char *other) {
  double a, b;
  if (!run_info_parse(text, &a) || !run_info_parse(other, &b)) {
    int sign = strcmp(text, other);
    return (sign > 0) - (sign < 0);
  }
  return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2;
}

static gboolean filter_passes(const Filter *self, const RunInfo *run) {
  double number;
  const char *text = run_info_get(run, self->key);
  if (!text) return FALSE;
  if (self->sign == '=' && strcmp(text, self->text) == 0) return TRUE;
  if (self->sign != '=' && self->numeric != run_info_parse(text, &number)) return FALSE;
  int how = order(text, self->text);
  if (how == 0) return self->sign == '=' || self->or_equal;
  return (how == -1 && self->sign == '<') || (how == 1 && self->sign == '>');
}

gboolean runs_filter(GPtrArray *runs, const char *const *filters, GError **error) {
  guint count = filters ? g_strv_length((char **)filters) : 0;
  g_autoptr(GPtrArray) all = g_ptr_array_new(), dropped = g_ptr_array_new();
  for (guint i = 0; i < runs->len; i++) g_ptr_array_add(all, runs->pdata[i]);
  for (guint i = 0; i < count; i++) {
    g_auto(Filter) filter = {0};
    if (!filter_parse(filters[i], &filter, error) || !check_key(all, filter.key, error))
      return FALSE;
    for (guint j = 0; j < all->len; j++)
      if (!filter_passes(&filter, all->pdata[j])) g_ptr_array_add(dropped, all->pdata[j]);
  }
  for (guint i = 0; i < dropped->len; i++) g_ptr_array_remove(runs, dropped->pdata[i]);
  return TRUE;
}

/* ---- order ----------------------------------------------------------------------------------- */

typedef struct {
  const char *key;
  gboolean down;
} Order;

static int compare_values(const char *a, const char *b, gboolean down) {
  double number;
  gboolean a_numeric = run_info_parse(a, &number), b_numeric = run_info_parse(b, &number);
  if (a_numeric != b_numeric) return a_numeric ? -1 : 1;
  int sign = order(a, b);
  if (sign == 2) { /* what is not a number is last, whichever way */
    gboolean a_nan = order(a, a) == 2, b_nan = order(b, b) == 2;
    return a_nan - b_nan;
  }
  return down ? -sign : sign;
}

static gint compare_runs(gconstpointer a, gconstpointer b, gpointer data) {
  const Order *self = data;
  const RunInfo *left = *(RunInfo *const *)a, *right = *(RunInfo *const *)b;
  const char *one = run_info_get(left, self->key), *two = run_info_get(right, self->key);
  int sign = one && two ? compare_values(one, two, self->down) : !one - !two;
  return sign ? sign : strcmp(run_info_get(left, "name"), run_info_get(right, "name"));
}

gboolean runs_sort(GPtrArray *runs, const char *key, GError **error) {
  Order how = {.key = key, .down = *key == '-'};
  how.key += how.down;
  if (!check_key(runs, how.key, error)) return FALSE;
  g_ptr_array_sort_with_data(runs, compare_runs, &how);
  return TRUE;
}
