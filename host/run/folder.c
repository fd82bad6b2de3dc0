/* SPDX-License-Identifier: Apache-2.0
 *
 * Run folders on the disk. */
#include "folder.h"

#include "../files.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* ---- making ---------------------------------------------------------------------------------- */

/* Whether nothing is in it but, maybe, `own`. */
static gboolean is_empty(const char *folder, const char *own) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  if (!dir) return FALSE;
  const char *name;
  do {
    name = g_dir_read_name(dir);
  } while (name && own && strcmp(name, own) == 0);
  g_dir_close(dir);
  return name == NULL;
}

static gboolean taken(const char *output, GError **error) {
  return host_fail(error, AB_IO,
                   "%s is there and not empty; name another folder with --output, or go on with "
                   "`abhost resume %s`",
                   output, output);
}

static gboolean make_given(const char *output, GError **error) {
  if (g_file_test(output, G_FILE_TEST_EXISTS) && !is_empty(output, NULL))
    return taken(output, error);
  if (g_mkdir_with_parents(output, 0777) == 0) return TRUE;
  return host_fail(error, AB_IO,
                   "the run folder %s cannot be made: %s; --output names another place", output,
                   g_strerror(errno));
}

/* runs/<manifest>-<time>, with a number where that is taken. */
static char *make_named(const char *manifest_path, GError **error) {
  char *base = g_path_get_basename(manifest_path), *dot = strrchr(base, '.');
  if (dot && dot != base) *dot = 0;
  GDateTime *now = g_date_time_new_now_local();
  char *time = g_date_time_format(now, "%Y%m%d-%H%M%S");
  char *made = NULL;
  gboolean parent = g_mkdir_with_parents("runs", 0777) == 0;
  for (guint i = 1; parent && !made && i < 1000; i++) {
    char *path = i == 1 ? g_strdup_printf("runs/%s-%s", base, time)
                        : g_strdup_printf("runs/%s-%s-%u", base, time, i);
    if (g_mkdir(path, 0777) == 0)
      made = path;
    else
      g_free(path);
    if (!made && errno != EEXIST) break;
  }
  if (!made)
    host_fail(error, AB_IO,
              "a run folder below runs/ cannot be made: %s; --output names another place",
              g_strerror(errno));
  g_free(time);
  g_date_time_unref(now);
  g_free(base);
  return made;
}

static gboolean write_text(const RunFolder *self, const char *name, const char *text,
                           GError **error) {
  g_autofree char *path = g_build_filename(self->path, name, NULL);
  return files_write(path, text, -1, error);
}

static FILE *open_append(const RunFolder *self, const char *name, GError **error) {
  char *path = g_build_filename(self->path, name, NULL);
  FILE *file = fopen(path, "ae");
  if (!file) host_fail(error, AB_IO, "%s cannot be written: %s", path, g_strerror(errno));
  g_free(path);
  return file;
}

#define LOCK       "log.txt"
#define LOCK_TRIES 20
#define LOCK_PAUSE (G_USEC_PER_SEC / 20)

/* A child that reads HDF5 for a process which was killed may hold its lock for a moment. */
static gboolean lock(RunFolder *self, GError **error) {
  if (!(self->log = open_append(self, LOCK, error))) return FALSE;
  for (int i = 0; flock(fileno(self->log), LOCK_EX | LOCK_NB) != 0; i++) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return TRUE;
    if (i >= LOCK_TRIES)
      return host_fail(error, AB_IO,
                       "%s is in use by another process; wait until that has ended, or stop it",
                       self->path);
    g_usleep(LOCK_PAUSE);
  }
  return TRUE;
}

static gboolean open_files(RunFolder *self, GError **error) {
  if (g_mkdir_with_parents(self->checkpoints, 0777) != 0)
    return host_fail(error, AB_IO, "%s cannot be made: %s", self->checkpoints, g_strerror(errno));
  self->metrics = open_append(self, "metrics.jsonl", error);
  return self->metrics != NULL;
}

static gboolean make(const char *output, const char *manifest_path, RunFolder *self,
                     GError **error) {
  if (output)
    self->path = make_given(output, error) ? g_strdup(output) : NULL;
  else
    self->path = make_named(manifest_path, error);
  if (!self->path || !lock(self, error)) return FALSE;
  self->checkpoints = g_build_filename(self->path, "checkpoints", NULL);
  /* another process may have made its run here since it was found empty */
  return is_empty(self->path, LOCK) || taken(self->path, error);
}

RunFolder *run_folder_new(const char *output, const char *manifest_path, const char *manifest,
                          const char *resolved, GError **error) {
  RunFolder *self = g_new0(RunFolder, 1);
  if (make(output, manifest_path, self, error) && open_files(self, error) &&
      write_text(self, "manifest.yaml", manifest, error) &&
      write_text(self, "resolved.yaml", resolved, error))
    return self;
  run_folder_free(self);
  return NULL;
}

/* ---- going on -------------------------------------------------------------------------------- */

/* The lines up to the checkpoint are there, and end with it. */
static gboolean ends_line(FILE *file, gint64 bytes) {
  return bytes == 0 || (fseek(file, (long)bytes - 1, SEEK_SET) == 0 && getc(file) == '\n');
}

/* It says that a run has ended, and this one goes on. */
static gboolean remove_result(const RunFolder *self, GError **error) {
  g_autofree char *path = g_build_filename(self->path, "result.json", NULL);
  return g_unlink(path) == 0 || errno == ENOENT ||
         host_fail(error, AB_IO, "%s cannot be removed: %s", path, g_strerror(errno));
}

/* Back to the checkpoint; a metrics.jsonl that does not fit it leaves everything as it is. */
static gboolean cut_metrics(const RunFolder *self, gint64 *bytes, GError **error) {
  g_autofree char *path = g_build_filename(self->path, "metrics.jsonl", NULL);
  FILE *file = fopen(path, "r+e");
  if (!file && errno == ENOENT) {
    *bytes = 0;
    return remove_result(self, error);
  }
  gboolean done = FALSE;
  if (!file)
    host_fail(error, AB_IO, "%s cannot be opened: %s", path, g_strerror(errno));
  else if (!ends_line(file, *bytes))
    host_fail(error, AB_DATA,
              "%s is not what the checkpoint goes on from: no line ends at byte %" G_GINT64_FORMAT
              "; put the right one there, or take it away to go on without its lines",
              path, *bytes);
  else if (remove_result(self, error) && !(done = ftruncate(fileno(file), *bytes) == 0))
    host_fail(error, AB_IO, "%s cannot be cut to the checkpoint: %s", path, g_strerror(errno));
  if (file) fclose(file);
  return done;
}

/* A manifest that was edited would have no effect, and that of another run is a mix-up. */
static gboolean check_manifest(const char *path, const char *manifest, GError **error) {
  char *text = NULL;
  gboolean same = !g_file_get_contents(path, &text, NULL, NULL) || strcmp(text, manifest) == 0;
  g_free(text);
  return same ||
         host_fail(error, AB_DATA,
                   "%s is not the manifest that the checkpoint was made with, which is its dataset "
                   "/manifest; put that back, or start a new run from the weights (init.from)",
                   path);
}

RunFolder *run_folder_open(const char *path, GError **error) {
  RunFolder *self = g_new0(RunFolder, 1);
  self->path = g_strdup(path);
  self->checkpoints = g_build_filename(path, "checkpoints", NULL);
  if (lock(self, error)) return self;
  run_folder_free(self);
  return NULL;
}

gboolean run_folder_go_on(RunFolder *self, const char *manifest, gint64 *log_bytes,
                          GError **error) {
  g_autofree char *written = g_build_filename(self->path, "manifest.yaml", NULL);
  return check_manifest(written, manifest, error) && cut_metrics(self, log_bytes, error) &&
         open_files(self, error);
}

void run_folder_free(RunFolder *self) {
  if (!self) return;
  if (self->metrics) fclose(self->metrics);
  if (self->log) fclose(self->log);
  g_free(self->path);
  g_free(self->checkpoints);
  g_free(self);
}

/* ---- lines ----------------------------------------------------------------------------------- */

gboolean run_folder_record(RunFolder *self, const char *line, gint64 *bytes, GError **error) {
  int written = fprintf(self->metrics, "%s\n", line);
  if (written < 0 || fflush(self->metrics) != 0 || fsync(fileno(self->metrics)) != 0)
    return host_fail(error, AB_IO, "%s/metrics.jsonl cannot be written: %s", self->path,
                     g_strerror(errno));
  *bytes += written;
  return TRUE;
}

void run_folder_log(RunFolder *self, const char *format, ...) {
  GDateTime *now = g_date_time_new_now_local();
  char *time = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
  va_list arguments;
  va_start(arguments, format);
  char *message = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  fprintf(self->log, "%s  %s\n", time, message);
  fflush(self->log);
  g_free(message);
  g_free(time);
  g_date_time_unref(now);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static char *step_name(gint64 step) {
  return g_strdup_printf("step-%" G_GINT64_FORMAT ".h5", step);
}

char *run_folder_checkpoint(const RunFolder *self, gint64 step) {
  char *name = step_name(step), *path = g_build_filename(self->checkpoints, name, NULL);
  g_free(name);
  return path;
}

gboolean run_folder_point(const RunFolder *self, const char *name, gint64 step, GError **error) {
  char *target = step_name(step), *link = g_build_filename(self->checkpoints, name, NULL);
  char *fresh = g_strdup_printf("%s/.%s.tmp", self->checkpoints, name);
  g_unlink(fresh);
  gboolean done = symlink(target, fresh) == 0 && g_rename(fresh, link) == 0;
  if (!done) {
    host_fail(error, AB_IO, "%s cannot be pointed to %s: %s", link, target, g_strerror(errno));
    g_unlink(fresh);
  }
  g_free(fresh);
  g_free(link);
  g_free(target);
  return done;
}

/* N of "step-N.h5"; -1 for other names */
static gint64 step_of(const char *name) {
  gint64 step;
  int end = 0;
  if (sscanf(name, "step-%" G_GINT64_FORMAT ".h5%n", &step, &end) != 1 || end == 0 || name[end])
    return -1;
  return step;
}

static gint compare_steps(gconstpointer a, gconstpointer b) {
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;
  return left < right ? 1 : left > right ? -1 : 0;
}

static gint64 pointed(const RunFolder *self, const char *name) {
  char *link = g_build_filename(self->checkpoints, name, NULL);
  char *target = g_file_read_link(link, NULL);
  gint64 step = target ? step_of(target) : -1;
  g_free(target);
  g_free(link);
  return step;
}

void run_folder_prune(const RunFolder *self, gint64 keep) {
  GArray *steps = g_array_new(FALSE, FALSE, sizeof(gint64));
  GDir *dir = g_dir_open(self->checkpoints, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    gint64 step = step_of(name);
    if (step >= 0) g_array_append_val(steps, step);
    if (*name == '.' && g_str_has_suffix(name, ".tmp")) {
      char *left = g_build_filename(self->checkpoints, name, NULL);
      g_unlink(left);
      g_free(left);
    }
  }
  if (dir) g_dir_close(dir);
  g_array_sort(steps, compare_steps);
  gint64 last = pointed(self, "last.h5"), best = pointed(self, "best.h5");
  for (guint i = (guint)MIN(keep, G_MAXINT); i < steps->len; i++) {
    gint64 step = g_array_index(steps, gint64, i);
    if (step == last || step == best) continue;
    char *path = run_folder_checkpoint(self, step);
    g_unlink(path);
    g_free(path);
  }
  g_array_unref(steps);
}

char *run_folder_find_tested(const char *path, GError **error) {
  char *best = g_build_filename(path, "checkpoints", "best.h5", NULL);
  if (g_file_test(best, G_FILE_TEST_EXISTS)) return best;
  g_free(best);
  return run_folder_find_checkpoint(path, error);
}

char *run_folder_find_checkpoint(const char *path, GError **error) {
  if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
    char *last = g_build_filename(path, "checkpoints", "last.h5", NULL);
    if (g_file_test(last, G_FILE_TEST_EXISTS)) return last;
    host_fail(error, AB_NO_INPUT, "%s is no run folder: it has no checkpoints/last.h5", path);
    g_free(last);
    return NULL;
  }
  if (g_file_test(path, G_FILE_TEST_EXISTS)) return g_strdup(path);
  host_fail(error, AB_NO_INPUT, "%s: there is no such run folder or checkpoint", path);
  return NULL;
}
