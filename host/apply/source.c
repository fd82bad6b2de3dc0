/* SPDX-License-Identifier: Apache-2.0
 *
 * From what the command line names to batches that fit the model. */
#include "source.h"

#include "file-data.h"
#include <math.h>
#include <string.h>

struct Source {
  const Trained *trained;
  const SourceRequest *request;
  AbSpec wanted; /* one sample; rank -1: any */
  char *name;
  AbData *data;
  AbInstance *own; /* `data`, where it is not the binder's */
  Diagnostics *diagnostics;
  Feed *feed;
  AbSplit split;
};

/* Codes are no samples of the data: neither its range nor its transforms are theirs. */
static gboolean takes_samples(const Source *self) {
  return self->request->role != AB_ROLE_DECODE;
}

/* ---- a file ---------------------------------------------------------------------------------- */

static gboolean unit_range(AbRange range) {
  return range == AB_RANGE_UNIT || range == AB_RANGE_BINARY;
}

static gboolean open_file(Source *self, GError **error) {
  const SourceRequest *request = self->request;
  Assembly *assembly = self->trained->assembly;
  if (request->split >= 0)
    return host_fail(error, AB_USAGE, "--split is for data components, and %s is a file",
                     request->input);
  RawFile *file = raw_open(request->input, request->dataset, error);
  if (!file) return FALSE;
  self->name = g_strdup(raw_name(file));
  const AbSpec *data = &self->trained->data;
  gint64 classes = takes_samples(self) && data->range == AB_RANGE_CLASS ? data->classes : 0;
  gboolean unit = takes_samples(self) && data->range == AB_RANGE_UNIT && !request->raw;
  self->own = file_data_new(assembly->ctx, file, classes, unit);
  self->data = self->own;
  if (self->data) ab_data_open(self->data);
  self->split = AB_TEST;
  return assembly_check(assembly, error);
}

/* ---- a component ----------------------------------------------------------------------------- */

/* `digitz` may be anything; `x.npy` and `a/b` are meant as files. */
static gboolean looks_like_file(const char *input) {
  return *input != '{' && (strchr(input, '/') || strchr(input, '.'));
}

static gboolean bind_data(Source *self, GError **error) {
  Binder *binder = &self->trained->assembly->binder;
  const char *input = self->request->input;
  self->diagnostics = diagnostics_new();
  binder->diagnostics = self->diagnostics;
  g_autoptr(Node) node = node_parse(input, strlen(input), "--input", self->diagnostics);
  if (node) self->data = bind_component(binder, AB_KIND_DATA, AB_ROLE_NONE, node, "input", NULL);
  if (!diagnostics_check(self->diagnostics, error)) {
    if (*input != '{')
      g_prefix_error(error, "there is no file '%s'; as a data component:\n", input);
    return FALSE;
  }
  ab_data_open(self->data);
  return assembly_check(self->trained->assembly, error);
}

static gboolean choose_split(Source *self, GError **error) {
  static const AbSplit order[] = {AB_TEST, AB_TRAIN, AB_VALIDATION};
  g_autoptr(GString) all = g_string_new(NULL);
  self->split = self->request->split;
  for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
    gint64 samples = ab_data_samples(self->data, order[i]);
    if (samples > 0 && self->split < 0) self->split = order[i];
    g_string_append_printf(all, "%s%s: %" G_GINT64_FORMAT, i ? ", " : "", ab_split_name(order[i]),
                           samples);
  }
  if (self->split < 0)
    return host_fail(error, AB_DATA, "data %s has no samples", self->data->component->name);
  if (ab_data_samples(self->data, self->split) == 0)
    return host_fail(error, AB_CONFIG, "data %s has no samples in its split %s (%s)",
                     self->data->component->name, ab_split_name(self->split), all->str);
  self->name =
      g_strdup_printf("%s, split %s", self->data->component->name, ab_split_name(self->split));
  return TRUE;
}

static gboolean open_component(Source *self, GError **error) {
  const SourceRequest *request = self->request;
  if (looks_like_file(request->input))
    return host_fail(error, AB_NO_INPUT, "there is no file %s", request->input);
  if (request->dataset || request->raw)
    return host_fail(error, AB_USAGE,
                     "%s is for files, and '%s' is none; such settings stand in the "
                     "component: '{plugin: NAME, ...}'",
                     request->dataset ? "--dataset" : "--raw", request->input);
  return bind_data(self, error) && choose_split(self, error);
}

/* ---- does it fit? ---------------------------------------------------------------------------- */

static const AbSpec *find_x(const AbData *data, AbSpec *x) {
  for (int32_t i = 0; i < ab_data_field_count(data); i++) {
    AbField field = ab_data_field_at(data, i);
    if (strcmp(field.name, "x") != 0) continue;
    *x = field.spec;
    return x;
  }
  return NULL;
}

static AbShape shape_of(const AbSpec *spec) {
  AbShape shape = {.rank = spec->rank};
  memcpy(shape.dims, spec->shape, sizeof shape.dims);
  return shape;
}

/* Without axes of length 1: a channel more or less is the same image. */
static AbShape squeezed(const AbSpec *spec) {
  AbShape shape = {0};
  for (int32_t i = 0; i < spec->rank; i++)
    if (spec->shape[i] != 1) shape.dims[shape.rank++] = spec->shape[i];
  return shape;
}

/* The same shape, or the same numbers in one row. */
static gboolean shapes_fit(const AbSpec *given, const AbSpec *wanted) {
  AbShape a = squeezed(given), b = squeezed(wanted);
  if (a.rank == b.rank && memcmp(a.dims, b.dims, sizeof a.dims) == 0) return TRUE;
  return (a.rank <= 1 || b.rank <= 1) && ab_spec_count(given) == ab_spec_count(wanted);
}

static gboolean check_shape(const Source *self, const AbSpec *x, GError **error) {
  char want[200], have[200];
  const AbSpec *wanted = &self->wanted;
  if (wanted->rank < 0 || shapes_fit(x, wanted)) return TRUE;
  if (takes_samples(self) && shapes_fit(x, &self->trained->data)) return TRUE;
  ab_shape_text(shape_of(wanted), want, sizeof want);
  ab_shape_text(shape_of(x), have, sizeof have);
  gboolean one = x->rank == 1 && x->shape[0] == 1 &&
                 ab_data_samples(self->data, self->split) == ab_spec_count(wanted);
  return host_fail(error, AB_DATA, "%s %s are wanted, %s has %s%s",
                   takes_samples(self) ? "samples of" : "codes of", want, self->name, have,
                   one ? "\n(the first axis is samples, of a single one too: shape [1, ...])" : "");
}

static gboolean check_x(const Source *self, GError **error) {
  AbSpec x;
  if (!find_x(self->data, &x)) return host_fail(error, AB_DATA, "%s has no field x", self->name);
  gboolean classes = x.range == AB_RANGE_CLASS, wanted = self->wanted.range == AB_RANGE_CLASS;
  if (classes != wanted || x.classes > self->wanted.classes)
    return host_fail(error, AB_DATA,
                     "%s has %s (%" G_GINT64_FORMAT
                     " of them) where the model takes %s (%" G_GINT64_FORMAT ")",
                     self->name, classes ? "classes" : "numbers that are no classes", x.classes,
                     wanted ? "classes" : "numbers", self->wanted.classes);
  return check_shape(self, &x, error);
}

/* ---- the feed -------------------------------------------------------------------------------- */

/* What is not in the checkpoint the feed would compute from the input, which is another thing. */
static gboolean check_statistics(const Source *self, const FeedTransform *transform,
                                 GError **error) {
  const struct {
    const char *name;
    gboolean needed;
  } rows[] = {{"scale", transform->scale.count > 0},
              {"mean", transform->standardise},
              {"std", transform->standardise}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    if (rows[i].needed && !feed_statistic(self->feed, rows[i].name, NULL))
      return host_fail(error, AB_DATA, "%s is damaged: it has no /transform/%s",
                       store_path(self->trained->checkpoint->file), rows[i].name);
  return TRUE;
}

/* A feed takes no batch that is larger than the training split, whatever is read. */
static gint64 batch_size(const Source *self) {
  gint64 train = ab_data_samples(self->data, AB_TRAIN);
  gint64 batch = MIN(self->request->batch, ab_data_samples(self->data, self->split));
  return train > 0 ? MIN(batch, train) : batch;
}

static gboolean start_feed(Source *self, GError **error) {
  const Trained *trained = self->trained;
  FeedTransform transform = trained->assembly->settings->transform;
  gboolean held = ab_data_samples(self->data, AB_VALIDATION) > 0;
  FeedOptions options = {.fraction = held ? NAN : 0, .batch = batch_size(self)};
  transform.shift = 0;
  transform.flip = false;
  self->feed = feed_new(self->data, takes_samples(self) ? &transform : NULL, &options, 0, error);
  if (!self->feed) return FALSE;
  if (takes_samples(self) && (!checkpoint_statistics(trained->checkpoint, self->feed, error) ||
                              !check_statistics(self, &transform, error)))
    return FALSE;
  return feed_load(self->feed, error) && feed_start(self->feed, self->split, 0, 0, error);
}

/* ---- life ------------------------------------------------------------------------------------ */

Source *source_new(const Trained *trained, const SourceRequest *request, GError **error) {
  g_autoptr(Source) self = g_new0(Source, 1);
  self->trained = trained;
  self->request = request;
  if (!trained_input(trained, request->role, &self->wanted, error)) return NULL;
  gboolean opened =
      g_file_test(request->input, G_FILE_TEST_IS_REGULAR) ||
              (looks_like_file(request->input) && g_file_test(request->input, G_FILE_TEST_EXISTS))
          ? open_file(self, error)
          : open_component(self, error);
  if (!opened || !check_x(self, error) || !start_feed(self, error)) return NULL;
  return g_steal_pointer(&self);
}

void source_free(Source *self) {
  if (!self) return;
  feed_free(self->feed);
  ab_instance_free(self->own);
  if (self->diagnostics) {
    self->trained->assembly->binder.diagnostics = NULL;
    diagnostics_free(self->diagnostics);
  }
  g_free(self->name);
  g_free(self);
}

const char *source_name(const Source *self) {
  return self->name;
}

gint64 source_samples(const Source *self) {
  return feed_samples(self->feed, self->split);
}

/* ---- batches --------------------------------------------------------------------------------- */

AbBatch *source_next(Source *self, AbTensor **x, GError **error) {
  AbBatch *batch = feed_next(self->feed, error);
  if (!batch) return NULL;
  *x = ab_batch_get(batch, "x");
  if (self->wanted.rank >= 0) {
    AbShape shape = {.rank = self->wanted.rank + 1, .dims = {ab_batch_count(batch)}};
    memcpy(shape.dims + 1, self->wanted.shape,
           (size_t)self->wanted.rank * sizeof *self->wanted.shape);
    *x = ab_reshape(*x, shape);
  }
  if (assembly_check(self->trained->assembly, error)) return batch;
  ab_batch_free(batch);
  return NULL;
}

char *source_note(const Source *self) {
  double low, high;
  if (!takes_samples(self) || !self->own || !unit_range(self->trained->data.range) ||
      !file_data_extent(self->data, &low, &high) || (low >= 0 && high <= 1))
    return NULL;
  return g_strdup_printf("%s has numbers from %g to %g; the model was trained on such from 0 to 1",
                         self->name, low, high);
}
