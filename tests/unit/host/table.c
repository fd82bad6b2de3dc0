/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables for people, and the numbers in them. */
#include "table.h"
#include "amounts.h"
#include <math.h>

static void assert_text(char *text, const char *expected) {
  g_assert_cmpstr(text, ==, expected);
  g_free(text);
}

static void test_numbers(void) {
  assert_text(amounts_count(0), "0");
  assert_text(amounts_count(999), "999");
  assert_text(amounts_count(1000), "1,000");
  assert_text(amounts_count(-1234567), "-1,234,567");
  assert_text(amounts_count(G_MAXINT64), "9,223,372,036,854,775,807");
  assert_text(amounts_count(G_MININT64), "-9,223,372,036,854,775,808");
  assert_text(amounts_difference(0), "");
  assert_text(amounts_difference(1500), "+1,500");
  assert_text(amounts_difference(-1), "-1");
}

static void test_bytes(void) {
  assert_text(amounts_bytes(0), "0 B");
  assert_text(amounts_bytes(999), "999 B");
  assert_text(amounts_bytes(1000), "1.0 KB");
  assert_text(amounts_bytes(999949), "999.9 KB");
  assert_text(amounts_bytes(999950), "1.0 MB"); /* not 1000.0 KB */
  assert_text(amounts_bytes(1234567890), "1.2 GB");
  assert_text(amounts_bytes(G_MAXINT64), "9.2 EB");
}

/* Widths are of characters, not of bytes; a column without anything in it is left out; no line ends
 * in blanks. */
static void test_columns(void) {
  g_autoptr(Table) table = table_new("lrll");
  g_autoptr(GString) text = g_string_new("before\n");
  table_add(table, "name", "number", "note", "last");
  table_add(table, "größe", "1", NULL, "x");
  table_add(table, "b", "1,000,000", "", "");
  table_write(table, text, 2, TRUE);
  g_assert_cmpstr(text->str, ==,
                  "before\n"
                  "  name      number  last\n"
                  "  größe          1  x\n"
                  "  b      1,000,000\n");
}

static void test_untitled(void) {
  g_autoptr(Table) table = table_new("ll"), empty = table_new("l");
  g_autoptr(GString) text = g_string_new(NULL);
  table_add(table, "only", NULL);
  table_write(table, text, 0, FALSE);
  table_write(empty, text, 0, FALSE);
  g_assert_cmpstr(text->str, ==, "only\n");
}

static void test_durations(void) {
  assert_text(amounts_duration(0), "0s");
  assert_text(amounts_duration(59.4), "59s");
  assert_text(amounts_duration(59.6), "1m00s");
  assert_text(amounts_duration(185), "3m05s");
  assert_text(amounts_duration(7800), "2h10m");
  assert_text(amounts_duration(INFINITY), "277777777h46m");
}

/* What stands in an array is taken; what a terminal would obey does not reach it. */
static void test_take(void) {
  g_autoptr(Table) table = table_new("lr");
  g_autoptr(GString) text = g_string_new(NULL);
  table_take(table, (char *[]){g_strdup("a\nb\tc"), NULL});
  table_take(table, (char *[]){g_strdup("\033[2J\xff"), g_strdup("12")});
  table_write(table, text, 0, FALSE);
  g_assert_cmpstr(text->str, ==,
                  "a b c\n"
                  "\xEF\xBF\xBD[2J\xEF\xBF\xBD  12\n");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/table/numbers", test_numbers);
  g_test_add_func("/table/bytes", test_bytes);
  g_test_add_func("/table/columns", test_columns);
  g_test_add_func("/table/untitled", test_untitled);
  g_test_add_func("/table/durations", test_durations);
  g_test_add_func("/table/take", test_take);
  return g_test_run();
}
