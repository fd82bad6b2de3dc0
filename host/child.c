/* SPDX-License-Identifier: Apache-2.0
 *
 * A question to a forked process. */
#include "child.h"

#include "run/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLL_MILLISECONDS = 100 };

const char *child_signal_name(int number) {
  const char *name = sigabbrev_np(number);
  g_autofree char *text =
      name ? g_strconcat("SIG", name, NULL) : g_strdup_printf("signal %d", number);
  return g_intern_string(text);
}

/* ---- in the child ---------------------------------------------------------------------------- */

/* A crash here is foreseen: no handler of ours, no core. What a library prints would be read as
 * ours.                                                                                          */
static void prepare(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGINT, SIGTERM, SIGHUP};
  struct rlimit none = {0, 0};
  int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) signal(signals[i], SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setrlimit(RLIMIT_CORE, &none);
  dup2(silence, STDOUT_FILENO);
  dup2(silence, STDERR_FILENO);
}

static gboolean write_all(int fd, const char *bytes, gsize left) {
  while (left > 0) {
    gssize written = write(fd, bytes, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FALSE;
    bytes += written;
    left -= (gsize)written;
  }
  return TRUE;
}

/* The 0 at the end says that it is all. */
static void tell(int fd, ChildQuestion question, gpointer data) {
  prepare();
  g_autofree char *text = question(data);
  write_all(fd, text, strlen(text) + 1);
}

/* ---- in the parent --------------------------------------------------------------------------- */

/* Until the child closes its end; FALSE after a stop. */
static gboolean receive(int fd, GString *text) {
  char block[4096];
  while (!signals_stop()) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, POLL_MILLISECONDS) <= 0) continue;
    gssize got = read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return TRUE;
    g_string_append_len(text, block, got);
  }
  return FALSE;
}

static char *crash_of(int raw) {
  return WIFSIGNALED(raw)
             ? g_strdup(child_signal_name(WTERMSIG(raw)))
             : g_strdup_printf("a plugin ended the program (status %d)", WEXITSTATUS(raw));
}

gboolean child_ask(ChildQuestion question, gpointer data, char **answer, char **crash,
                   GError **error) {
  int ends[2] = {-1, -1}, raw = 0;
  pid_t pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
  if (pid == 0) {
    tell(ends[1], question, data);
    _exit(0);
  }
  if (pid < 0) host_fail(error, AB_IO, "no process can be made: %s", g_strerror(errno));
  if (ends[1] >= 0) close(ends[1]);
  g_autoptr(GString) text = g_string_new(NULL);
  gboolean heard = pid > 0 && receive(ends[0], text);
  if (ends[0] >= 0) close(ends[0]);
  if (pid < 0) return FALSE;
  if (!heard) kill(pid, SIGKILL);
  while (waitpid(pid, &raw, 0) < 0 && errno == EINTR) continue;
  if (!heard) return host_fail(error, AB_STOPPED, "stopped on request");
  gboolean whole = !WIFSIGNALED(raw) && text->len > 0 && text->str[text->len - 1] == '\0';
  *answer = whole ? g_strdup(text->str) : NULL;
  *crash = whole ? NULL : crash_of(raw);
  return TRUE;
}
