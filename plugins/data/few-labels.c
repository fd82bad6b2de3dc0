/* SPDX-License-Identifier: Apache-2.0
 *
 * Few labels: classified data of which only some training samples keep their label, for
 * semi-supervised learning. Made from the data in the slot `of`:
 *
 *   x, y, ...   in training a labelled sample, with all its fields; else the sample
 *   unlabelled  in training sample i of all, without its label; else x again
 *
 * Training has a row for each sample of the training split of `of`, less those that are split off
 * for validation, which keep their labels. Row i has sample i as `unlabelled`, and labelled sample
 * i mod `labelled` as x: each of these comes equally often in an epoch. So a plain classifier
 * learns from the labelled samples alone, for as many steps: the baseline.
 *
 * The labelled ones are `labelled` / classes of each class, and like those for validation they
 * depend on `seed` alone. To choose them the training samples are read once when the data is
 * loaded, and the labelled ones are kept in memory. The protocol is that of Rasmus et al. 2015,
 * section 4.     */
#include <absdk/absdk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 16 };         /* of `of` */
#define CHUNK (INT64_C(16) << 20) /* bytes of x that are read at once */

typedef struct {
  AbData base;
  int64_t labelled, validation, seed; /* from the manifest */
  AbData *of;
  int32_t fields, x, y;      /* of `of` */
  int64_t size[MAX_FIELDS];  /* bytes of one sample */
  int64_t held, train;       /* its training samples: for validation, and the others */
  int64_t *rows;             /* the held ones, then the others, both ascending */
  int64_t *chosen;           /* [labelled] of the others */
  char *kept[MAX_FIELDS];    /* their fields */
  char *scratch[MAX_FIELDS]; /* what a fetch reads and does not hand on */
  int64_t capacity;          /* samples in it */
} FewLabels;

static const AbParam params[] = {
    AB_PARAM_INT(FewLabels, labelled, 100, 1, INT64_C(1) << 40, "samples",
                 "Training samples that keep their label, equally many of each class."),
    AB_PARAM_INT(FewLabels, validation, -1, -1, INT64_C(1) << 40, "samples",
                 "Training samples that are split off for validation; -1: a tenth, unless the data "
                 "has a validation split; 0: none (then let validation.fraction be 0, too, or "
                 "samples that were learned are held out)."),
    AB_PARAM_INT(FewLabels, seed, 0, 0, INT64_MAX, "",
                 "Chooses the samples; apart from the run's."),
};
static const AbSlot slots[] = {
    AB_SLOT_LIKE(FewLabels, of, AB_KIND_DATA, AB_ROLE_NONE, AB_REQUIRED, "{plugin: digits}",
                 "The data, with classes y."),
};

/* ---- opening --------------------------------------------------------------------------------- */

/* Declares the fields of `of`; false after an error. */
static bool take_fields(FewLabels *self) {
  AbData *data = &self->base;
  self->fields = ab_data_field_count(self->of);
  self->x = self->y = -1;
  for (int32_t i = 0; i < self->fields; i++) {
    AbField field = ab_data_field_at(self->of, i);
    if (strcmp(field.name, "unlabelled") == 0) {
      ab_fail(data, AB_CONFIG, "%s has a field unlabelled already", ab_path(self->of));
      return false;
    }
    if (strcmp(field.name, "x") == 0) self->x = i;
    if (strcmp(field.name, "y") == 0) self->y = i;
    self->size[i] = ab_spec_count(&field.spec) * (int64_t)ab_dtype_size(field.spec.dtype);
    ab_data_field(data, field.name, &field.spec);
    if (field.classes) ab_data_class_names(data, field.name, field.classes);
  }
  AbSpec y = self->y < 0 ? (AbSpec){0} : ab_data_field_at(self->of, self->y).spec;
  if (self->x < 0 || y.range != AB_RANGE_CLASS || ab_spec_count(&y) != 1) {
    ab_fail(data, AB_CONFIG,
            "%s must have a field x, and as y one class a sample; what has numbers or nothing to "
            "predict has no labels to leave out",
            ab_path(self->of));
    return false;
  }
  ab_data_another_x(data, "unlabelled");
  return true;
}

static int64_t classes_of(const FewLabels *self) {
  return ab_data_field_at(self->of, self->y).spec.classes;
}

static bool check_labelled(FewLabels *self) {
  int64_t classes = classes_of(self), less = self->labelled / classes * classes;
  if (less == self->labelled) return true;
  if (less > 0)
    ab_fail(&self->base, AB_CONFIG,
            "labelled: %lld is not the same number of each of the %lld classes; %lld or %lld is",
            (long long)self->labelled, (long long)classes, (long long)less,
            (long long)(less + classes));
  else
    ab_fail(&self->base, AB_CONFIG,
            "labelled: %lld is less than one of each of the %lld classes; take %lld or more",
            (long long)self->labelled, (long long)classes, (long long)classes);
  return false;
}

static bool check_lengths(FewLabels *self) {
  int64_t all = ab_data_samples(self->of, AB_TRAIN), own;
  own = ab_data_samples(self->of, AB_VALIDATION);
  self->held = self->validation >= 0 ? self->validation : own > 0 ? 0 : all / 10;
  self->train = all - self->held;
  if (own > 0 && self->held > 0)
    ab_fail(&self->base, AB_CONFIG,
            "%s has a validation split of its own, of %lld samples; leave validation out",
            ab_path(self->of), (long long)own);
  else if (self->train < self->labelled)
    ab_fail(&self->base, AB_CONFIG,
            "%s has %lld training samples, which is less than the %lld that are to be labelled and "
            "the %lld for validation; take less",
            ab_path(self->of), (long long)all, (long long)self->labelled, (long long)self->held);
  else
    return true;
  return false;
}

/* The sample of `of` behind a row of a split, and the split that it is in. */
static int64_t sample_of(const FewLabels *self, AbSplit *split, int64_t row) {
  if (*split == AB_TRAIN) return self->rows[self->held + row];
  if (*split == AB_TEST || self->held == 0) return row;
  *split = AB_TRAIN;
  return self->rows[row];
}

static void origin(AbData *data, AbSplit split, int64_t row, char *text, size_t size) {
  FewLabels *self = (FewLabels *)data;
  bool training = split == AB_TRAIN;
  if (!self->chosen) return;
  int64_t sample = sample_of(self, &split, row);
  ab_data_place(self->of, split, sample, text, size);
  if (!training) return;
  char labelled[256];
  size_t length = strlen(text);
  ab_data_place(self->of, AB_TRAIN, self->chosen[row % self->labelled], labelled, sizeof labelled);
  snprintf(text + length, size - length, " as unlabelled, %s as x", labelled);
}

static void few_labels_open(AbData *data) {
  FewLabels *self = (FewLabels *)data;
  ab_data_open(self->of);
  if (!ab_ok(ab_context(data)) || !take_fields(self)) return;
  if (!check_labelled(self) || !check_lengths(self)) return;
  ab_data_length(data, AB_TRAIN, self->train);
  ab_data_length(data, AB_VALIDATION,
                 self->held > 0 ? self->held : ab_data_samples(self->of, AB_VALIDATION));
  ab_data_length(data, AB_TEST, ab_data_samples(self->of, AB_TEST));
  ab_data_locality(data, ab_data_slab(self->of));
  ab_data_origin(data, origin);
}

/* ---- choosing -------------------------------------------------------------------------------- */

static int64_t at_most(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* Buffers for so many samples of `of`; false after an error. */
static bool reserve(FewLabels *self, int64_t samples) {
  bool ok = true;
  if (samples <= self->capacity) return true;
  for (int32_t i = 0; i < self->fields; i++) {
    free(self->scratch[i]);
    self->scratch[i] = malloc((size_t)(samples * self->size[i]));
    ok = ok && self->scratch[i];
  }
  self->capacity = ok ? samples : 0;
  if (!ok)
    ab_fail(&self->base, AB_INTERNAL, "no memory for %lld samples of %s", (long long)samples,
            ab_path(self->of));
  return ok;
}

/* The classes of all training samples, read in pieces; false after an error. */
static bool read_classes(FewLabels *self, int64_t all, int64_t *classes) {
  int64_t chunk = at_most(all, 1 + CHUNK / self->size[self->x]);
  int64_t *rows = ab_alloc(&self->base, (size_t)chunk * sizeof *rows);
  if (!rows || !reserve(self, chunk)) return false;
  for (int64_t from = 0; from < all; from += chunk) {
    int64_t count = at_most(chunk, all - from);
    for (int64_t i = 0; i < count; i++) rows[i] = from + i;
    ab_data_fetch(self->of, AB_TRAIN, rows, count, (void *const *)self->scratch);
    if (!ab_ok(ab_context(&self->base))) return false;
    memcpy(classes + from, self->scratch[self->y], (size_t)count * sizeof *classes);
  }
  return true;
}

/* Holds the first of `shuffled` back. */
static void hold_out(FewLabels *self, const int64_t *shuffled, int64_t all, char *marks) {
  int64_t held = 0, others = self->held;
  for (int64_t i = 0; i < all; i++) marks[shuffled[i]] = i < self->held;
  for (int64_t row = 0; row < all; row++) self->rows[marks[row] ? held++ : others++] = row;
}

/* Takes the first so many of each class of what is left of `shuffled`. */
static void choose(FewLabels *self, const int64_t *shuffled, const int64_t *classes,
                   int64_t *found) {
  int64_t kinds = classes_of(self), share = self->labelled / kinds, taken = 0;
  for (int64_t i = self->held; i < self->held + self->train; i++) {
    int64_t class = classes[shuffled[i]];
    if (class < 0 || class >= kinds) continue; /* the host says which */
    if (found[class]++ < share) self->chosen[taken++] = shuffled[i];
  }
  int64_t rarest = 0;
  for (int64_t c = 1; c < kinds; c++)
    if (found[c] < found[rarest]) rarest = c;
  if (taken == self->labelled) return;
  ab_fail(&self->base, AB_CONFIG,
          "labelled: %lld asks for %lld samples of each of the %lld classes, but class %lld has "
          "%lld to train on; at most %lld can be labelled",
          (long long)self->labelled, (long long)share, (long long)kinds, (long long)rarest,
          (long long)found[rarest], (long long)(found[rarest] * kinds));
}

/* Reads the fields of the chosen samples. */
static void keep(FewLabels *self) {
  for (int32_t i = 0; i < self->fields; i++)
    self->kept[i] = ab_alloc(&self->base, (size_t)(self->labelled * self->size[i]));
  if (ab_ok(ab_context(&self->base)))
    ab_data_fetch(self->of, AB_TRAIN, self->chosen, self->labelled, (void *const *)self->kept);
}

static void few_labels_load(AbData *data) {
  FewLabels *self = (FewLabels *)data;
  int64_t all = self->held + self->train, kinds = classes_of(self);
  ab_data_load(self->of);
  if (!ab_ok(ab_context(data)) || self->chosen) return;
  self->rows = ab_alloc(data, (size_t)all * sizeof *self->rows);
  self->chosen = ab_alloc(data, (size_t)self->labelled * sizeof *self->chosen);
  int64_t *shuffled = calloc((size_t)all, sizeof *shuffled);
  int64_t *classes = calloc((size_t)all, sizeof *classes);
  int64_t *found = calloc((size_t)kinds, sizeof *found);
  char *marks = calloc((size_t)all, 1);
  AbStream stream = ab_stream((uint64_t)self->seed, "few-labels");
  if (!shuffled || !classes || !found || !marks) {
    ab_fail(data, AB_INTERNAL, "no memory to choose from %lld samples", (long long)all);
  } else if (self->rows && self->chosen && read_classes(self, all, classes)) {
    ab_stream_permutation(&stream, shuffled, all);
    hold_out(self, shuffled, all, marks);
    choose(self, shuffled, classes, found);
    if (ab_ok(ab_context(data))) keep(self);
  }
  free(shuffled);
  free(classes);
  free(found);
  free(marks);
}

/* ---- fetching -------------------------------------------------------------------------------- */

/* The rows of `of` behind `rows`; free with free(). */
static int64_t *samples_of(FewLabels *self, AbSplit *split, const int64_t *rows, int64_t count) {
  int64_t *samples = malloc((size_t)(count > 0 ? count : 1) * sizeof *samples);
  AbSplit asked = *split;
  if (!samples) ab_fail(&self->base, AB_INTERNAL, "no memory for %lld samples", (long long)count);
  for (int64_t i = 0; samples && i < count; i++) {
    *split = asked;
    samples[i] = sample_of(self, split, rows[i]);
  }
  return samples;
}

/* Labelled samples into all fields but the last. */
static void put_labelled(const FewLabels *self, const int64_t *rows, int64_t count,
                         void *const *fields) {
  for (int32_t f = 0; f < self->fields; f++)
    for (int64_t i = 0; i < count; i++)
      memcpy((char *)fields[f] + i * self->size[f],
             self->kept[f] + rows[i] % self->labelled * self->size[f], (size_t)self->size[f]);
}

static void few_labels_fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                             void *const *fields) {
  FewLabels *self = (FewLabels *)data;
  void *target[MAX_FIELDS], *unlabelled = fields[self->fields];
  bool training = split == AB_TRAIN;
  if (training && !reserve(self, count)) return;
  int64_t *samples = samples_of(self, &split, rows, count);
  if (!samples) return;
  for (int32_t f = 0; f < self->fields; f++) target[f] = training ? self->scratch[f] : fields[f];
  if (training) target[self->x] = unlabelled;
  ab_data_fetch(self->of, split, samples, count, target);
  if (training)
    put_labelled(self, rows, count, fields);
  else
    memcpy(unlabelled, fields[self->x], (size_t)(count * self->size[self->x]));
  free(samples);
}

static void few_labels_close(AbData *data) {
  FewLabels *self = (FewLabels *)data;
  for (int32_t i = 0; i < MAX_FIELDS; i++) {
    free(self->scratch[i]);
    self->scratch[i] = NULL;
  }
  self->capacity = 0;
}

static const AbDataVtable vtable = {
    .struct_size = sizeof vtable,
    .open = few_labels_open,
    .load = few_labels_load,
    .fetch = few_labels_fetch,
    .close = few_labels_close,
};

static const AbComponent few_labels = {
    .struct_size = sizeof few_labels,
    .kind = AB_KIND_DATA,
    .name = "few-labels",
    .doc = "Other data, of which only some training samples keep their label.",
    .citation = "Rasmus, Berglund, Honkala, Valpola, Raiko: Semi-supervised learning with ladder "
                "networks. NIPS 2015.",
    .instance_size = sizeof(FewLabels),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("org.abhost.data.few-labels", "0.1", "Apache-2.0", &few_labels)
