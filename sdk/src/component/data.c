/* SPDX-License-Identifier: Apache-2.0
 *
 * What the SDK keeps of a data component, and the way to the host's store. */
#include "../internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 16

struct AbStoreFile {
  AbInstance *owner;
  const AbStoreService *service;
  void *file;
  struct AbStoreFile *next;
};

struct AbDataState {
  int32_t field_count;
  AbField fields[MAX_FIELDS];
  char names[MAX_FIELDS][64];
  bool another_x[MAX_FIELDS];
  char **classes[MAX_FIELDS]; /* their names: one block with the texts behind */
  int64_t samples[AB_SPLIT_COUNT];
  int64_t slab;
  bool opened;
  void (*origin)(AbData *self, AbSplit split, int64_t row, char *text, size_t size);
  AbStoreFile *files;
};

/* Made when first asked for; NULL (and an error) if there is no memory. */
static struct AbDataState *state_of(AbData *self) {
  if (!self->state->data) {
    self->state->data = calloc(1, sizeof *self->state->data);
    if (!self->state->data) ab_fail(self, AB_INTERNAL, "out of memory");
  }
  return self->state->data;
}

static const AbDataVtable *table(const AbData *self) {
  return self->component->vtable;
}

/* ---- declarations ---------------------------------------------------------------------------- */

static bool sound(const AbSpec *spec) {
  int64_t count = ab_spec_count(spec);
  bool typed = spec->range == AB_RANGE_CLASS ? spec->dtype == AB_I64 && spec->classes > 0
                                             : ab_dtype_size(spec->dtype) > 0;
  return typed && count > 0 && spec->range >= AB_RANGE_REAL && spec->range <= AB_RANGE_CLASS;
}

static int32_t field_named(const struct AbDataState *state, const char *name) {
  for (int32_t i = 0; i < state->field_count; i++)
    if (strcmp(state->names[i], name) == 0) return i;
  return -1;
}

void ab_data_field(AbData *self, const char *name, const AbSpec *spec) {
  struct AbDataState *state = state_of(self);
  if (!state) return;
  if (field_named(state, name) >= 0 || state->field_count == MAX_FIELDS ||
      strlen(name) >= sizeof state->names[0] || !sound(spec)) {
    ab_fail(self, AB_INTERNAL,
            "field '%s' cannot be declared: names are unique and short, at most %d of them; class "
            "fields are i64 with classes; no axis is empty",
            name, MAX_FIELDS);
    return;
  }
  int32_t i = state->field_count++;
  snprintf(state->names[i], sizeof state->names[i], "%s", name);
  state->fields[i] = (AbField){.name = state->names[i], .spec = *spec};
}

/* A block of pointers and the texts to which they point. */
static char **copy_texts(const char *const *texts, int64_t count) {
  size_t size = (size_t)count * sizeof(char *);
  for (int64_t i = 0; i < count; i++) size += strlen(texts[i]) + 1;
  char **copy = malloc(size);
  if (!copy) return NULL;
  char *at = (char *)(copy + count);
  for (int64_t i = 0; i < count; i++) {
    copy[i] = at;
    at = stpcpy(at, texts[i]) + 1;
  }
  return copy;
}

void ab_data_class_names(AbData *self, const char *field, const char *const *names) {
  struct AbDataState *state = state_of(self);
  if (!state) return;
  int32_t i = field_named(state, field);
  if (i < 0 || state->fields[i].spec.range != AB_RANGE_CLASS) {
    ab_fail(self, AB_INTERNAL, "'%s' is no field of classes that was declared; it names none",
            field);
    return;
  }
  free(state->classes[i]);
  state->classes[i] = copy_texts(names, state->fields[i].spec.classes);
  state->fields[i].classes = (const char *const *)state->classes[i];
  if (!state->classes[i]) ab_fail(self, AB_INTERNAL, "out of memory");
}

void ab_data_another_x(AbData *self, const char *name) {
  struct AbDataState *state = state_of(self);
  int32_t x = state ? field_named(state, "x") : -1;
  if (x >= 0) {
    AbSpec spec = state->fields[x].spec;
    int32_t before = state->field_count;
    ab_data_field(self, name, &spec);
    if (state->field_count > before) state->another_x[before] = true;
  } else if (state) {
    ab_fail(self, AB_INTERNAL, "field '%s' is of the kind of x, which was not declared yet", name);
  }
}

void ab_data_length(AbData *self, AbSplit split, int64_t samples) {
  struct AbDataState *state = state_of(self);
  if (!state) return;
  if (split < 0 || split >= AB_SPLIT_COUNT || samples < 0)
    ab_fail(self, AB_INTERNAL, "%lld samples of split %d cannot be declared", (long long)samples,
            split);
  else
    state->samples[split] = samples;
}

void ab_data_locality(AbData *self, int64_t rows) {
  struct AbDataState *state = state_of(self);
  if (state) state->slab = rows > 1 ? rows : 0;
}

void ab_data_origin(AbData *self, void (*origin)(AbData *self, AbSplit split, int64_t row,
                                                 char *text, size_t size)) {
  struct AbDataState *state = state_of(self);
  if (state) state->origin = origin;
}

/* ---- life ------------------------------------------------------------------------------------ */

void ab_data_open(AbData *self) {
  struct AbDataState *state = state_of(self);
  if (!state) return;
  AbInstance *before = ab_enter(self);
  state->opened = true;
  table(self)->open(self);
  if (ab_ok(self->state->ctx) && state->field_count == 0)
    ab_fail(self, AB_INTERNAL, "it declared no field");
  ab_leave(self->state->ctx, before);
}

void ab_data_load(AbData *self) {
  if (!AB_OFFERS(table(self), AbDataVtable, load)) return;
  AbInstance *before = ab_enter(self);
  table(self)->load(self);
  ab_leave(self->state->ctx, before);
}

void ab_data_close(AbData *self) {
  struct AbDataState *state = self->state->data;
  if (!state) return;
  if (state->opened && AB_OFFERS(table(self), AbDataVtable, close)) table(self)->close(self);
  state->opened = false;
  while (state->files) {
    AbStoreFile *file = state->files;
    state->files = file->next;
    file->service->close(file->file);
    free(file);
  }
}

void ab_data_state_free(AbInstance *self) {
  ab_data_close(self);
  struct AbDataState *state = self->state->data;
  for (int32_t i = 0; state && i < state->field_count; i++) free(state->classes[i]);
  free(state);
}

/* May run on the feed's thread: touches nothing of the context but its error. */
void ab_data_fetch(AbData *self, AbSplit split, const int64_t *rows, int64_t count,
                   void *const *fields) {
  table(self)->fetch(self, split, rows, count, fields);
}

/* ---- questions ------------------------------------------------------------------------------- */

int32_t ab_data_field_count(const AbData *self) {
  return self->state->data ? self->state->data->field_count : 0;
}

AbField ab_data_field_at(const AbData *self, int32_t index) {
  return self->state->data->fields[index];
}

bool ab_data_is_another_x(const AbData *self, int32_t index) {
  return self->state->data->another_x[index];
}

int64_t ab_data_samples(const AbData *self, AbSplit split) {
  return self->state->data ? self->state->data->samples[split] : 0;
}

int64_t ab_data_slab(const AbData *self) {
  return self->state->data ? self->state->data->slab : 0;
}

void ab_data_place(AbData *self, AbSplit split, int64_t row, char *text, size_t size) {
  struct AbDataState *state = self->state->data;
  snprintf(text, size, "sample %lld of %s", (long long)row, ab_split_name(split));
  if (state && state->origin) state->origin(self, split, row, text, size);
}

/* ---- the store ------------------------------------------------------------------------------- */

static void report(AbInstance *owner, AbCode code, char *message) {
  ab_fail(owner, code, "%s", message ? message : "the store failed");
  free(message);
}

AbStoreFile *ab_store_open(AbInstance *self, const char *path) {
  const AbStoreService *service = self->state->ctx->store;
  struct AbDataState *state = path ? state_of(self) : NULL;
  if (!state) return NULL;
  if (!service) {
    ab_fail(self, AB_INTERNAL, "this host has no store to open %s with", path);
    return NULL;
  }
  AbCode code = AB_OK;
  char *message = NULL;
  AbStoreFile *file = calloc(1, sizeof *file);
  void *opened = file ? service->open(path, &code, &message) : NULL;
  if (!opened) {
    if (file)
      report(self, code, message);
    else
      ab_fail(self, AB_INTERNAL, "out of memory");
    free(file);
    return NULL;
  }
  *file = (AbStoreFile){self, service, opened, state->files};
  state->files = file;
  return file;
}

bool ab_store_info(AbStoreFile *file, const char *dataset, AbShape *shape, AbDtype *dtype,
                   int64_t *chunk_rows) {
  if (!file) return false;
  AbCode code = AB_OK;
  char *message = NULL;
  int32_t found =
      file->service->info(file->file, dataset, shape, dtype, chunk_rows, &code, &message);
  if (found < 0) report(file->owner, code, message);
  return found > 0;
}

bool ab_store_read(AbStoreFile *file, const char *dataset, AbDtype dtype, int64_t first,
                   int64_t count, void *buffer) {
  if (!file) return false;
  AbCode code = AB_OK;
  char *message = NULL;
  if (file->service->read(file->file, dataset, dtype, first, count, buffer, &code, &message))
    return true;
  report(file->owner, code, message);
  return false;
}
