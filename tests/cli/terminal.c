/* SPDX-License-Identifier: Apache-2.0
 *
 * The progress line, on a pseudo-terminal whose width changes while a model trains. */
#include "cli-test.h"
#include "run/progress.h"
#include "screen-test.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char manifest[] = "problem: classify\nseed: 4\nepochs: 1000000\n"
                               "data: {plugin: digits, batch: 100}\n"
                               "model: {plugin: mlp, units: [24]}\ncheckpoint: {every: 1000}\n";

/* What stands on the screen before, one line wider than it will be. */
static const char *const earlier[] = {"$ one line",
                                      "$ and another one that is as long as some commands are, "
                                      "so that it has to be wrapped on the way"};

/* ---- a program on a terminal ---------------------------------------------------------------- */

typedef struct {
  pid_t pid;
  int fd; /* of the terminal */
  Screen *screen;
  GString *bytes; /* all that it said */
} Terminal;

static struct winsize size_of(guint columns) {
  return (struct winsize){.ws_row = 50, .ws_col = (unsigned short)columns};
}

static void become(const char *output) {
  for (guint i = 0; i < G_N_ELEMENTS(earlier); i++) {
    if (write(STDOUT_FILENO, earlier[i], strlen(earlier[i])) < 0) _exit(126);
    if (write(STDOUT_FILENO, "\n", 1) < 0) _exit(126);
  }
  const char *program = g_getenv("ABHOST_PROGRAM");
  execl(program, program, "run", "terminal.yaml", "--output", output, (char *)NULL);
  _exit(127);
}

static Terminal start(guint columns, const char *output) {
  struct winsize size = size_of(columns);
  Terminal self = {.screen = screen_new(columns), .bytes = g_string_new(NULL)};
  cli_write("terminal.yaml", manifest);
  cli_remove(output);
  self.pid = forkpty(&self.fd, NULL, NULL, &size);
  g_assert_cmpint(self.pid, >=, 0);
  if (self.pid == 0) become(output);
  g_assert_cmpint(fcntl(self.fd, F_SETFD, FD_CLOEXEC), ==, 0);
  return self;
}

/* Reads what is there, or comes within some milliseconds; FALSE at the end. */
static gboolean pump(Terminal *self, int milliseconds) {
  struct pollfd wait = {.fd = self->fd, .events = POLLIN};
  char buffer[4096];
  if (poll(&wait, 1, milliseconds) == 0) return TRUE;
  gssize got = read(self->fd, buffer, sizeof buffer);
  if (got <= 0) return got < 0 && errno == EINTR;
  screen_write(self->screen, buffer, (gsize)got);
  g_string_append_len(self->bytes, buffer, got);
  return TRUE;
}

/* Until the line was rewritten so many times more. */
static void pump_lines(Terminal *self, guint count) {
  guint until = self->screen->clears + count;
  for (int i = 0; i < 10000 && self->screen->clears < until; i++) g_assert_true(pump(self, 50));
  g_assert_cmpuint(self->screen->clears, >=, until);
}

static gboolean waits(Terminal *self) {
  struct pollfd wait = {.fd = self->fd, .events = POLLIN};
  return poll(&wait, 1, 0) == 0;
}

/* While it stands still: else it could write for the old width after the new one holds. */
static void pause_child(Terminal *self) {
  int status;
  g_assert_cmpint(kill(self->pid, SIGSTOP), ==, 0);
  g_assert_cmpint(waitpid(self->pid, &status, WUNTRACED), ==, self->pid);
  g_assert_true(WIFSTOPPED(status));
  while (!waits(self)) g_assert_true(pump(self, 0));
}

static void resize(Terminal *self, guint columns) {
  struct winsize size = size_of(columns);
  pause_child(self);
  screen_resize(self->screen, columns);
  g_assert_cmpint(ioctl(self->fd, TIOCSWINSZ, &size), ==, 0);
  g_assert_cmpint(kill(self->pid, SIGCONT), ==, 0);
}

/* Lets it end as a signal has it; its status. */
static int stop(Terminal *self) {
  int status;
  g_assert_cmpint(kill(self->pid, SIGTERM), ==, 0);
  while (pump(self, 50)) continue;
  g_assert_cmpint(waitpid(self->pid, &status, 0), ==, self->pid);
  close(self->fd);
  g_assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void clear(Terminal *self) {
  screen_free(self->screen);
  g_string_free(self->bytes, TRUE);
}

/* ---- what is on the screen ------------------------------------------------------------------ */

static void assert_earlier(char **lines) {
  g_assert_cmpuint(g_strv_length(lines), >, G_N_ELEMENTS(earlier));
  for (guint i = 0; i < G_N_ELEMENTS(earlier); i++) g_assert_cmpstr(lines[i], ==, earlier[i]);
}

/* What stood before, and one line that fits, however often the width has changed. */
static void assert_one_line(Terminal *self) {
  pause_child(self);
  g_auto(GStrv) lines = screen_lines(self->screen);
  assert_earlier(lines);
  const char *line = lines[G_N_ELEMENTS(earlier)];
  g_assert_cmpuint(g_strv_length(lines), ==, G_N_ELEMENTS(earlier) + 1);
  g_assert_cmpint(strncmp(line, "epoch 1234", MIN(strlen(line), 6)), ==, 0);
  g_assert_cmpuint(strlen(line), <, self->screen->columns);
  g_assert_cmpint(kill(self->pid, SIGCONT), ==, 0);
}

static void test_resize(void) {
  static const guint widths[] = {60, 31, 100, 12, 45, 7, 120, 3, 80, 81, 20};
  Terminal terminal = start(100, "resized");
  pump_lines(&terminal, 3);
  assert_one_line(&terminal);
  for (guint i = 0; i < G_N_ELEMENTS(widths); i++) {
    resize(&terminal, widths[i]);
    pump_lines(&terminal, 2);
    assert_one_line(&terminal);
  }
  g_assert_cmpint(stop(&terminal), ==, AB_STOPPED);
  g_auto(GStrv) lines = screen_lines(terminal.screen);
  assert_earlier(lines);
  const char *message = lines[G_N_ELEMENTS(earlier)];
  g_assert_cmpuint(g_strv_length(lines), ==, G_N_ELEMENTS(earlier) + 1);
  g_assert_true(g_str_has_prefix(message, "abhost: stopped in epoch"));
  clear(&terminal);
}

/* All that it is to say, on a terminal that is wide enough. */
static void test_parts(void) {
  static const char *const parts[] = {"epoch ",      "/1000000  step ", "/13  loss ",
                                      "  accuracy ", " samples/s  ",    " left"};
  Terminal terminal = start(200, "parts");
  pump_lines(&terminal, 8);
  pause_child(&terminal);
  g_auto(GStrv) lines = screen_lines(terminal.screen);
  const char *at = lines[G_N_ELEMENTS(earlier)];
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    at = strstr(at, parts[i]);
    g_assert_nonnull(at);
  }
  g_assert_cmpint(kill(terminal.pid, SIGCONT), ==, 0);
  g_assert_cmpint(stop(&terminal), ==, AB_STOPPED);
  clear(&terminal);
}

/* ---- colours -------------------------------------------------------------------------------- */

static guint colours_with(const char *key, const char *value, gboolean *rewritten) {
  g_autofree char *before = g_strdup(g_getenv(key));
  if (value)
    g_setenv(key, value, TRUE);
  else
    g_unsetenv(key);
  Terminal terminal = start(100, "coloured");
  while (!cli_exists("coloured/checkpoints/last.h5")) g_assert_true(pump(&terminal, 10));
  for (int i = 0; i < 40 && terminal.screen->clears < 6; i++) g_assert_true(pump(&terminal, 50));
  g_assert_cmpint(stop(&terminal), ==, AB_STOPPED);
  if (before)
    g_setenv(key, before, TRUE);
  else
    g_unsetenv(key);
  guint colours = terminal.screen->colours;
  *rewritten = terminal.screen->clears > 0;
  clear(&terminal);
  return colours;
}

static void test_colours(void) {
  gboolean rewritten;
  g_assert_cmpuint(colours_with("NO_COLOR", NULL, &rewritten), >, 0);
  g_assert_true(rewritten);
  g_assert_cmpuint(colours_with("NO_COLOR", "", &rewritten), >, 0);
  g_assert_cmpuint(colours_with("NO_COLOR", "1", &rewritten), ==, 0);
  g_assert_true(rewritten);
  g_assert_cmpuint(colours_with("NO_COLOR", "0", &rewritten), ==, 0);
  g_assert_cmpuint(colours_with("TERM", "dumb", &rewritten), ==, 0);
  g_assert_false(rewritten);
}

/* Where nobody looks there is nothing to control. */
static void test_no_terminal(void) {
  cli_write("terminal.yaml", manifest);
  cli_remove("piped");
  g_autoptr(CliResult) result =
      cli_run("run", "terminal.yaml", "--epochs", "3", "--output", "piped", NULL);
  cli_assert_status(result, 0);
  g_assert_null(strchr(result->err, '\033'));
  g_assert_null(strchr(result->err, '\r'));
  g_assert_nonnull(strstr(result->err, "epoch 3/3  loss "));
  g_assert_nonnull(strstr(result->err, "  accuracy "));
}

/* ---- names that are not ASCII --------------------------------------------------------------- */

/* Three characters of two columns, and one that has none. */
#define NAME "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xcc\x81"

/* The line of an epoch with such a metric, in a child whose stderr is a terminal. */
static char *line_of(guint columns) {
  struct winsize size = size_of(columns);
  GString *text = g_string_new(NULL);
  int fd, status;
  pid_t pid = forkpty(&fd, NULL, NULL, &size);
  g_assert_cmpint(pid, >=, 0);
  if (pid == 0) {
    Progress progress;
    GPtrArray *results = results_new();
    ProgressState state = {.epoch = 9, .epochs = 9, .loss = NAN, .seconds_left = INFINITY};
    results_add(results, "validation", NAME NAME NAME, 0.5);
    progress_start(&progress, FALSE, 0);
    progress_epoch(&progress, &state, results);
    _exit(0);
  }
  char buffer[512];
  for (gssize got; (got = read(fd, buffer, sizeof buffer)) > 0;)
    g_string_append_len(text, buffer, got);
  g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
  close(fd);
  return g_string_free(text, FALSE);
}

/* Cut between characters, at whatever column. */
static void test_wide_names(void) {
  g_autofree char *plain = g_strdup(g_getenv("NO_COLOR"));
  g_setenv("NO_COLOR", "1", TRUE);
  const char *before = "epoch 9/9  step 0/0  loss nan  "; /* 31 columns */
  for (guint columns = 32; columns < 60; columns++) {
    g_autofree char *line = line_of(columns);
    g_assert_true(g_utf8_validate(line, -1, NULL));
    g_assert_true(g_str_has_prefix(line, before));
    const char *name = line + strlen(before);
    guint room = columns - 1 - (guint)strlen(before);
    gsize shown = room / 2 < 9 ? room / 2 : 9; /* of nine wide ones */
    gsize wide = 0;
    for (const char *at = name; *at; at = g_utf8_next_char(at))
      wide += g_unichar_iswide(g_utf8_get_char(at));
    g_assert_cmpuint(wide, ==, shown);
    if (shown == 9) g_assert_true(g_str_has_prefix(name, NAME NAME NAME));
  }
  if (plain)
    g_setenv("NO_COLOR", plain, TRUE);
  else
    g_unsetenv("NO_COLOR");
}

/* A test that needs a terminal: a root without /dev/pts has none to give. */
static void with_terminal(gconstpointer data) {
  void (*test)(void) = *(void (*const *)(void))data;
  int keyboard = -1, screen = -1;
  if (openpty(&keyboard, &screen, NULL, NULL, NULL) != 0) {
    g_test_skip("there is no pseudo-terminal here (/dev/pts)");
    return;
  }
  close(keyboard);
  close(screen);
  test();
}

int main(int argc, char **argv) {
  static void (*const resizing)(void) = test_resize, (*const parts)(void) = test_parts,
                      (*const colours)(void) = test_colours, (*const names)(void) = test_wide_names;
  cli_init(&argc, &argv);
  g_setenv("TERM", "xterm", TRUE);
  g_unsetenv("NO_COLOR");
  g_test_add_data_func("/terminal/resize", &resizing, with_terminal);
  g_test_add_data_func("/terminal/parts", &parts, with_terminal);
  g_test_add_data_func("/terminal/colours", &colours, with_terminal);
  g_test_add_func("/terminal/none", test_no_terminal);
  g_test_add_data_func("/terminal/wide-names", &names, with_terminal);
  return cli_finish();
}
