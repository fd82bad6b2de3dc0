/* SPDX-License-Identifier: Apache-2.0
 *
 * Spawning the program, and looking at what it left; see cli-test.h. */
#include "cli-test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MICROSECONDS 2000

static char *base;

/* ---- start and end ------------------------------------------------------------------------- */

void cli_init(int *argc, char ***argv) {
  store_init();
  g_test_init(argc, argv, NULL);
  base = g_dir_make_tmp("abhost-cli-XXXXXX", NULL);
  g_assert_nonnull(base);
  g_assert_cmpint(g_chdir(base), ==, 0);
  if (!g_getenv("ABHOST_PROGRAM") || !g_getenv("ABHOST_SOURCE_ROOT"))
    g_error("ABHOST_PROGRAM is not set; run through meson test");
}

int cli_finish(void) {
  int status = g_test_run();
  g_assert_cmpint(g_chdir("/"), ==, 0);
  cli_remove(base);
  g_free(base);
  return status;
}

const char *cli_folder(void) {
  return base;
}

gboolean cli_sanitized(void) {
#ifdef __SANITIZE_ADDRESS__
  return TRUE;
#else
  return FALSE;
#endif
}

/* ---- the program --------------------------------------------------------------------------- */

struct CliChild {
  pid_t pid;
  int out, err; /* of unlinked files */
  gint64 started;
  int raw; /* of waitpid, once it has ended */
  gboolean ended;
};

void cli_free(CliResult *self) {
  g_free(self->out);
  g_free(self->err);
  g_free(self);
}

static int open_unlinked(void) {
  char name[] = "/tmp/abhost-cli-XXXXXX";
  int fd = mkostemp(name, O_CLOEXEC);
  g_assert_cmpint(fd, >=, 0);
  g_unlink(name);
  return fd;
}

static void become(const CliChild *self, const char *folder, gint64 limit, char **argv) {
  int null = open("/dev/null", O_RDONLY);
  struct rlimit size = {(rlim_t)limit, (rlim_t)limit};
  if (dup2(null, 0) < 0 || dup2(self->out, 1) < 0 || dup2(self->err, 2) < 0) _exit(126);
  if (folder && chdir(folder) != 0) _exit(126);
  if (limit > 0 && setrlimit(RLIMIT_FSIZE, &size) != 0) _exit(126);
  execvp(argv[0], argv);
  _exit(127);
}

static CliChild *start(const char *folder, gint64 limit, const char *const *argv) {
  CliChild *self = g_new0(CliChild, 1);
  self->out = open_unlinked();
  self->err = open_unlinked();
  self->started = g_get_monotonic_time();
  self->pid = fork();
  g_assert_cmpint(self->pid, >=, 0);
  if (self->pid == 0) become(self, folder, limit, (char **)argv);
  return self;
}

static char *take_text(int fd) {
  GString *text = g_string_new(NULL);
  char buffer[4096];
  ssize_t got;
  lseek(fd, 0, SEEK_SET);
  while ((got = read(fd, buffer, sizeof buffer)) > 0) g_string_append_len(text, buffer, got);
  close(fd);
  return g_string_free(text, FALSE);
}

gboolean cli_running(CliChild *self) {
  if (!self->ended) self->ended = waitpid(self->pid, &self->raw, WNOHANG) == self->pid;
  return !self->ended;
}

void cli_signal(CliChild *self, int number) {
  if (cli_running(self)) kill(self->pid, number);
}

CliResult *cli_wait(CliChild *self) {
  gint64 limit = (cli_sanitized() ? 600 : 120) * G_USEC_PER_SEC;
  gboolean late = FALSE;
  while (cli_running(self)) {
    late = g_get_monotonic_time() - self->started > limit;
    if (late) kill(self->pid, SIGKILL);
    g_usleep(POLL_MICROSECONDS);
  }
  CliResult *result = g_new0(CliResult, 1);
  result->status = WIFEXITED(self->raw) ? WEXITSTATUS(self->raw) : -WTERMSIG(self->raw);
  result->out = take_text(self->out);
  result->err = take_text(self->err);
  result->seconds = (double)(g_get_monotonic_time() - self->started) / G_USEC_PER_SEC;
  g_free(self);
  if (late) g_error("the program did not end in time; it said: %s", result->err);
  return result;
}

static GPtrArray *collect(const char *first, va_list rest) {
  GPtrArray *arguments = g_ptr_array_new();
  g_ptr_array_add(arguments, (gpointer)g_getenv("ABHOST_PROGRAM"));
  for (const char *next = first; next; next = va_arg(rest, const char *))
    g_ptr_array_add(arguments, (gpointer)next);
  g_ptr_array_add(arguments, NULL);
  return arguments;
}

#define COLLECT(array, first)                        \
  va_list rest;                                      \
  va_start(rest, first);                             \
  g_autoptr(GPtrArray) array = collect(first, rest); \
  va_end(rest)

CliResult *cli_run(const char *argument, ...) {
  COLLECT(arguments, argument);
  return cli_wait(start(NULL, 0, (const char *const *)arguments->pdata));
}

CliResult *cli_run_limited(gint64 file_bytes, const char *argument, ...) {
  COLLECT(arguments, argument);
  return cli_wait(start(NULL, file_bytes, (const char *const *)arguments->pdata));
}

CliChild *cli_start(const char *argument, ...) {
  COLLECT(arguments, argument);
  return start(NULL, 0, (const char *const *)arguments->pdata);
}

CliResult *cli_runv(const char *const *arguments) {
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  g_ptr_array_add(all, (gpointer)g_getenv("ABHOST_PROGRAM"));
  for (guint i = 0; arguments[i]; i++) g_ptr_array_add(all, (gpointer)arguments[i]);
  g_ptr_array_add(all, NULL);
  return cli_wait(start(NULL, 0, (const char *const *)all->pdata));
}

CliResult *cli_spawn(const char *folder, const char *const *argv) {
  return cli_wait(start(folder, 0, argv));
}

/* ---- what is expected ---------------------------------------------------------------------- */

void cli_assert_status(const CliResult *result, int status) {
  if (result->status == status) return;
  g_error("exit status %d instead of %d\n---- stdout\n%s---- stderr\n%s----", result->status,
          status, result->out, result->err);
}

void cli_assert_says(const CliResult *result, const char *word, ...) {
  va_list rest;
  va_start(rest, word);
  for (; word; word = va_arg(rest, const char *))
    if (!strstr(result->err, word)) g_error("'%s' is not in the message:\n%s", word, result->err);
  va_end(rest);
}

void cli_assert_message(const CliResult *result, guint lines) {
  static const char *const never[] = {
      "(null)", "Sanitizer", "runtime error", "HDF5-DIAG", "CRITICAL", "GLib", NULL};
  guint count = 0;
  for (const char *at = result->err; (at = strchr(at, '\n')); at++) count++;
  for (guint i = 0; never[i]; i++)
    if (strstr(result->err, never[i])) g_error("'%s' in the message:\n%s", never[i], result->err);
  if (!g_utf8_validate(result->err, -1, NULL)) g_error("the message is no UTF-8");
  if (count < 1 || count > lines)
    g_error("%u lines instead of 1 to %u:\n%s", count, lines, result->err);
}

JsonNode *cli_json(const char *text) {
  g_autoptr(GError) error = NULL;
  JsonNode *node = json_from_string(text, &error);
  if (!node) g_error("no JSON: %s\n%s", error ? error->message : "empty", text);
  return node;
}

static JsonNode *find_json(JsonNode *root, const char *path) {
  g_auto(GStrv) keys = g_strsplit(path, "/", -1);
  JsonNode *node = root;
  for (guint i = 0; node && keys[i]; i++)
    node =
        JSON_NODE_HOLDS_OBJECT(node) && json_object_has_member(json_node_get_object(node), keys[i])
            ? json_object_get_member(json_node_get_object(node), keys[i])
            : NULL;
  return node;
}

gboolean cli_json_has(JsonNode *root, const char *path) {
  return find_json(root, path) != NULL;
}

double cli_json_real(JsonNode *root, const char *path) {
  JsonNode *node = find_json(root, path);
  return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : NAN;
}

/* ---- files --------------------------------------------------------------------------------- */

void cli_write_bytes(const char *path, const void *bytes, gsize size) {
  g_autoptr(GError) error = NULL;
  if (!g_file_set_contents(path, bytes, (gssize)size, &error)) g_error("%s", error->message);
}

void cli_write(const char *path, const char *text) {
  cli_write_bytes(path, text, strlen(text));
}

void cli_copy(const char *from, const char *to) {
  g_autofree char *bytes = NULL;
  gsize size;
  g_assert_true(g_file_get_contents(from, &bytes, &size, NULL));
  g_unlink(to);
  cli_write_bytes(to, bytes, size);
}

void cli_install(const char *file, const char *folder) {
  g_autofree char *from = g_build_filename(g_getenv("ABHOST_TEST_FIXTURES"), file, NULL);
  g_autofree char *to = g_build_filename(folder, file, NULL);
  cli_mkdir(folder);
  cli_copy(from, to);
}

/* The first words of the lines between "Commands:" and the next empty line. */
GPtrArray *cli_commands(void) {
  g_autoptr(CliResult) result = cli_run("--help", NULL);
  cli_assert_status(result, 0);
  g_assert_cmpstr(result->err, ==, "");
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  const char *at = strstr(result->out, "Commands:\n");
  g_assert_nonnull(at);
  for (at = strchr(at, '\n') + 1; *at == ' '; at = strchr(at, '\n') + 1) {
    at += strspn(at, " ");
    g_ptr_array_add(names, g_strndup(at, strcspn(at, " ")));
  }
  g_assert_cmpuint(names->len, >=, 10);
  return names;
}

char *cli_read(const char *path) {
  g_autoptr(GError) error = NULL;
  char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, &error)) g_error("%s", error->message);
  return text;
}

gboolean cli_exists(const char *path) {
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

void cli_remove(const char *path) {
  GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    g_autofree char *inside = g_build_filename(path, name, NULL);
    cli_remove(inside);
  }
  if (dir) g_dir_close(dir);
  g_remove(path);
}

void cli_mkdir(const char *path) {
  g_assert_cmpint(g_mkdir_with_parents(path, 0777), ==, 0);
}

guint cli_count_entries(const char *folder) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  guint count = 0;
  while (dir && g_dir_read_name(dir)) count++;
  if (dir) g_dir_close(dir);
  return count;
}

static void assert_none_hidden(const char *folder) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));)
    if (*name == '.' || strstr(name, ".tmp")) g_error("%s/%s is left", folder, name);
  if (dir) g_dir_close(dir);
}

void cli_assert_no_temporaries(const char *run) {
  g_autofree char *checkpoints = g_build_filename(run, "checkpoints", NULL);
  assert_none_hidden(run);
  assert_none_hidden(checkpoints);
}

char *cli_example(const char *name) {
  return g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), "examples", name, NULL);
}

char *cli_data(const char *name) {
  const char *root = g_getenv("ABHOST_TEST_DATA");
  g_autofree char *shared =
      g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), "..", "shared", "data", NULL);
  char *path = g_build_filename(root && *root ? root : shared, name, NULL);
  if (cli_exists(path)) return path;
  g_free(path);
  return NULL;
}

/* ---- checkpoints --------------------------------------------------------------------------- */

static StoreFile *open_file(const char *path) {
  g_autoptr(GError) error = NULL;
  StoreFile *file = store_open(path, &error);
  if (!file) g_error("%s", error->message);
  return file;
}

static gsize elements(const StoreInfo *info) {
  gsize count = 1;
  for (int i = 0; i < info->rank; i++) count *= (gsize)info->shape[i];
  return count;
}

/* A dataset in a type, or in its own with 0; *bytes is its size. */
static void *read_dataset(StoreFile *file, const char *name, AbDtype dtype, gsize *bytes) {
  g_autoptr(GError) error = NULL;
  StoreInfo info;
  if (!store_info(file, name, &info, &error)) g_error("%s", error->message);
  if (!dtype) dtype = info.dtype;
  *bytes = elements(&info) * (gsize)ab_dtype_size(dtype);
  void *buffer = g_malloc0(MAX(*bytes, 1));
  gint64 rows = info.rank ? info.shape[0] : 1;
  if (*bytes && !store_read(file, name, dtype, 0, rows, buffer, &error))
    g_error("%s", error->message);
  return buffer;
}

static GPtrArray *list_tensors(StoreFile *file, const char *group) {
  g_autoptr(GError) error = NULL;
  GPtrArray *names = store_list(file, group, &error);
  if (!names) g_error("%s", error->message);
  return names;
}

void cli_assert_opens(const char *checkpoint) {
  static const char *const groups[] = {"/model", "/optimizer"};
  g_autoptr(StoreFile) file = open_file(checkpoint);
  for (guint i = 0; i < G_N_ELEMENTS(groups); i++) {
    g_autoptr(GPtrArray) names = list_tensors(file, groups[i]);
    if (i == 0) g_assert_cmpuint(names->len, >, 0);
    for (guint j = 0; j < names->len; j++) {
      gsize bytes;
      g_free(read_dataset(file, names->pdata[j], 0, &bytes));
    }
  }
}

gboolean cli_same_tensors(const char *left, const char *right, const char *group) {
  g_autoptr(StoreFile) a = open_file(left);
  g_autoptr(StoreFile) b = open_file(right);
  g_autoptr(GPtrArray) names = list_tensors(a, group);
  g_autoptr(GPtrArray) others = list_tensors(b, group);
  gboolean same = names->len == others->len;
  for (guint i = 0; same && i < names->len; i++) {
    gsize size, other_size;
    same = store_has(b, names->pdata[i]);
    if (!same) break;
    g_autofree void *bytes = read_dataset(a, names->pdata[i], 0, &size);
    g_autofree void *other = read_dataset(b, names->pdata[i], 0, &other_size);
    same = size == other_size && memcmp(bytes, other, size) == 0;
  }
  return same;
}

double *cli_tensor(const char *checkpoint, const char *dataset, gsize *count) {
  g_autoptr(StoreFile) file = open_file(checkpoint);
  gsize bytes;
  double *values = read_dataset(file, dataset, AB_F64, &bytes);
  *count = bytes / sizeof *values;
  return values;
}

double cli_difference(const char *left, const char *right, const char *dataset) {
  gsize count, other;
  g_autofree double *a = cli_tensor(left, dataset, &count);
  g_autofree double *b = cli_tensor(right, dataset, &other);
  double largest = 0;
  g_assert_cmpuint(count, ==, other);
  for (gsize i = 0; i < count; i++) largest = MAX(largest, fabs(a[i] - b[i]));
  return largest;
}

GPtrArray *cli_lines(const char *run) {
  g_autofree char *path = g_build_filename(run, "metrics.jsonl", NULL);
  g_autofree char *text = cli_read(path);
  GPtrArray *nodes = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (*lines[i]) g_ptr_array_add(nodes, cli_json(lines[i]));
  return nodes;
}

char *cli_metrics(const char *run) {
  g_autofree char *path = g_build_filename(run, "metrics.jsonl", NULL);
  g_autofree char *text = cli_read(path);
  g_autoptr(GRegex) seconds = g_regex_new("\"seconds\":[-+.0-9e]+", 0, 0, NULL);
  return g_regex_replace_literal(seconds, text, -1, 0, "\"seconds\":0", 0, NULL);
}
