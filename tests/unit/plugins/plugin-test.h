/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of plugins: loads a component from its shared object and makes instances of it, with
 * parameters, without the host's registry and manifest.                                         */
#ifndef PLUGIN_TEST_H
#define PLUGIN_TEST_H

#include <absdk/host.h>
#include <glib.h>

/* The component of KIND-NAME.so in the first folder of ABHOST_PLUGIN_PATH, or of another KIND-*.so
 * there that has it; `file` (may be NULL) is its full name. Ends the test program if there is none.
 * Lives until the end.                                                                          */
const AbComponent *plugin_test_load(AbKind kind, const char *name, const char **file);
/* An instance of it with its default parameters; "data" and so on is its path. The caller wires its
 * slots (plugin_test_slot) and frees it (ab_instance_free).                                     */
AbInstance *plugin_test_new(AbContext *ctx, AbKind kind, const char *name);
/* The same with a path of its own ("model/encoder"), which names weights and random streams. */
AbInstance *plugin_test_new_at(AbContext *ctx, AbKind kind, const char *name, const char *path);

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
/* Fills a slot for many. The list is copied; the instances are the caller's. */
void plugin_test_slot_many(AbInstance *self, const char *key, gint64 count,
                           AbInstance *const *children);

/* The context has an error of this code whose message matches the pattern (* and ?); clears it. */
void plugin_test_error(AbContext *ctx, AbCode code, const char *pattern);
/* The context has no error. */
void plugin_test_fine(AbContext *ctx);

/* ---- numbers --------------------------------------------------------------------------------- */

/* Frees a context, which must have no error. */
void plugin_test_finish(AbContext *ctx);
/* Uniform in [0, 1), by a linear congruential generator that the SDK does not know. */
double plugin_test_number(guint64 *state);
/* `count` of them in [low, high); free with g_free. */
double *plugin_test_numbers(gint64 count, double low, double high, guint64 seed);
/* A tensor of the context's real type, or of another type, with these numbers. */
AbTensor *plugin_test_tensor(AbContext *ctx, AbShape shape, const double *values);
AbTensor *plugin_test_tensor_of(AbContext *ctx, AbDtype dtype, AbShape shape, const double *values);
/* The numbers of a tensor of any type and strides; free with g_free. */
double *plugin_test_values(AbTensor *x);
/* Writes numbers into a weight or buffer. */
void plugin_test_fill(AbTensor *x, const double *values);
/* `got` has `count` numbers, each within `tolerance` * max(1, |expected|). */
void plugin_test_near(AbTensor *got, const double *expected, gint64 count, double tolerance);
void plugin_test_close(double got, double expected, double tolerance);
/* A spec of a range with up to three axes; an axis of 0 ends the shape. */
AbSpec plugin_test_spec(AbContext *ctx, AbRange range, gint64 a, gint64 b, gint64 c);
/* A weight or buffer of a built instance by its short name, which must exist. */
AbTensor *plugin_test_state(AbInstance *self, const char *name);
/* d scalar / d weight by the SDK, which must exist: of a weight's gradient. Free with g_free. */
double *plugin_test_gradient(AbTensor *weight);
/* d f / d values[i] for all i by central differences with a step of 1e-5; free with g_free. */
double *plugin_test_slopes(double (*f)(const double *values, gpointer data), double *values,
                           gint64 count, gpointer data);
/* Registers `test` once per device and real type ("/path/cpu/f32"); it is given
 * where it runs. */
typedef struct PluginTestCase {
  const char *device;
  AbDtype real;
  double exact; /* tolerance for results that are equal but for rounding */
  void (*test)(const struct PluginTestCase *at);
} PluginTestCase;
void plugin_test_add(const char *path, void (*test)(const PluginTestCase *at));
AbContext *plugin_test_context(const PluginTestCase *at);

/* ---- training -------------------------------------------------------------------------------- */

/* One training step with the trainer, as the host does it: begin, scope, step. Epoch `step` /
 * `per_epoch`. Returns the loss; NAN after an error. */
double plugin_test_step(AbContext *ctx, AbStep *step, const AbBatch *batch, gint64 number,
                        gint64 per_epoch);
/* A batch of x and, where it is not NULL, a target (and y). Free with ab_batch_free. */
AbBatch *plugin_test_batch(AbContext *ctx, AbTensor *x, AbTensor *target);

/* ---- data ------------------------------------------------------------------------------------ */

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
