/* SPDX-License-Identifier: Apache-2.0
 *
 * Amounts as text. */
#include "amounts.h"

#include <string.h>

char *amounts_count(gint64 count) {
  g_autofree char *digits =
      g_strdup_printf("%" G_GUINT64_FORMAT, count < 0 ? -(guint64)count : (guint64)count);
  GString *text = g_string_new(count < 0 ? "-" : NULL);
  gsize length = strlen(digits);
  for (gsize i = 0; i < length; i++) {
    if (i && (length - i) % 3 == 0) g_string_append_c(text, ',');
    g_string_append_c(text, digits[i]);
  }
  return g_string_free(text, FALSE);
}

char *amounts_difference(gint64 count) {
  if (count == 0) return g_strdup("");
  g_autofree char *text = amounts_count(count);
  return g_strconcat(count > 0 ? "+" : "", text, NULL);
}

char *amounts_bytes(gint64 bytes) {
  static const char *const units[] = {"KB", "MB", "GB", "TB", "PB", "EB"};
  double size = (double)bytes / 1e3;
  guint unit = 0;
  if (bytes < 1000) return g_strdup_printf("%" G_GINT64_FORMAT " B", bytes);
  while (size >= 999.95 && unit + 1 < G_N_ELEMENTS(units)) {
    size /= 1e3;
    unit++;
  }
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  return g_strdup_printf("%s %s", g_ascii_formatd(number, sizeof number, "%.1f", size),
                         units[unit]);
}

char *amounts_duration(double seconds) {
  gint64 s = (gint64)(MIN(seconds, 1e12) + 0.5);
  if (s < 60) return g_strdup_printf("%ds", (int)s);
  if (s < 3600) return g_strdup_printf("%dm%02ds", (int)(s / 60), (int)(s % 60));
  return g_strdup_printf("%" G_GINT64_FORMAT "h%02dm", s / 3600, (int)(s / 60 % 60));
}
