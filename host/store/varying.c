/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a text of varying length. Such texts lie in a heap that HDF5 1.10 reads without checking
 * it: a damaged one crashes the library, overwrites memory or never ends. So a child reads it and
 * passes it on. No other thread can be inside HDF5 at the fork: the lock is held.               */
#include "store-internal.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 10 /* for one text; then it hangs */

static gboolean write_all(int fd, const char *bytes, gsize length) {
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
  int silence = open("/dev/null", O_WRONLY);
  sigset_t all;

  for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) signal(signals[i], SIG_DFL);
  sigfillset(&all);
  sigprocmask(SIG_UNBLOCK, &all, NULL);
  setrlimit(RLIMIT_CORE, &none);
  dup2(silence, STDERR_FILENO);
  alarm(SECONDS);
}

/* The text and the zero that ends it; without the zero, it failed. */
static void child(int fd, hid_t id, hid_t type, StoreReadFunc read_text) G_GNUC_NORETURN;

static void child(int fd, hid_t id, hid_t type, StoreReadFunc read_text) {
  char *text = NULL;

  expect_crash();
  if (read_text(id, type, &text) >= 0)
    write_all(fd, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
  _exit(0);
}

static char *receive(int fd) {
  GByteArray *bytes = g_byte_array_new();
  guint8 block[4096];
  gssize got;

  do {
    got = read(fd, block, sizeof block);
    if (got > 0) g_byte_array_append(bytes, block, (guint)got);
  } while ((got > 0 && bytes->len <= STORE_MAX_TEXT) || (got < 0 && errno == EINTR));
  if (got == 0 && bytes->len > 0 && bytes->data[bytes->len - 1] == '\0')
    return (char *)g_byte_array_free(bytes, FALSE);
  g_byte_array_unref(bytes);
  return NULL;
}

static char *read_in_child(hid_t id, hid_t type, StoreReadFunc read_text, const char *what,
                           GError **error) {
  int ends[2];
  pid_t pid;
  char *text;

  if (pipe2(ends, O_CLOEXEC) != 0) goto failed;
  pid = fork();
  if (pid == 0) child(ends[1], id, type, read_text);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    goto failed;
  }
  text = receive(ends[0]);
  close(ends[0]); /* a child that still writes is ended by that */
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  if (text == NULL)
    g_set_error(error, HOST_ERROR, AB_DATA,
                "%s is damaged, or longer than 64 MiB\n"
                "restore the file from a copy or make it anew",
                what);
  return text;

failed:
  g_set_error(error, HOST_ERROR, AB_IO, "cannot read %s: %s", what, g_strerror(errno));
  return NULL;
}

char *store_text_read_varying(hid_t id, hid_t type, StoreReadFunc read_text, const char *what,
                              GError **error) {
  AUTO_HID memory = H5Tcopy(H5T_C_S1);

  /* HDF5 converts between character sets for nobody: ask for the one of the file. */
  if (memory < 0 || H5Tset_size(memory, H5T_VARIABLE) < 0 ||
      H5Tset_cset(memory, H5Tget_cset(type)) < 0) {
    store_fail(error, "%s is damaged", what);
    return NULL;
  }
  return read_in_child(id, memory, read_text, what, error);
}
