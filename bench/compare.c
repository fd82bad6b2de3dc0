/* SPDX-License-Identifier: Apache-2.0
 *
 * Times the workloads on this side, their matrix products alone, and PyTorch's best way of doing
 * the same, in turn: A B C, A B C. bench/compare builds this program and calls it.
 *
 *   compare-sides [--json FILE] [--rounds N] [--eager] --peer PYTHON --programs FOLDER
 *                 [WORKLOAD ...]                                                                 */
#include "jsonout.h"
#include "side.h"
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>

#define ROUND_SECONDS 0.25 /* of one side, about */
#define TRIAL_ROUNDS  3

static char *json_file, *python, *programs;
static int rounds = 15;
static gboolean eager_only;
static char **wanted;

static const GOptionEntry options[] = {
    {"json", 0, 0, G_OPTION_ARG_FILENAME, &json_file, "Write the table to FILE", "FILE"},
    {"rounds", 0, 0, G_OPTION_ARG_INT, &rounds, "How often each side is timed (15)", "N"},
    {"eager", 0, 0, G_OPTION_ARG_NONE, &eager_only, "Leave torch.compile out", NULL},
    {"peer", 0, 0, G_OPTION_ARG_FILENAME, &python, "A Python that has torch", "PYTHON"},
    {"programs", 0, 0, G_OPTION_ARG_FILENAME, &programs, "Where `workload` lies", "FOLDER"},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &wanted, NULL, "[WORKLOAD ...]"},
    {NULL}};

typedef struct {
  const char *name;
  double ours, wall, peer; /* seconds of a step */
  double memory, peer_memory;
  char *peer_mode;
} Row;

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, ascending);
  return values[count / 2];
}

static int steps_for(double seconds) {
  double steps = seconds > 0 ? ROUND_SECONDS / seconds : 1;
  return steps < 1 ? 1 : steps > 5000 ? 5000 : (int)steps;
}

/* A side that has run a little: how long a step takes, about. False if it does not run. */
static bool try_side(Side *side, double *seconds) {
  double times[TRIAL_ROUNDS], once;
  if (!side || !side_time(side, 1, &once)) return false;
  for (int i = 0; i < TRIAL_ROUNDS; i++)
    if (!side_time(side, steps_for(once), &times[i])) return false;
  *seconds = median(times, TRIAL_ROUNDS);
  return true;
}

/* ---- the peer's best ------------------------------------------------------------------------ */

static Side *best_peer(Row *row, double *seconds) {
  static const char *const modes[] = {"eager", "compile"};
  g_autofree char *script = g_build_filename(programs, "peer", "peer.py", NULL);
  Side *best = NULL;
  for (int mode = 0; mode < (eager_only ? 1 : 2); mode++) {
    for (int threads = 1; threads <= 2; threads++) {
      g_autofree char *count = g_strdup_printf("%d", threads);
      Side *side =
          side_start((const char *[]){python, script, row->name, modes[mode], count, NULL}, count);
      double took;
      bool runs = try_side(side, &took);
      g_printerr("  %s, %s with %d threads: ", row->name, modes[mode], threads);
      if (runs)
        g_printerr("%.3f ms\n", 1e3 * took);
      else
        g_printerr("does not run\n");
      if (runs && (!best || took < *seconds)) {
        side_stop(best, NULL);
        best = side;
        *seconds = took;
        g_free(row->peer_mode);
        row->peer_mode = g_strdup_printf("%s, %d", modes[mode], threads);
      } else {
        side_stop(side, NULL);
      }
    }
  }
  return best;
}

/* ---- in turn -------------------------------------------------------------------------------- */

typedef struct {
  Side *side;
  int steps; /* of a round */
  double *times;
} Turn;

static bool take_turns(Turn *turns, int count) {
  for (int r = 0; r < rounds; r++) {
    for (int i = 0; i < count; i++) {
      g_usleep(20000); /* threads of the one before go to sleep */
      if (!side_time(turns[i].side, turns[i].steps, &turns[i].times[r])) return false;
    }
  }
  return true;
}

static bool measure(Row *row) {
  g_autofree char *program = g_build_filename(programs, "workload", NULL);
  g_autofree double *times = g_new(double, 3 * rounds);
  Turn turns[3] = {{.times = times}, {.times = times + rounds}, {.times = times + 2 * rounds}};
  double ours = 0, peers = 0;
  turns[2].side = best_peer(row, &peers);
  turns[0].side = side_start((const char *[]){program, row->name, NULL}, "2");
  turns[1].side = side_start((const char *[]){program, "--products", row->name, NULL}, "2");
  bool ok = turns[2].side && turns[1].side && try_side(turns[0].side, &ours);
  turns[0].steps = steps_for(ours);
  turns[1].steps = 1; /* which times each product several times, whatever they come to */
  turns[2].steps = steps_for(peers);
  ok = ok && take_turns(turns, 3);
  if (ok) {
    row->ours = median(turns[0].times, rounds);
    row->wall = median(turns[1].times, rounds);
    row->peer = median(turns[2].times, rounds);
  }
  side_stop(turns[0].side, &row->memory);
  side_stop(turns[1].side, NULL);
  side_stop(turns[2].side, &row->peer_memory);
  return ok;
}

/* ---- the table ------------------------------------------------------------------------------ */

static void print_row(const Row *row) {
  g_print("%-22s %10.3f %10.3f %10.3f %7.2f %9.0f %9.0f %9.0f  %s\n", row->name, 1e3 * row->ours,
          1e3 * row->wall, 1e3 * row->peer, row->peer / row->ours, 100 * row->wall / row->ours,
          row->memory, row->peer_memory, row->peer_mode);
}

static void add_number(JsonBuilder *b, const char *name, double value) {
  json_builder_set_member_name(b, name);
  json_builder_add_double_value(b, value);
}

static void add_row(JsonBuilder *b, const Row *row) {
  json_builder_begin_object(b);
  json_builder_set_member_name(b, "name");
  json_builder_add_string_value(b, row->name);
  add_number(b, "abhost_ms", 1e3 * row->ours);
  add_number(b, "peer_ms", 1e3 * row->peer);
  add_number(b, "ratio", row->peer / row->ours);
  add_number(b, "fraction_of_peak", row->wall / row->ours);
  add_number(b, "peak_memory_mb", row->memory);
  add_number(b, "peer_memory_mb", row->peer_memory);
  json_builder_set_member_name(b, "peer_mode");
  json_builder_add_string_value(b, row->peer_mode);
  json_builder_end_object(b);
}

static bool write_json(const Row *rows, int count) {
  g_autoptr(JsonBuilder) b = json_builder_new();
  json_builder_begin_object(b);
  json_builder_set_member_name(b, "workloads");
  json_builder_begin_array(b);
  for (int i = 0; i < count; i++) add_row(b, &rows[i]);
  json_builder_end_array(b);
  json_builder_end_object(b);
  g_autoptr(JsonNode) root = json_builder_get_root(b);
  g_autofree char *text = jsonout_node(root, TRUE);
  g_autoptr(GError) error = NULL;
  if (g_file_set_contents(json_file, text, -1, &error)) return true;
  g_printerr("%s\n", error->message);
  return false;
}

/* The names that were asked for, or all. */
static char **names(void) {
  g_autofree char *program = g_build_filename(programs, "workload", NULL);
  g_autofree char *list = NULL;
  if (wanted && wanted[0]) return g_strdupv(wanted);
  char *arguments[] = {program, (char *)"--list", NULL};
  if (!g_spawn_sync(NULL, arguments, NULL, 0, NULL, NULL, &list, NULL, NULL, NULL)) return NULL;
  return g_strsplit(g_strchomp(list), "\n", 0);
}

int main(int argc, char **argv) {
  g_autoptr(GOptionContext) context = g_option_context_new("- abhost beside PyTorch");
  g_autoptr(GError) error = NULL;
  g_option_context_add_main_entries(context, options, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error) || !python || !programs ||
      rounds < 1) {
    g_printerr("%s\n", error ? error->message : "--peer, --programs and a round are needed");
    return 1;
  }
  g_auto(GStrv) all = names();
  if (!all) return 1;
  int count = 0, failures = 0;
  g_autofree Row *rows = g_new0(Row, g_strv_length(all));
  for (char **name = all; *name; name++) {
    rows[count].name = *name;
    if (measure(&rows[count]))
      count++;
    else
      failures++, g_printerr("%s could not be measured\n", *name);
  }
  g_print("%-22s %10s %10s %10s %7s %9s %9s %9s  %s\n", "workload", "abhost ms", "wall ms",
          "PyTorch ms", "ratio", "of wall %", "MB", "PyTorch MB", "PyTorch's best");
  for (int i = 0; i < count; i++) print_row(&rows[i]);
  bool written = !json_file || write_json(rows, count);
  for (int i = 0; i < count; i++) g_free(rows[i].peer_mode);
  return failures || !written;
}
