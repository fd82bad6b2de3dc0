/* SPDX-License-Identifier: Apache-2.0
 *
 * A run as a process of its own. It is this program spawned anew, as OpenMP hangs in a process that
 * is forked alone. A process group of its own keeps the terminal's Ctrl-C for us: we pass it on,
 * once.                                                                                          */
#include "compare-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between fork and exec: nothing that takes memory or locks. */
static void set_up(gpointer parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != GPOINTER_TO_INT(parent)) _exit(1); /* it was faster */
}

/* A share of the cores each, unless the user knows better. */
static char **environment_for(gint64 jobs) {
  char **environment = g_get_environ();
  if (g_environ_getenv(environment, "OMP_NUM_THREADS")) return environment;
  gint64 threads = MAX((gint64)g_get_num_processors() / jobs, 1);
  g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, threads);
  return g_environ_setenv(environment, "OMP_NUM_THREADS", text, TRUE);
}

/* The log, with the command as its next line. */
static int open_log(const char *path, const char *const *arguments, gint64 *from, GError **error) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  GString *line = g_string_new("$ abhost");
  for (guint i = 1; arguments[i]; i++) {
    g_autofree char *quoted = g_shell_quote(arguments[i]);
    gboolean plain =
        !arguments[i][strspn(arguments[i], G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_=./,:+")];
    g_string_append_printf(line, " %s", plain ? arguments[i] : quoted);
  }
  g_string_append_c(line, '\n');
  gboolean written = fd >= 0 && write(fd, line->str, line->len) == (gssize)line->len;
  if (!written) {
    host_fail(error, AB_IO, "%s cannot be written: %s", path, g_strerror(errno));
    if (fd >= 0) close(fd);
    fd = -1;
  }
  if (fd >= 0) *from = lseek(fd, 0, SEEK_END);
  g_string_free(line, TRUE);
  return fd;
}

Spawn *spawn_start(const char *const *arguments, gint64 jobs, const char *log, GError **error) {
  Spawn *self = g_new0(Spawn, 1);
  g_auto(GStrv) environment = environment_for(jobs);
  g_autoptr(GError) cause = NULL;
  int fd = open_log(log, arguments, &self->log_from, error);
  gboolean started =
      fd >= 0 &&
      g_spawn_async_with_fds(NULL, (char **)arguments, environment, G_SPAWN_DO_NOT_REAP_CHILD,
                             set_up, GINT_TO_POINTER(getpid()), &self->pid, -1, fd, fd, &cause);
  if (fd >= 0) close(fd);
  if (started) return self;
  if (fd >= 0) host_fail(error, AB_IO, "no process can be started: %s", cause->message);
  g_free(self);
  return NULL;
}

gboolean spawn_ended(Spawn *self) {
  if (!self->ended) {
    pid_t found = waitpid(self->pid, &self->raw, WNOHANG);
    self->ended = found == self->pid || (found < 0 && errno == ECHILD);
  }
  return self->ended;
}

void spawn_signal(Spawn *self, int number) {
  if (!spawn_ended(self)) kill(self->pid, number);
}

/* One that still runs is killed. */
void spawn_free(Spawn *self) {
  if (!self) return;
  if (!spawn_ended(self)) {
    kill(self->pid, SIGKILL);
    while (waitpid(self->pid, &self->raw, 0) < 0 && errno == EINTR) continue;
  }
  g_free(self);
}
