/* SPDX-License-Identifier: Apache-2.0
 *
 * Collected errors, and the suggestion of a name that was probably meant.                       */
#include "error.h"

#include <stdarg.h>
#include <string.h>

/* clang-format off */
G_DEFINE_QUARK(host-error-quark, host_error)
/* clang-format on */

gboolean host_fail(GError **error, AbCode code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  GError *made = g_error_new_valist(HOST_ERROR, (gint)code, format, arguments);
  va_end(arguments);
  g_propagate_error(error, made);
  return FALSE;
}

typedef struct {
  char *file; /* the place without its numbers; NULL if there is no place */
  guint64 line, column;
  guint serial; /* order of noting, which decides between equal places */
  char *text;   /* "place: message" */
} Note;

struct Diagnostics {
  AbCode code; /* of the first note */
  GPtrArray *notes;
};

static void note_free(gpointer data) {
  Note *note = data;
  g_free(note->file);
  g_free(note->text);
  g_free(note);
}

Diagnostics *diagnostics_new(void) {
  Diagnostics *self = g_new0(Diagnostics, 1);
  self->notes = g_ptr_array_new_with_free_func(note_free);
  return self;
}

void diagnostics_free(Diagnostics *self) {
  if (!self) return;
  g_ptr_array_unref(self->notes);
  g_free(self);
}

/* Cuts a trailing ":123" off `place` and returns its number; 0 if there is none. */
static guint64 cut_number(char *place) {
  char *colon = strrchr(place, ':');
  if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1)) return 0;
  *colon = '\0';
  return g_ascii_strtoull(colon + 1, NULL, 10);
}

/* Numbers are taken from the right, as a file's name may hold colons too. */
static void note_set_place(Note *note, const char *place) {
  note->file = g_strdup(place);
  guint64 last = cut_number(note->file);
  guint64 before = cut_number(note->file);
  note->line = before ? before : last;
  note->column = before ? last : 0;
}

void diagnostics_add(Diagnostics *self, AbCode code, const char *place, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *message = g_strdup_vprintf(format, args);
  va_end(args);

  Note *note = g_new0(Note, 1);
  note->serial = self->notes->len;
  if (place) note_set_place(note, place);
  note->text = place ? g_strdup_printf("%s: %s", place, message) : g_strdup(message);
  g_free(message);

  if (self->notes->len == 0) self->code = code;
  g_ptr_array_add(self->notes, note);
}

guint diagnostics_count(const Diagnostics *self) {
  return self->notes->len;
}

static int compare_numbers(guint64 a, guint64 b) {
  return (a > b) - (a < b);
}

static int compare_notes(gconstpointer a, gconstpointer b) {
  const Note *left = *(Note *const *)a;
  const Note *right = *(Note *const *)b;
  int order = g_strcmp0(left->file, right->file); /* NULL sorts first */
  if (!order) order = compare_numbers(left->line, right->line);
  if (!order) order = compare_numbers(left->column, right->column);
  return order ? order : compare_numbers(left->serial, right->serial);
}

gboolean diagnostics_check(const Diagnostics *self, GError **error) {
  if (self->notes->len == 0) return TRUE;
  GPtrArray *sorted = g_ptr_array_new(); /* borrows the notes: `self` keeps its own order */
  for (guint i = 0; i < self->notes->len; i++) g_ptr_array_add(sorted, self->notes->pdata[i]);
  g_ptr_array_sort(sorted, compare_notes);

  GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
  GString *lines = g_string_new(NULL);
  for (guint i = 0; i < sorted->len; i++) {
    const Note *note = sorted->pdata[i];
    if (!g_hash_table_add(seen, note->text)) continue;
    if (lines->len) g_string_append_c(lines, '\n');
    g_string_append(lines, note->text);
  }
  g_set_error_literal(error, HOST_ERROR, self->code, lines->str);
  g_string_free(lines, TRUE);
  g_hash_table_unref(seen);
  g_ptr_array_unref(sorted);
  return FALSE;
}

/* Characters of `text`; bytes, where it is no UTF-8. */
static gunichar *characters(const char *text, glong *count) {
  if (g_utf8_validate(text, -1, NULL)) return g_utf8_to_ucs4_fast(text, -1, count);
  *count = (glong)strlen(text);
  gunichar *wide = g_new(gunichar, *count + 1);
  for (glong i = 0; i <= *count; i++) wide[i] = (guchar)text[i];
  return wide;
}

/* Damerau-Levenshtein without the restriction that a transposed pair is edited no further.
 * last[j] is the last earlier row whose character is b's j-th, `match` the same along the row:
 * together they say where the nearest possible transposition began.                             */
static glong edit_distance(const gunichar *a, glong rows, const gunichar *b, glong columns) {
  glong width = columns + 1;
  glong *cost = g_new0(glong, (rows + 1) * width);
  glong *last = g_new0(glong, width);
  for (glong i = 0; i <= rows; i++) cost[i * width] = i;
  for (glong j = 0; j <= columns; j++) cost[j] = j;
  for (glong i = 1; i <= rows; i++) {
    glong match = 0;
    for (glong j = 1; j <= columns; j++) {
      gboolean equal = a[i - 1] == b[j - 1];
      glong best = cost[(i - 1) * width + j - 1] + !equal;
      best = MIN(best, cost[i * width + j - 1] + 1);
      best = MIN(best, cost[(i - 1) * width + j] + 1);
      if (last[j] && match) {
        glong between = (i - last[j] - 1) + (j - match - 1);
        best = MIN(best, cost[(last[j] - 1) * width + match - 1] + 1 + between);
      }
      cost[i * width + j] = best;
      if (equal) match = j;
    }
    for (glong j = 1; j <= columns; j++)
      if (b[j - 1] == a[i - 1]) last[j] = i;
  }
  glong distance = cost[rows * width + columns];
  g_free(cost);
  g_free(last);
  return distance;
}

const char *nearest_name(const char *name, const char *const *candidates) {
  const char *nearest = NULL;
  glong length = 0;
  gunichar *wanted = characters(name, &length);
  glong bound = MAX(1, length / 3) + 1; /* only what is nearer than this */
  for (gsize i = 0; candidates[i] && bound > 0; i++) {
    glong other = 0;
    gunichar *candidate = characters(candidates[i], &other);
    if (ABS(other - length) < bound) { /* else no need to count, and long names stay cheap */
      glong distance = edit_distance(wanted, length, candidate, other);
      gboolean kept = distance == 0 || distance < MAX(length, other);
      if (kept && distance < bound) {
        nearest = candidates[i];
        bound = distance;
      }
    }
    g_free(candidate);
  }
  g_free(wanted);
  return nearest;
}
