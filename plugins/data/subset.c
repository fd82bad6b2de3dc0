/* SPDX-License-Identifier: Apache-2.0
 *
 * Data made from the samples of other data (slot `of`), whose fields it has: two components.
 *
 *   subset  in `splits` only the samples whose y is one of `classes`; the other splits are as they
 *           are. So a model learns from normal samples and is tested on all:
 *             {plugin: subset, of: {plugin: digits}, classes: [0, 1, 2]}
 *           y keeps its numbers and its number of classes. Validation samples that the host takes
 *           from the training split (validation.fraction) are taken from what is left in it.
 *   split   the samples of the training split of `of`, each in the split that a number says which
 *           other data (slot `by`) has for it, sample by sample:
 *             {plugin: split, of: {plugin: idx, ...}, by: {plugin: idx, train_labels: "", ...}}
 *           For data that comes as one table and a list of which rows are for what.
 *
 * Only labels tell which samples these are, so what is in the slots is loaded, and its labels read,
 * when this is opened. Rows keep their order. Fetching is done in place: of data that waits for a
 * disk, on the thread that trains.                                                               */
#include <absdk/absdk.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 256 /* samples that are read for their label */

typedef struct {
  AbData base;
  AbData *of, *by;
  AbInts classes;
  AbTexts splits;                 /* of subset */
  AbTexts numbers;                /* of split */
  AbSplit source[AB_SPLIT_COUNT]; /* split of `of` that a split is taken from */
  int64_t *rows[AB_SPLIT_COUNT];  /* there; NULL: as many as there are */
  int64_t samples[AB_SPLIT_COUNT];
} Chosen;

static const AbParam subset_params[] = {
    {.key = "classes",
     .type = AB_TYPE_INTS,
     .flags = AB_PARAM_REQUIRED,
     .offset = AB_FIELD(Chosen, classes, AbInts),
     .int_max = INT64_MAX,
     .unit = "",
     .doc = "Classes of y that are kept.",
     .since = "0.1"},
    AB_PARAM_TEXTS(Chosen, splits, "[train]", "Where: of train, validation, test."),
};
static const AbSlot subset_slots[] = {
    AB_SLOT_LIKE(Chosen, of, AB_KIND_DATA, AB_ROLE_NONE, AB_REQUIRED, "{plugin: digits}",
                 "What samples are taken from."),
};

static const AbParam split_params[] = {
    AB_PARAM_TEXTS(Chosen, numbers, "[train, test]",
                   "The splits that 0, 1, ... stand for: train, validation, test, or none."),
};
static const AbSlot split_slots[] = {
    AB_SLOT_LIKE(Chosen, of, AB_KIND_DATA, AB_ROLE_NONE, AB_REQUIRED, "{plugin: csv, file: FILE}",
                 "What samples are taken from."),
    AB_SLOT_LIKE(Chosen, by, AB_KIND_DATA, AB_ROLE_NONE, AB_REQUIRED, "{plugin: csv, file: FILE}",
                 "Data whose x is one number a sample, as many as `of` has in its training split."),
};

/* ---- reading one field of all samples -------------------------------------------------------- */

static int32_t field_of(const AbData *data, const char *name) {
  for (int32_t i = 0; i < ab_data_field_count(data); i++)
    if (strcmp(ab_data_field_at(data, i).name, name) == 0) return i;
  return -1;
}

static size_t sample_size(const AbSpec *spec) {
  return (size_t)ab_spec_count(spec) * ab_dtype_size(spec->dtype);
}

#define NO_INTEGER INT64_MIN

static int64_t integer(double value) {
  return fabs(value) < 1e15 && value == floor(value) ? (int64_t)value : NO_INTEGER;
}

/* The number that a field of one number has; NO_INTEGER where it is none. */
static int64_t number_at(AbDtype dtype, const void *values, int64_t i) {
  switch (dtype) {
  case AB_F32: return integer((double)((const float *)values)[i]);
  case AB_F64: return integer(((const double *)values)[i]);
  case AB_I32: return ((const int32_t *)values)[i];
  case AB_I64: return ((const int64_t *)values)[i];
  default: return ((const uint8_t *)values)[i];
  }
}

static void free_buffers(void **buffers, int32_t count) {
  for (int32_t i = 0; buffers && i < count; i++) free(buffers[i]);
  free(buffers);
}

/* Room for a few samples of every field; NULL (and an error) if there is none. */
static void **make_buffers(Chosen *self, const AbData *data) {
  int32_t count = ab_data_field_count(data);
  void **buffers = calloc((size_t)count, sizeof *buffers);
  bool made = buffers != NULL;
  for (int32_t i = 0; made && i < count; i++) {
    AbSpec spec = ab_data_field_at(data, i).spec;
    made = (buffers[i] = malloc(AT_ONCE * sample_size(&spec))) != NULL;
  }
  if (made) return buffers;
  free_buffers(buffers, count);
  ab_fail(&self->base, AB_INTERNAL, "no memory to read %d samples", AT_ONCE);
  return NULL;
}

/* numbers[] := the field of all samples of a split. */
static bool read_numbers(Chosen *self, AbData *data, AbSplit split, int32_t field,
                         int64_t *numbers) {
  int64_t rows[AT_ONCE], samples = ab_data_samples(data, split);
  AbDtype dtype = ab_data_field_at(data, field).spec.dtype;
  void **buffers = make_buffers(self, data);
  AbContext *ctx = ab_context(&self->base);
  for (int64_t from = 0; buffers && from < samples && ab_ok(ctx); from += AT_ONCE) {
    int64_t count = samples - from < AT_ONCE ? samples - from : AT_ONCE;
    for (int64_t i = 0; i < count; i++) rows[i] = from + i;
    ab_data_fetch(data, split, rows, count, buffers);
    for (int64_t i = 0; i < count; i++) numbers[from + i] = number_at(dtype, buffers[field], i);
  }
  free_buffers(buffers, ab_data_field_count(data));
  return buffers && ab_ok(ctx);
}

/* The same in memory of its own; NULL after an error. */
static int64_t *numbers_of(Chosen *self, AbData *data, AbSplit split, int32_t field) {
  int64_t samples = ab_data_samples(data, split);
  int64_t *numbers = malloc((size_t)(samples + 1) * sizeof *numbers);
  if (!numbers) {
    ab_fail(&self->base, AB_INTERNAL, "no memory for the labels of %lld samples",
            (long long)samples);
    return NULL;
  }
  if (read_numbers(self, data, split, field, numbers)) return numbers;
  free(numbers);
  return NULL;
}

static bool open_child(AbData *child) {
  AbContext *ctx = ab_context(child);
  ab_data_open(child);
  if (ab_ok(ctx)) ab_data_load(child);
  return ab_ok(ctx);
}

/* ---- choosing -------------------------------------------------------------------------------- */

/* -1 for a name that is none. */
static AbSplit split_named(const char *name) {
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    if (strcmp(ab_split_name(split), name) == 0) return split;
  return -1;
}

static bool kept(const Chosen *self, int64_t label) {
  for (int64_t i = 0; i < self->classes.count; i++)
    if (self->classes.items[i] == label) return true;
  return false;
}

/* The rows with one of the classes, each of which must be there. numbers[] becomes the rows. */
static bool keep_rows(Chosen *self, AbSplit split, int64_t *numbers) {
  int64_t samples = ab_data_samples(self->of, split), count = 0;
  for (int64_t c = 0; c < self->classes.count; c++) {
    int64_t row = 0;
    while (row < samples && numbers[row] != self->classes.items[c]) row++;
    if (row < samples) continue;
    ab_fail(&self->base, AB_DATA, "%s has no sample of class %lld in its %s split",
            self->of->component->name, (long long)self->classes.items[c], ab_split_name(split));
    return false;
  }
  for (int64_t row = 0; row < samples; row++)
    if (kept(self, numbers[row])) numbers[count++] = row;
  self->samples[split] = count;
  return true;
}

static bool keep_classes(Chosen *self, const char *name, int32_t y) {
  AbSplit split = split_named(name);
  if (split < 0 || ab_data_samples(self->of, split) == 0) {
    ab_fail(&self->base, AB_CONFIG,
            split < 0 ? "splits names '%s'; there are train, validation "
                        "and test"
                      : "splits names %s, and the data has none",
            name);
    return false;
  }
  if (self->rows[split]) return true; /* named twice */
  self->rows[split] = numbers_of(self, self->of, split, y);
  return self->rows[split] && keep_rows(self, split, self->rows[split]);
}

static bool check_classes(Chosen *self, int32_t y) {
  const char *name = self->of->component->name;
  AbSpec spec = {0};
  if (y >= 0) spec = ab_data_field_at(self->of, y).spec;
  if (y < 0 || spec.range != AB_RANGE_CLASS || spec.rank != 0) {
    ab_fail(&self->base, AB_CONFIG, "%s has %s; a subset is chosen by a class for each sample",
            name, y < 0 ? "no y" : "a y that is no class");
    return false;
  }
  if (self->classes.count == 0) {
    ab_fail(&self->base, AB_CONFIG, "classes is empty; name some of the classes 0 to %lld of %s",
            (long long)spec.classes - 1, name);
    return false;
  }
  for (int64_t i = 0; i < self->classes.count; i++) {
    if (self->classes.items[i] < spec.classes) continue;
    ab_fail(&self->base, AB_CONFIG, "classes names %lld, and %s has the classes 0 to %lld",
            (long long)self->classes.items[i], name, (long long)spec.classes - 1);
    return false;
  }
  return true;
}

static bool choose_by_class(Chosen *self) {
  int32_t y = field_of(self->of, "y");
  if (!check_classes(self, y)) return false;
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    self->source[split] = split;
    self->samples[split] = ab_data_samples(self->of, split);
  }
  for (int64_t i = 0; i < self->splits.count; i++)
    if (!keep_classes(self, self->splits.items[i], y)) return false;
  return true;
}

/* The split that a number stands for; -1: none of them, AB_SPLIT_COUNT after an error. */
static AbSplit meaning(Chosen *self, int64_t number, int64_t row) {
  if (number >= 0 && number < self->numbers.count) {
    AbSplit split = split_named(self->numbers.items[number]);
    if (split >= 0 || strcmp(self->numbers.items[number], "none") == 0) return split;
    ab_fail(&self->base, AB_CONFIG, "numbers names '%s'; it is train, validation, test or none",
            self->numbers.items[number]);
  } else if (number == NO_INTEGER) {
    ab_fail(&self->base, AB_DATA,
            "%s, in `by`, has no integer for sample %lld; bytes of idx want scale: false",
            self->by->component->name, (long long)row);
  } else {
    ab_fail(&self->base, AB_DATA,
            "%s has %lld for sample %lld, and numbers says what 0 to %lld stand for",
            self->by->component->name, (long long)number, (long long)row,
            (long long)self->numbers.count - 1);
  }
  return AB_SPLIT_COUNT;
}

/* `by` fits `of`. */
static bool check_by(Chosen *self, int32_t x) {
  AbSpec spec = {.rank = -1};
  int64_t samples = ab_data_samples(self->of, AB_TRAIN);
  if (x >= 0) spec = ab_data_field_at(self->by, x).spec;
  if (x < 0 || ab_spec_count(&spec) != 1)
    ab_fail(&self->base, AB_CONFIG, "x of %s, in `by`, is not one number a sample",
            self->by->component->name);
  else if (ab_data_samples(self->by, AB_TRAIN) != samples)
    ab_fail(&self->base, AB_DATA, "`by` has %lld numbers for the %lld samples of `of`",
            (long long)ab_data_samples(self->by, AB_TRAIN), (long long)samples);
  else if (ab_data_samples(self->of, AB_VALIDATION) > 0 || ab_data_samples(self->of, AB_TEST) > 0)
    ab_fail(&self->base, AB_CONFIG,
            "%s has a validation or test split of its own; only its training split is divided",
            self->of->component->name);
  else
    return true;
  return false;
}

/* Room for as many rows as there are in each split. */
static bool make_rows(Chosen *self, int64_t samples) {
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    self->source[split] = AB_TRAIN;
    self->rows[split] = malloc((size_t)(samples + 1) * sizeof(int64_t));
    if (self->rows[split]) continue;
    ab_fail(&self->base, AB_INTERNAL, "no memory for %lld samples", (long long)samples);
    return false;
  }
  return true;
}

static bool choose_by_number(Chosen *self) {
  int32_t x = field_of(self->by, "x");
  int64_t samples = ab_data_samples(self->of, AB_TRAIN);
  if (!check_by(self, x) || !make_rows(self, samples)) return false;
  int64_t *numbers = numbers_of(self, self->by, AB_TRAIN, x);
  if (!numbers) return false;
  AbSplit split = -1;
  for (int64_t row = 0; row < samples && split != AB_SPLIT_COUNT; row++) {
    split = meaning(self, numbers[row], row);
    if (split >= 0 && split < AB_SPLIT_COUNT) self->rows[split][self->samples[split]++] = row;
  }
  free(numbers);
  return split != AB_SPLIT_COUNT;
}

/* ---- what both do ---------------------------------------------------------------------------- */

static int64_t row_of(const Chosen *self, AbSplit split, int64_t row) {
  return self->rows[split] ? self->rows[split][row] : row;
}

static void origin(AbData *data, AbSplit split, int64_t row, char *text, size_t size) {
  const Chosen *self = (const Chosen *)data;
  ab_data_place(self->of, self->source[split], row_of(self, split, row), text, size);
}

/* As many training rows as stem from a slab of `of`, on average. */
static void declare_locality(Chosen *self) {
  int64_t slab = ab_data_slab(self->of), all = ab_data_samples(self->of, AB_TRAIN);
  if (slab <= 1 || all == 0) return;
  double part = (double)self->samples[AB_TRAIN] / (double)all;
  int64_t rows = (int64_t)((double)slab * part + 0.5);
  ab_data_locality(&self->base, rows > 2 ? rows : 2);
}

static void declare(Chosen *self) {
  for (int32_t i = 0; i < ab_data_field_count(self->of); i++) {
    AbField field = ab_data_field_at(self->of, i);
    if (ab_data_is_another_x(self->of, i))
      ab_data_another_x(&self->base, field.name);
    else
      ab_data_field(&self->base, field.name, &field.spec);
    if (field.classes) ab_data_class_names(&self->base, field.name, field.classes);
  }
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++)
    ab_data_length(&self->base, split, self->samples[split]);
  declare_locality(self);
  ab_data_origin(&self->base, origin);
}

static void open_subset(AbData *data) {
  Chosen *self = (Chosen *)data;
  if (open_child(self->of) && choose_by_class(self)) declare(self);
}

static void open_split(AbData *data) {
  Chosen *self = (Chosen *)data;
  if (open_child(self->of) && open_child(self->by) && choose_by_number(self)) declare(self);
}

static void fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                  void *const *fields) {
  const Chosen *self = (const Chosen *)data;
  int64_t there[AT_ONCE];
  void *to[64];
  int32_t fields_of = ab_data_field_count(self->of);
  for (int32_t i = 0; i < fields_of; i++) to[i] = fields[i];
  for (int64_t from = 0; from < count; from += AT_ONCE) {
    int64_t some = count - from < AT_ONCE ? count - from : AT_ONCE;
    for (int64_t i = 0; i < some; i++) there[i] = row_of(self, split, rows[from + i]);
    ab_data_fetch(self->of, self->source[split], there, some, to);
    for (int32_t i = 0; i < fields_of; i++) {
      AbSpec spec = ab_data_field_at(self->of, i).spec;
      to[i] = (char *)to[i] + (size_t)some * sample_size(&spec);
    }
  }
}

static void close_chosen(AbData *data) {
  Chosen *self = (Chosen *)data;
  for (AbSplit split = 0; split < AB_SPLIT_COUNT; split++) {
    free(self->rows[split]);
    self->rows[split] = NULL;
    self->samples[split] = 0;
  }
}

static const AbDataVtable subset_table = {
    .struct_size = sizeof subset_table, .open = open_subset, .fetch = fetch, .close = close_chosen};
static const AbDataVtable split_table = {
    .struct_size = sizeof split_table, .open = open_split, .fetch = fetch, .close = close_chosen};

static const AbComponent subset = {
    .struct_size = sizeof subset,
    .kind = AB_KIND_DATA,
    .name = "subset",
    .doc = "Other data with the samples of some classes only, in training or any split.",
    .citation = "",
    .instance_size = sizeof(Chosen),
    AB_PARAMS(subset_params),
    AB_SLOTS(subset_slots),
    .vtable = &subset_table,
};

static const AbComponent divided = {
    .struct_size = sizeof divided,
    .kind = AB_KIND_DATA,
    .name = "split",
    .doc = "Other data, divided into splits by a list of numbers.",
    .citation = "",
    .instance_size = sizeof(Chosen),
    AB_PARAMS(split_params),
    AB_SLOTS(split_slots),
    .vtable = &split_table,
};

AB_PLUGIN("abhost.data.subset", "0.1.0", "Apache-2.0", &subset, &divided)
