/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of a comparison. */
#include "compare-internal.h"

#include "../files.h"
#include "../jsonin.h"
#include "../jsonout.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAN   "plan.json"
#define LOCK   "lock"
#define FORMAT 1

enum { MAX_PLAN = 32 << 20 }; /* it has the text of a manifest, which may have 4 MiB */

gboolean folder_write(const char *folder, const char *name, const char *text, GError **error) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_autoptr(GError) cause = NULL;
  return g_file_set_contents_full(path, text, -1,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  0666, &cause) ||
         host_fail(error, AB_IO, "%s cannot be written: %s", path, cause->message);
}

/* ---- the plan -------------------------------------------------------------------------------- */

static gboolean write_plan(const char *folder, const Plan *plan, GError **error) {
  g_autoptr(JsonNode) identity = plan_identity(plan);
  JsonObject *object = json_node_get_object(identity);
  g_autofree char *manifest = g_utf8_make_valid(plan->manifest, -1);
  g_autofree char *program = g_strdup_printf("abhost %s", ab_version());
  json_object_set_int_member(object, "format", FORMAT);
  json_object_set_string_member(object, "program", program);
  json_object_set_string_member(object, "manifest", manifest);
  g_autofree char *text = jsonout_node(identity, TRUE);
  return folder_write(folder, PLAN, text, error);
}

/* A member as the command line would have it: "--epochs 20", "no --epochs". */
static char *option_text(const char *name, JsonNode *value) {
  gboolean none =
      !value || JSON_NODE_HOLDS_NULL(value) ||
      (JSON_NODE_HOLDS_ARRAY(value) && json_array_get_length(json_node_get_array(value)) == 0);
  if (none) return g_strdup_printf("no --%s", name);
  g_autofree char *text = jsonout_node(value, FALSE);
  return g_strdup_printf("--%s %s", name, text);
}

/* What is different in a member; NULL where nothing is. */
static char *difference(const char *name, JsonNode *there, JsonNode *here) {
  if (there && json_node_equal(there, here)) return NULL;
  if (strcmp(name, "text") == 0) return g_strdup("its manifest has another text");
  g_autofree char *then = option_text(name, there);
  g_autofree char *now = option_text(name, here);
  return g_strdup_printf("it was made with %s, and this is with %s", then, now);
}

static gboolean check_plan(const char *folder, const char *path, const Plan *plan, GError **error) {
  g_autoptr(GError) cause = NULL;
  g_autoptr(JsonNode) node = files_read_object(folder, PLAN, MAX_PLAN, &cause);
  g_autoptr(JsonNode) identity = plan_identity(plan);
  if (cause && cause->code == AB_IO)
    return host_fail(error, AB_IO, "%s/%s", folder, cause->message);
  JsonObject *there = node ? json_node_get_object(node) : NULL;
  if (!there || jsonin_int(there, "format", 0) != FORMAT)
    return host_fail(error, AB_CONFIG,
                     "%s is damaged, or of another version of abhost; name another folder with "
                     "--output",
                     path);
  JsonObject *here = json_node_get_object(identity);
  g_autoptr(GList) members = json_object_get_members(here);
  for (GList *at = members; at; at = at->next) {
    g_autofree char *found = difference(at->data, json_object_get_member(there, at->data),
                                        json_object_get_member(here, at->data));
    if (found)
      return host_fail(error, AB_CONFIG,
                       "%s holds another comparison: %s; name another folder with --output, or "
                       "none",
                       folder, found);
  }
  return TRUE;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Whether there is nothing but what an interrupted beginning of ours leaves. */
static gboolean is_fresh(const char *folder) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  gboolean fresh = dir != NULL;
  for (const char *name; fresh && (name = g_dir_read_name(dir));)
    fresh = strcmp(name, LOCK) == 0 || g_str_has_prefix(name, PLAN ".");
  if (dir) g_dir_close(dir);
  return fresh;
}

static gboolean take_lock(const char *folder, int *lock, GError **error) {
  g_autofree char *path = g_build_filename(folder, LOCK, NULL);
  *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (*lock < 0) return host_fail(error, AB_IO, "%s cannot be opened: %s", path, g_strerror(errno));
  if (flock(*lock, LOCK_EX | LOCK_NB) == 0) return TRUE;
  if (errno == EWOULDBLOCK)
    return host_fail(error, AB_UNAVAILABLE,
                     "another `abhost compare` works in %s; wait for it, or name another folder "
                     "with --output",
                     folder);
  return host_fail(error, AB_IO, "%s cannot be locked: %s", path, g_strerror(errno));
}

static gboolean make_below(const char *folder, const char *name, GError **error) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  return g_mkdir_with_parents(path, 0777) == 0 ||
         host_fail(error, AB_IO, "%s cannot be made: %s", path, g_strerror(errno));
}

/* Looked into before anything is put there: a mistyped --output leaves no trace. */
static gboolean check_folder(const char *folder, const char *plan_path, GError **error) {
  if (!g_file_test(folder, G_FILE_TEST_EXISTS) || g_file_test(plan_path, G_FILE_TEST_EXISTS) ||
      is_fresh(folder))
    return TRUE;
  return host_fail(error, AB_IO,
                   "%s is there, and is no comparison: it has no " PLAN "; name another folder "
                   "with --output",
                   folder);
}

static gboolean open_given(const Plan *plan, const char *folder, int *lock, GError **error) {
  g_autofree char *path = g_build_filename(folder, PLAN, NULL);
  if (!check_folder(folder, path, error)) return FALSE;
  if (g_mkdir_with_parents(folder, 0777) != 0)
    return host_fail(error, AB_IO, "the folder %s cannot be made: %s; --output names another place",
                     folder, g_strerror(errno));
  if (!take_lock(folder, lock, error)) return FALSE;
  gboolean known = g_file_test(path, G_FILE_TEST_EXISTS);
  if (known ? !check_plan(folder, path, plan, error) : !write_plan(folder, plan, error))
    return FALSE;
  return make_below(folder, "runs", error) && make_below(folder, "logs", error);
}

/* runs/compare-<manifest>-<hash> */
static char *name_folder(const Plan *plan) {
  g_autofree char *base = g_path_get_basename(plan->manifest);
  g_autofree char *hash = plan_hash(plan);
  char *dot = strrchr(base, '.');
  if (dot && dot != base) *dot = 0;
  return g_strdup_printf("runs/compare-%s-%s", base, hash);
}

char *folder_open(const Plan *plan, const char *output, int *lock, GError **error) {
  g_autofree char *folder = output ? g_strdup(output) : name_folder(plan);
  *lock = -1;
  if (open_given(plan, folder, lock, error)) return g_steal_pointer(&folder);
  if (*lock >= 0) close(*lock);
  *lock = -1;
  return NULL;
}

/* ---- run folders ----------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place) {
  (void)info, (void)type, (void)place;
  return remove(path);
}

/* A process that writes a run holds a lock on its log. */
static gboolean in_use(const char *path) {
  g_autofree char *log = g_build_filename(path, "log.txt", NULL);
  int fd = open(log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  gboolean used = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (fd >= 0) close(fd);
  return used;
}

gboolean folder_remove_run(const char *path, const char *log, GError **error) {
  struct stat info;
  if (lstat(path, &info) != 0) return TRUE;
  if (!S_ISDIR(info.st_mode) || !g_file_test(log, G_FILE_TEST_EXISTS))
    return host_fail(error, AB_IO, "%s was not made by this comparison; take it away", path);
  if (in_use(path))
    return host_fail(error, AB_UNAVAILABLE, "%s is in use by another process; stop it", path);
  return nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 ||
         host_fail(error, AB_IO, "%s, the beginning of a run, cannot be removed: %s", path,
                   g_strerror(errno));
}
