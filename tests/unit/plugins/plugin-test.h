/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of plugins: loads a component from its shared object and makes instances of it, with
 * parameters, without the host's registry and manifest.                                         */
#ifndef PLUGIN_TEST_H
#define PLUGIN_TEST_H

#include <absdk/host.h>
#include <glib.h>

/* The component of KIND-NAME.so in the first folder of ABHOST_PLUGIN_PATH; `file` (may be NULL) is
 * its full name. Ends the test program if there is none. Lives until the end.                   */
const AbComponent *plugin_test_load(AbKind kind, const char *name, const char **file);
/* An instance of it with its default parameters; "data" and so on is its path. The caller wires its
 * slots (plugin_test_slot) and frees it (ab_instance_free).                                     */
AbInstance *plugin_test_new(AbContext *ctx, AbKind kind, const char *name);

/* Sets a parameter, which must exist and have this type. Texts and lists are copied and live as
 * long as the instance. A path is a text.                                                       */
void plugin_test_set_int(AbInstance *self, const char *key, gint64 value);
void plugin_test_set_real(AbInstance *self, const char *key, double value);
void plugin_test_set_bool(AbInstance *self, const char *key, gboolean value);
void plugin_test_set_choice(AbInstance *self, const char *key, const char *value);
void plugin_test_set_text(AbInstance *self, const char *key, const char *value);
void plugin_test_set_ints(AbInstance *self, const char *key, gint64 count, const gint64 *items);
void plugin_test_set_reals(AbInstance *self, const char *key, gint64 count, const double *items);
void plugin_test_set_texts(AbInstance *self, const char *key, const char *const *items);
/* `items` are `count` structs of the parameter's record_size; borrowed. */
void plugin_test_set_records(AbInstance *self, const char *key, gint64 count, const void *items);
/* Fills a slot for one. */
void plugin_test_slot(AbInstance *self, const char *key, AbInstance *child);

/* The context has an error of this code whose message matches the pattern (* and ?); clears it. */
void plugin_test_error(AbContext *ctx, AbCode code, const char *pattern);
/* The context has no error. */
void plugin_test_fine(AbContext *ctx);

/* Data: opens and loads; whether there was no error. */
gboolean plugin_test_open(AbData *self);
/* The numbers of one field of some samples, or of all of a split, as doubles; NULL after an error,
 * and if there is no such field. Free with g_free.                                              */
double *plugin_test_fetch(AbData *self, const char *field, AbSplit split, const gint64 *rows,
                          gint64 count);
double *plugin_test_fetch_all(AbData *self, const char *field, AbSplit split);
/* A split has `count` samples with these numbers in a field. */
void plugin_test_rows(AbData *self, const char *field, AbSplit split, gint64 count,
                      const double *expected);

/* A new folder for the files of one test; free with plugin_test_drop_folder. */
char *plugin_test_folder(void);
void plugin_test_drop_folder(char *folder);
/* FOLDER/NAME with these bytes; free with g_free. */
char *plugin_test_write(const char *folder, const char *name, const void *bytes, gsize length);
/* A file of the real data sets (ABHOST_TEST_DATA, else ../shared/data beside the sources); NULL,
 * and the test is marked as skipped, if it is not there. Free with g_free.                       */
char *plugin_test_data(const char *name);

#endif
