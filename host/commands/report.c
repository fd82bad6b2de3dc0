/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost report RUN|COMPARISON: a page to look at. */
#include "../report/report.h"

#include "common.h"

#include <sys/wait.h>

#define WAIT_MS 2000 /* for xdg-open to say that it cannot */

/* Whether it has ended, and well, or still runs when the time is over: a browser that it became. */
static gboolean opened(GPid child) {
  int status = 0;
  for (int waited = 0; waited < WAIT_MS; waited += 10) {
    if (waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    g_usleep(10 * 1000);
  }
  return TRUE;
}

static gboolean open_page(const char *page) {
  g_autofree char *full = g_canonicalize_filename(page, NULL);
  char *argv[] = {(char *)"xdg-open", full, NULL};
  GPid child;
  GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                      G_SPAWN_STDERR_TO_DEV_NULL;
  return g_spawn_async(NULL, argv, NULL, flags, NULL, NULL, &child, NULL) && opened(child);
}

static int work(const char *folder, const char *output, gboolean show) {
  GError *error = NULL;
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *page = report_write(folder, output, notes, &error);
  if (!page) return command_fail(error);
  for (guint i = 0; i < notes->len; i++) command_note("%s", (const char *)notes->pdata[i]);
  g_autofree char *line = g_strconcat(page, "\n", NULL);
  int status = command_output(line);
  if (show && !open_page(page))
    command_note("no browser can be opened from here (xdg-open); open %s in one", page);
  return status;
}

static int run(int argc, char **argv) {
  char *output = NULL;
  gboolean show = FALSE;
  const GOptionEntry own[] = {
      {"output", 0, 0, G_OPTION_ARG_FILENAME, &output,
       "The page; without it report.html in the folder", "FILE"},
      {"open", 0, 0, G_OPTION_ARG_NONE, &show, "Open it in a browser", NULL},
      {0}};
  const CommandLine line = {
      .command = &command_report,
      .arguments = "RUN|COMPARISON",
      .description = "One HTML file that needs no network, made from what the folder has, also "
                     "while a run goes on. Its name is printed.",
      .own = own,
      .min_count = 1,
      .max_count = 1};
  CommandOptions common;
  int status;
  if (command_parse(&line, argc, argv, &common, &status)) {
    status = work(common.arguments[0], output, show);
    command_clear(&common);
  }
  g_free(output);
  return status;
}

const Command command_report = {"report", "Write a page that shows a run or a comparison.", run};
