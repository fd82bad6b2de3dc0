/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of host/store share: a folder per test, calls that must succeed, and a file with
 * all that the store can write. Each program calls store_init first.
 */
#ifndef STORE_TEST_H
#define STORE_TEST_H

#include "../../../host/store/store.h"

/* Stands once in each program that needs it, and in no other: it loosens what a sanitizer finds.
 * A damaged file may make HDF5 ask for absurd amounts, which malloc is to deny, not to die of.
 * Where a header turns out damaged or cannot be written, HDF5 itself loses small buffers. What the
 * store leaves open is found otherwise: the close of the file fails and warns.                  */
#ifdef __SANITIZE_ADDRESS__
#define STORE_TEST_SANITIZERS                                         \
  const char *__asan_default_options(void);                           \
  const char *__lsan_default_suppressions(void);                      \
  const char *__asan_default_options(void) {                          \
    return "allocator_may_return_null=1:max_allocation_size_mb=2048"; \
  }                                                                   \
  const char *__lsan_default_suppressions(void) {                     \
    return "leak:libhdf5";                                            \
  }
#else
#define STORE_TEST_SANITIZERS
#endif

typedef struct {
  char *folder;
  char *file; /* in it; not there yet */
} StoreTest;

#define STORE_TEST_ADD(path, function) \
  g_test_add(path, StoreTest, NULL, store_test_set_up, function, store_test_tear_down)

extern const AbDtype store_test_dtypes[6];
extern const char store_test_text[];

void store_test_set_up(StoreTest *self, gconstpointer data);
void store_test_tear_down(StoreTest *self, gconstpointer data);
guint store_test_count_entries(const char *folder);
/* Makes the file hold these bytes. */
void store_test_put(const char *path, const char *bytes, gsize length);

StoreFile *store_test_open_ok(const char *path);
StoreWriter *store_test_create_ok(const char *path);
void store_test_commit_ok(StoreWriter *writer);
void store_test_read_ok(StoreFile *file, const char *name, AbDtype dtype, gint64 first,
                        gint64 count, void *buffer);
/* The message says `part`; takes the error. */
void store_test_assert_error(GError *error, AbCode code, const char *part);
/* Takes `found`. */
void store_test_assert_text(char *found, const char *wanted);
/* A list of texts, with "|" in between; takes it. */
void store_test_assert_texts(char **found, const char *wanted);
double store_test_number_at(const void *data, AbDtype dtype, gsize i);

/* 0, 1, 2 and so on, and 100000 digits; free with g_free. */
float *store_test_make_ramp(gsize count);
char *store_test_make_long_text(void);
/* All that the store can write; also what h5py checks. */
void store_test_write_everything(const char *path, gboolean big);
void store_test_check_every_dtype(StoreFile *file);
void store_test_check_attrs(StoreFile *file);

/* Runs store_h5py.py; whether it succeeded. */
gboolean store_test_run_script(const char *action, const char *argument);
/* Skips the test where h5py is missing. */
gboolean store_test_have_h5py(void);

#endif
