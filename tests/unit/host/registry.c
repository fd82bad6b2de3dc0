/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry on folders that the tests fill with fixtures: what is taken, what is refused and
 * why, and who wins.                                                                            */
#include "registry/registry.h"
#include "registry/fit.h"

#include <dlfcn.h>
#include <glib/gstdio.h>
#include <string.h>

/* ---- folders ------------------------------------------------------------------------------- */

static char *make_folder(void) {
  char *folder = g_dir_make_tmp("abhost-registry-XXXXXX", NULL);
  g_assert_nonnull(folder);
  return folder;
}

/* Removes the folder with its files; takes it. */
static void drop_folder(char *folder) {
  g_chmod(folder, 0700);
  GDir *handle = g_dir_open(folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name(handle));) {
    char *file = g_build_filename(folder, name, NULL);
    g_remove(file);
    g_free(file);
  }
  g_dir_close(handle);
  g_assert_cmpint(g_rmdir(folder), ==, 0);
  g_free(folder);
}

static void write_file(const char *folder, const char *name, const char *bytes, gssize size) {
  char *file = g_build_filename(folder, name, NULL);
  g_assert_true(g_file_set_contents(file, bytes, size, NULL));
  g_free(file);
}

/* Copies a fixture, by the name that it has or another. */
static void put_as(const char *folder, const char *fixture, const char *name) {
  char *from = g_strdup_printf("%s/%s.so", g_getenv("ABHOST_TEST_FIXTURES"), fixture), *bytes;
  gsize size;
  g_assert_true(g_file_get_contents(from, &bytes, &size, NULL));
  write_file(folder, name, bytes, (gssize)size);
  g_free(bytes);
  g_free(from);
}

static void put(const char *folder, const char *fixture) {
  char *name = g_strconcat(fixture, ".so", NULL);
  put_as(folder, fixture, name);
  g_free(name);
}

static Registry *scan(const char *first, const char *second) {
  GError *error = NULL;
  Registry *registry = registry_new((const char *const[]){first, second, NULL}, &error);
  g_assert_no_error(error);
  return registry;
}

static void assert_has(const char *text, const char *part) {
  if (!strstr(text, part)) g_error("'%s' was expected in '%s'", part, text);
}

static const char *names(const Registry *registry) {
  static char text[1024];
  *text = '\0';
  for (guint i = 0; i < registry_entries(registry)->len; i++) {
    const AbComponent *c = ((const Entry *)registry_entries(registry)->pdata[i])->component;
    g_snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s/%s", i ? " " : "",
               ab_kind_name(c->kind), c->name);
  }
  return text;
}

#define GOOD "data/needy model/pair model/tiny loss/gap loss/other regularizer/shrink metric/gap"

static const Refusal *refusal(const Registry *registry, guint index) {
  g_assert_cmpuint(index, <, registry_refusals(registry)->len);
  return registry_refusals(registry)->pdata[index];
}

/* ---- what is taken ------------------------------------------------------------------------- */

static void test_good(void) {
  char *folder = make_folder();
  put(folder, "good");
  write_file(folder, "notes.txt", "no plugin", -1);
  write_file(folder, ".hidden.so", "no plugin", -1);
  g_autoptr(Registry) registry = scan(folder, NULL);
  g_assert_cmpstr(names(registry), ==, GOOD);
  g_assert_cmpuint(registry_refusals(registry)->len, ==, 0);
  g_assert_cmpstr(registry_folders(registry)[0], ==, folder);
  const Entry *entry = registry_find(registry, AB_KIND_MODEL, "tiny", NULL);
  g_assert_cmpstr(entry->component->name, ==, "tiny");
  g_assert_cmpstr(entry->plugin->id, ==, "test.good");
  char *file = g_build_filename(folder, "good.so", NULL), *bytes;
  gsize size;
  g_assert_cmpstr(entry->file, ==, file);
  g_assert_true(g_file_get_contents(file, &bytes, &size, NULL));
  char *hash = registry_hash(entry, NULL);
  char *expected = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)bytes, size);
  g_assert_cmpstr(hash, ==, expected);
  g_free(hash);
  g_free(expected);
  g_free(bytes);
  g_free(file);
  drop_folder(folder);
}

static void test_find(void) {
  char *folder = make_folder();
  put(folder, "good");
  write_file(folder, "model-lost.so", "no library", -1);
  g_autoptr(Registry) registry = scan(folder, NULL);
  static const struct {
    AbKind kind;
    const char *name, *message;
  } cases[] = {
      {AB_KIND_MODEL, "tinny", "there is no model 'tinny'; did you mean 'tiny'?"},
      {AB_KIND_MODEL, "xyz", "there is no model 'xyz' (installed: pair, tiny)"},
      {AB_KIND_NOISE, "tiny",
       "there is no noise 'tiny', nor any other noise; name their folder "
       "with --plugin-path; that is the name of a component of the kind model"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(registry_find(registry, cases[i].kind, cases[i].name, &error));
    g_assert_error(error, HOST_ERROR, AB_UNAVAILABLE);
    g_assert_cmpstr(error->message, ==, cases[i].message);
  }
  g_autoptr(GError) error = NULL;
  g_assert_null(registry_find(registry, AB_KIND_MODEL, "lost", &error));
  assert_has(error->message, "/model-lost.so was refused: is no ELF file");
  drop_folder(folder);
}

static void test_default(void) {
  char *folder = make_folder();
  put(folder, "good");
  g_autoptr(Registry) registry = scan(folder, NULL);
  GError *error = NULL;
  const Entry *entry = registry_default(registry, AB_KIND_LOSS, AB_ROLE_CLASSIFY, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(entry->component->name, ==, "other");
  g_assert_null(registry_default(registry, AB_KIND_MODEL, AB_ROLE_CLASSIFY, &error));
  g_assert_no_error(error);
  g_assert_null(registry_default(registry, AB_KIND_LOSS, AB_ROLE_RECONSTRUCT, &error));
  g_assert_error(error, HOST_ERROR, AB_CONFIG);
  assert_has(error->message, "gap, other");
  g_error_free(error);
  drop_folder(folder);
}

static void test_fit(void) {
  char *folder = make_folder();
  put(folder, "good");
  g_autoptr(Registry) registry = scan(folder, NULL);
  char *all = fit_names(registry, AB_KIND_MODEL, AB_ROLE_NONE);
  char *some = fit_names(registry, AB_KIND_MODEL, AB_ROLE_CLASSIFY);
  char *none = fit_names(registry, AB_KIND_MODEL, AB_ROLE_ACT);
  g_assert_cmpstr(all, ==, "pair, tiny");
  g_assert_cmpstr(some, ==, "pair");
  g_assert_cmpstr(none, ==, "none");
  g_free(all);
  g_free(some);
  g_free(none);
  drop_folder(folder);
}

/* ---- what is refused ----------------------------------------------------------------------- */

static const struct {
  const char *fixture, *reason;
} flaws[] = {
    {"wrong-magic", "is no plugin's descriptor"},
    {"wrong-size", "has 4096 bytes"},
    {"wrong-abi", "built for version 7.1 of the plugin interface"},
    {"wrong-fingerprint", "built with other headers of the SDK (0123456789abcdef"},
    {"bad-row", "model spoilt: parameter row 1 ('far'): its field (8 bytes at 24) lies outside"},
    {"bad-default", "model spoilt: parameter row 0 ('size'): its default does not fit (model "
                    "spoilt: size is 10; it must be 0 to 9 units)"},
    {"bad-choice", "size is 'three'"},
    {"bad-record", "nest too deep"},
    {"bad-slot", "model spoilt: slot row 0 ('size'): a parameter has this key"},
    {"bad-name", "component 0: its name must be"},
    {"null-vtable", "model spoilt: its vtable is NULL"},
    {"no-build", "model spoilt: its vtable has no build"},
    {"no-role", "model spoilt: its vtable has none of reconstruct, encode"},
    {"no-symbol", "exports no ab_plugin"},
    {"function", "its ab_plugin is no datum"},
    {"nolink-abort", "does not need libabsdk"},
    {"abort", "exports no ab_plugin"},
};

/* Each alone beside a good one, which must not suffer. */
static void test_flaw(gconstpointer data) {
  guint flaw = GPOINTER_TO_UINT(data);
  char *folder = make_folder();
  put(folder, flaws[flaw].fixture);
  put(folder, "good");
  g_autoptr(Registry) registry = scan(folder, NULL);
  g_assert_cmpstr(names(registry), ==, GOOD);
  g_assert_cmpuint(registry_refusals(registry)->len, ==, 1);
  char *file = g_strdup_printf("%s/%s.so", folder, flaws[flaw].fixture);
  g_assert_cmpstr(refusal(registry, 0)->file, ==, file);
  assert_has(refusal(registry, 0)->reason, flaws[flaw].reason);
  g_free(file);
  drop_folder(folder);
}

/* The fixtures that must not be run do end the program of whoever runs them. */
static void test_abort_child(void) {
  char *file = g_strdup_printf("%s/abort.so", g_getenv("ABHOST_TEST_FIXTURES"));
  dlopen(file, RTLD_NOW);
  g_free(file);
}

static void test_abort(void) {
  g_test_trap_subprocess("/registry/abort/subprocess", 0, 0);
  g_test_trap_assert_failed();
}

static void test_no_library(void) {
  char *folder = make_folder();
  char *inner = g_build_filename(folder, "c-folder.so", NULL);
  write_file(folder, "a-text.so", "#!/bin/sh\n# a text that is long enough for a header of ELF\n",
             -1);
  write_file(folder, "b-empty.so", "", 0);
  g_mkdir(inner, 0700);
  g_autoptr(Registry) registry = scan(folder, NULL);
  g_assert_cmpuint(registry_entries(registry)->len, ==, 0);
  g_assert_cmpuint(registry_refusals(registry)->len, ==, 3);
  g_assert_cmpstr(refusal(registry, 0)->reason, ==, "is no ELF file");
  g_assert_cmpstr(refusal(registry, 1)->reason, ==, "is no ELF file");
  g_assert_cmpstr(refusal(registry, 2)->reason, ==, "is no regular file");
  g_free(inner);
  drop_folder(folder);
}

/* A dynamic linker may die of some of these: they must not come as far. */
static void test_cut(void) {
  char *folder = make_folder(), *from, *bytes;
  gsize size;
  from = g_strdup_printf("%s/good.so", g_getenv("ABHOST_TEST_FIXTURES"));
  g_assert_true(g_file_get_contents(from, &bytes, &size, NULL));
  for (gsize length = 64; length < size; length += size / 60) {
    char *name = g_strdup_printf("cut-%zu.so", length);
    write_file(folder, name, bytes, (gssize)length);
    g_free(name);
  }
  put(folder, "good");
  g_autoptr(Registry) registry = scan(folder, NULL);
  g_assert_cmpstr(names(registry), ==, GOOD);
  g_assert_cmpuint(registry_refusals(registry)->len, >=, 20);
  g_free(bytes);
  g_free(from);
  drop_folder(folder);
}

/* ---- who wins ------------------------------------------------------------------------------ */

static void test_rivals(void) {
  char *folder = make_folder();
  put(folder, "good");
  put(folder, "twin");
  g_autoptr(Registry) registry = scan(folder, NULL);
  g_assert_cmpstr(names(registry), ==, GOOD);
  g_assert_cmpuint(registry_refusals(registry)->len, ==, 1);
  g_assert_cmpstr(refusal(registry, 0)->reason, ==,
                  "good.so and twin.so both offer model tiny; remove one of them");
  drop_folder(folder);
}

static void test_order(void) {
  char *first = make_folder(), *second = make_folder();
  put(first, "twin");
  put(second, "good");
  Registry *registry = scan(first, second);
  g_assert_cmpstr(names(registry), ==, GOOD);
  g_assert_cmpuint(registry_refusals(registry)->len, ==, 0);
  g_assert_cmpstr(registry_find(registry, AB_KIND_MODEL, "tiny", NULL)->plugin->id, ==,
                  "test.twin");
  registry_free(registry);
  registry = scan(second, first);
  g_assert_cmpstr(registry_find(registry, AB_KIND_MODEL, "tiny", NULL)->plugin->id, ==,
                  "test.good");
  registry_free(registry);
  registry = scan(second, second); /* a folder is searched once */
  g_assert_cmpuint(registry_refusals(registry)->len, ==, 0);
  registry_free(registry);
  drop_folder(first);
  drop_folder(second);
}

/* ---- where it looks ------------------------------------------------------------------------ */

static void test_open_to_all(void) {
  char *folder = make_folder();
  put(folder, "good");
  g_chmod(folder, 01777); /* the sticky bit keeps nobody from adding a file */
  Registry *registry = scan(folder, NULL);
  g_assert_cmpuint(registry_entries(registry)->len, ==, 0);
  g_assert_cmpstr(refusal(registry, 0)->file, ==, folder);
  assert_has(refusal(registry, 0)->reason, "all may write to this folder");
  registry_free(registry);
  g_chmod(folder, 0755);
  char *file = g_build_filename(folder, "good.so", NULL);
  g_chmod(file, 0666);
  registry = scan(folder, NULL);
  g_assert_cmpuint(registry_entries(registry)->len, ==, 0);
  assert_has(refusal(registry, 0)->reason, "all may write to it");
  registry_free(registry);
  g_free(file);
  drop_folder(folder);
}

static void test_missing_folder(void) {
  g_autoptr(GError) error = NULL;
  g_assert_null(registry_new((const char *const[]){"/nonexistent/plugins", NULL}, &error));
  g_assert_error(error, HOST_ERROR, AB_UNAVAILABLE);
  assert_has(error->message, "'/nonexistent/plugins' cannot be read");
  g_clear_error(&error);
  g_assert_null(registry_new((const char *const[]){"", NULL}, &error));
  g_assert_error(error, HOST_ERROR, AB_UNAVAILABLE);
}

static void test_environment(void) {
  char *first = make_folder(), *second = make_folder(), *before = g_get_current_dir();
  char *data = g_build_filename(g_get_user_data_dir(), "abhost", "plugins", NULL);
  put(first, "twin");
  put(second, "good");
  char *list = g_strdup_printf(":%s::/nonexistent/plugins:%s:", first, second);
  g_setenv("ABHOST_PLUGIN_PATH", list, TRUE);
  Registry *registry = scan(NULL, NULL);
  g_assert_cmpstr(names(registry), ==, GOOD);
  g_assert_cmpstr(registry_find(registry, AB_KIND_MODEL, "tiny", NULL)->plugin->id, ==,
                  "test.twin");
  g_assert_cmpuint(registry_refusals(registry)->len, ==, 1); /* named, but not there */
  g_assert_cmpstr(refusal(registry, 0)->file, ==, "/nonexistent/plugins");
  registry_free(registry);
  registry = scan(second, NULL); /* what is given comes first */
  g_assert_cmpstr(registry_find(registry, AB_KIND_MODEL, "tiny", NULL)->plugin->id, ==,
                  "test.good");
  registry_free(registry);

  g_setenv("ABHOST_PLUGIN_PATH", "::", TRUE);
  g_assert_cmpint(g_chdir(second), ==, 0);
  registry = scan(NULL, NULL); /* an empty element is not the current folder */
  g_assert_cmpuint(registry_entries(registry)->len, ==, 0);
  registry_free(registry);
  registry = scan(".", NULL); /* unless it is given */
  g_assert_cmpstr(names(registry), ==, GOOD);
  registry_free(registry);
  g_assert_cmpint(g_chdir(before), ==, 0);
  g_unsetenv("ABHOST_PLUGIN_PATH");

  g_assert_cmpint(g_mkdir_with_parents(data, 0700), ==, 0);
  put(data, "good");
  registry = scan(NULL, NULL);
  g_assert_cmpstr(names(registry), ==, GOOD);
  registry_free(registry);
  g_free(list);
  g_free(before);
  drop_folder(data);
  drop_folder(first);
  drop_folder(second);
}

int main(int argc, char **argv) {
  if (!g_getenv("ABHOST_TEST_FIXTURES")) g_error("ABHOST_TEST_FIXTURES names no folder");
  char *home = make_folder(), *inner = g_build_filename(home, "abhost", NULL);
  g_setenv("XDG_DATA_HOME", home, TRUE);
  g_unsetenv("ABHOST_PLUGIN_PATH");
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/registry/good", test_good);
  g_test_add_func("/registry/find", test_find);
  g_test_add_func("/registry/default", test_default);
  g_test_add_func("/registry/fit", test_fit);
  for (guint i = 0; i < G_N_ELEMENTS(flaws); i++) {
    char *path = g_strconcat("/registry/flaw/", flaws[i].fixture, NULL);
    g_test_add_data_func(path, GUINT_TO_POINTER(i), test_flaw);
    g_free(path);
  }
  g_test_add_func("/registry/abort", test_abort);
  g_test_add_func("/registry/abort/subprocess", test_abort_child);
  g_test_add_func("/registry/no-library", test_no_library);
  g_test_add_func("/registry/cut", test_cut);
  g_test_add_func("/registry/rivals", test_rivals);
  g_test_add_func("/registry/order", test_order);
  g_test_add_func("/registry/open-to-all", test_open_to_all);
  g_test_add_func("/registry/missing-folder", test_missing_folder);
  g_test_add_func("/registry/environment", test_environment);
  int status = g_test_run();
  g_rmdir(inner);
  g_rmdir(home);
  g_free(inner);
  g_free(home);
  return status;
}
