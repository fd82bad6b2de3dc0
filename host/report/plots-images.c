/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of results.h5 that are pictures. */
#include "plots-internal.h"

#include "pictures.h"
#include <math.h>
#include <string.h>

#define SAMPLE_BYTES (200 << 10)
#define WEIGHT_BYTES (60 << 10)
#define MAX_TIMES    64
#define MAX_STACKS   16

/* What the file says of a dataset's range, else what its numbers have. */
static Range range_of(StoreFile *file, const char *dataset, const Array *array) {
  Range range;
  if (store_read_attr_real(file, dataset, "low", &range.low, NULL) &&
      store_read_attr_real(file, dataset, "high", &range.high, NULL) && isfinite(range.low) &&
      isfinite(range.high) && range.low < range.high)
    return range;
  return array_range(array, RANGE_NOTHING);
}

/* ---- reconstruction -------------------------------------------------------------------------- */

static const char *const parts[] = {"input", "clean", "output"};
enum { INPUT, CLEAN, OUTPUT, PARTS };

typedef struct {
  Array part[PARTS], sample;
} Reconstruction;

static void reconstruction_clear(Reconstruction *self) {
  for (guint i = 0; i < PARTS; i++) array_clear(&self->part[i]);
  array_clear(&self->sample);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reconstruction, reconstruction_clear)

static gboolean same_shape(const Array *left, const Array *right) {
  return left->rank == right->rank &&
         memcmp(left->shape, right->shape, sizeof(gint64) * (gsize)left->rank) == 0;
}

static gboolean reconstruction_read(Reconstruction *self, StoreFile *file, GError **error) {
  for (guint i = 0; i < PARTS; i++) {
    g_autofree char *name = g_strdup_printf("/entry/reconstruction/%s", parts[i]);
    if (i == CLEAN && !store_has(file, name)) continue;
    if (!array_read(&self->part[i], file, name, 2, 4, error)) return FALSE;
    if (!same_shape(&self->part[i], &self->part[INPUT]))
      return host_fail(error, AB_DATA, "dataset %s of %s has another shape than the input", name,
                       store_path(file));
  }
  return plot_column(&self->sample, file, "/entry/reconstruction/sample",
                     self->part[INPUT].shape[0], error);
}

gboolean plot_reconstruction(StoreFile *file, GString *out, GError **error) {
  g_auto(Reconstruction) self = {0};
  if (!reconstruction_read(&self, file, error)) return FALSE;
  /* One scale for all of them, or they could not be compared; that of the data for images, where
   * what is beyond it is cut off; lines show all that there is. */
  Pictures shape = pictures_of(&self.part[INPUT], 1);
  Range range = range_of(file, "/entry/reconstruction/input", &self.part[INPUT]);
  for (guint i = 0; i < PARTS && shape.height == 0; i++)
    if (self.part[i].values) range = array_range(&self.part[i], range);
  embed_begin(out, "reconstruction", '{');
  for (guint i = 0; i < PARTS; i++)
    if (self.part[i].values)
      pictures_write(out, parts[i], &self.part[i], shape, range, SAMPLE_BYTES / PARTS);
  if (self.sample.values) plot_write_rows(out, "sample", &self.sample, 1);
  embed_end(out, '}');
  return TRUE;
}

/* ---- samples --------------------------------------------------------------------------------- */

gboolean plot_samples(StoreFile *file, GString *out, GError **error) {
  static const char name[] = "/entry/samples/value";
  g_auto(Array) values = {0};
  g_auto(Array) epochs = {0};
  if (!array_read(&values, file, name, 3, 5, error) ||
      !plot_column(&epochs, file, "/entry/samples/epoch", values.shape[0], error))
    return FALSE;
  if (values.shape[0] > MAX_TIMES)
    return host_fail(error, AB_DATA,
                     "dataset %s holds samples of %" G_GINT64_FORMAT " epochs; up to %d are shown",
                     name, values.shape[0], MAX_TIMES);
  Range range = range_of(file, name, &values);
  embed_begin(out, "samples", '{');
  pictures_write(out, "value", &values, pictures_of(&values, 2), range, SAMPLE_BYTES);
  if (epochs.values) plot_write_rows(out, "epoch", &epochs, 1);
  embed_end(out, '}');
  return TRUE;
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Zero is in the middle. */
static Range balanced(const Array *array) {
  Range range = array_range(array, RANGE_NOTHING);
  double most = MAX(fabs(range.low), fabs(range.high));
  return (Range){-most, most};
}

static gboolean put_stack(StoreFile *file, const char *dataset, GString *out, GError **error) {
  g_auto(Array) images = {0};
  if (!array_read(&images, file, dataset, 3, 4, error)) return FALSE;
  g_autofree char *group = g_path_get_dirname(dataset);
  g_autofree char *base = g_path_get_basename(group);
  g_autofree char *name = store_read_attr_text(file, group, "weight", NULL);
  Pictures shape = pictures_of(&images, 1);
  if (shape.height == 0)
    return host_fail(error, AB_DATA, "dataset %s of %s is no stack of images", dataset,
                     store_path(file));
  embed_begin(out, NULL, '{');
  embed_text(out, "name", name ? name : base);
  pictures_write(out, "image", &images, shape, balanced(&images), WEIGHT_BYTES);
  embed_end(out, '}');
  return TRUE;
}

gboolean plot_weights(StoreFile *file, GString *out, GError **error) {
  g_autoptr(GPtrArray) names = store_list(file, "/entry/weights", error);
  guint shown = 0, found = 0;
  gboolean done = names != NULL;
  if (!done) return FALSE;
  embed_begin(out, "weights", '[');
  for (guint i = 0; done && i < names->len; i++) {
    if (!g_str_has_suffix(names->pdata[i], "/image") || ++found > MAX_STACKS) continue;
    done = put_stack(file, names->pdata[i], out, error);
    shown += done;
  }
  embed_end(out, ']');
  if (done && found > shown) {
    embed_begin(out, "weights_of", '{');
    embed_int(out, "shown", shown);
    embed_int(out, "count", found);
    embed_end(out, '}');
  }
  return done;
}
