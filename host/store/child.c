/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 1.10 reads some parts of a file without checking them: attributes, and the heap of texts
 * of varying length. Damaged, they crash the library, overwrite memory or never end. Such parts
 * are read in a child first. It does nothing but call HDF5, and no other thread can be inside
 * HDF5 at the fork: the lock is held.                                                           */
#include "store-internal.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 5 /* then it hangs */

gboolean store_child_write(int fd, const char *bytes, gsize length) {
  while (length > 0) {
    gssize written = write(fd, bytes, length);

    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FALSE;
    bytes += written;
    length -= (gsize)written;
  }
  return TRUE;
}

/* A crash here is foreseen: no handler of the host's, no message, no core. */
static void expect_crash(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGPIPE};
  struct rlimit none = {0, 0};
  int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
  sigset_t all;

  for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) signal(signals[i], SIG_DFL);
  sigfillset(&all);
  sigprocmask(SIG_UNBLOCK, &all, NULL);
  setrlimit(RLIMIT_CORE, &none);
  dup2(silence, STDERR_FILENO);
  alarm(SECONDS);
}

/* Until the end or too much; TRUE if the last byte is the zero of success. */
static gboolean receive(int fd, GByteArray *output) {
  guint8 block[4096];
  gssize got;

  do {
    got = read(fd, block, sizeof block);
    if (got > 0) g_byte_array_append(output, block, (guint)got);
  } while ((got > 0 && output->len <= STORE_MAX_TEXT) || (got < 0 && errno == EINTR));
  return got == 0 && output->len > 0 && output->data[output->len - 1] == '\0';
}

gboolean store_in_child(StoreChildFunc function, gpointer data, GByteArray *output,
                        const char *what, GError **error) {
  int ends[2] = {-1, -1};
  gboolean sound;
  pid_t pid = -1;

  if (pipe2(ends, O_CLOEXEC) == 0) pid = fork();
  if (pid == 0) {
    expect_crash();
    if (function(ends[1], data)) store_child_write(ends[1], "", 1);
    _exit(0);
  }
  if (pid < 0) g_set_error(error, HOST_ERROR, AB_IO, "cannot read %s: %s", what, g_strerror(errno));
  if (ends[1] >= 0) close(ends[1]);
  sound = pid > 0 && receive(ends[0], output);
  if (ends[0] >= 0) close(ends[0]); /* ends a child that still writes */
  if (pid < 0) return FALSE;
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  if (!sound)
    g_set_error(error, HOST_ERROR, AB_DATA,
                "%s is damaged: HDF5 fails on it\nrestore the file from a copy or make it anew",
                what);
  return sound;
}
