/* SPDX-License-Identifier: Apache-2.0
 *
 * Contexts: errors, modes, the component at work. */
#include "internal.h"
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const int32_t ab_sdk = AB_ABI_MINOR;

const char *ab_version(void) {
  return ABSDK_VERSION;
}

const char *ab_fingerprint(void) {
  return AB_FINGERPRINT;
}

int32_t ab_threads(void) {
  return omp_get_max_threads();
}

static const AbDevice *const devices[] = {&ab_device_cpu, &ab_device_reference};
static const char *const device_names[] = {"cpu", "reference", NULL};

const char *const *ab_device_names(void) {
  return device_names;
}

const AbDevice *ab_device_find(const char *name) {
  for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
    if (strcmp(devices[i]->name, name) == 0) return devices[i];
  return NULL;
}

AbContext *ab_context_new(const char *device, AbDtype real, uint64_t seed) {
  const AbDevice *found = ab_device_find(device);
  if (!found || (real != AB_F32 && real != AB_F64)) return NULL;
  AbContext *ctx = calloc(1, sizeof *ctx);
  if (!ctx) return NULL;
  ctx->device = found;
  ctx->real = real;
  ctx->seed = seed;
  ctx->recording = true;
  ctx->next_id = 1;
  ctx->purpose = AB_PURPOSE_INIT;
  pthread_mutex_init(&ctx->lock, NULL);
  return ctx;
}

void ab_context_free(AbContext *ctx) {
  if (!ctx) return;
  ab_scope_end(ctx, 0, NULL, 0);
  ab_parts_clear(ctx);
  for (int64_t i = 0; i < ctx->parts.capacity; i++) free(ctx->parts.items[i]);
  free(ctx->parts.items);
  free(ctx->owned.items);
  free(ctx->heap.items);
  ab_memory_clear(ctx);
  pthread_mutex_destroy(&ctx->lock);
  free(ctx);
}

/* ---- errors ---------------------------------------------------------------------------------- */

void ab_error_v(AbContext *ctx, const AbInstance *self, AbCode code, const char *format,
                va_list arguments) {
  if (!ctx) return;
  pthread_mutex_lock(&ctx->lock);
  if (!atomic_load(&ctx->failed)) {
    int used = 0;
    if (self)
      used = snprintf(ctx->message, sizeof ctx->message, "%s (%s): ", self->state->path,
                      self->component->name);
    if (used < 0 || used >= AB_MESSAGE) used = 0;
    vsnprintf(ctx->message + used, sizeof ctx->message - (size_t)used, format, arguments);
    ctx->code = code;
    atomic_store(&ctx->failed, true);
  }
  pthread_mutex_unlock(&ctx->lock);
}

void ab_error(AbContext *ctx, AbCode code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  ab_error_v(ctx, ctx ? ctx->current : NULL, code, format, arguments);
  va_end(arguments);
}

void ab_fail(AbInstance *self, AbCode code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  ab_error_v(self->state->ctx, self, code, format, arguments);
  va_end(arguments);
}

bool ab_ok(const AbContext *ctx) {
  return !atomic_load(&ctx->failed);
}

AbCode ab_error_code(const AbContext *ctx) {
  return atomic_load(&ctx->failed) ? ctx->code : AB_OK;
}

const char *ab_error_message(const AbContext *ctx) {
  return atomic_load(&ctx->failed) ? ctx->message : "";
}

void ab_error_clear(AbContext *ctx) {
  atomic_store(&ctx->failed, false);
}

/* ---- modes ----------------------------------------------------------------------------------- */

bool ab_training(const AbContext *ctx) {
  return ctx && ctx->training;
}

bool ab_set_recording(AbContext *ctx, bool on) {
  if (!ctx) return on;
  bool before = ctx->recording;
  ctx->recording = on;
  return before;
}

AbDtype ab_real_dtype(const AbContext *ctx) {
  return ctx ? ctx->real : 0;
}

void ab_begin(AbContext *ctx, AbPurpose purpose, int64_t step) {
  ctx->purpose = purpose;
  ctx->step = step;
  ctx->begun[purpose]++;
  ctx->training = purpose == AB_PURPOSE_TRAIN || purpose == AB_PURPOSE_NOISE;
}

void ab_dry_run(AbContext *ctx, bool on) {
  ctx->shape_only = on;
}

void ab_watch(AbContext *ctx, void (*visit)(void *data, const AbOperation *operation), void *data) {
  ctx->watch = visit;
  ctx->watch_data = data;
  ctx->watched = ctx->multiply_adds;
}

void ab_set_store(AbContext *ctx, const AbStoreService *service) {
  ctx->store = service;
}

AbInstance *ab_enter(AbInstance *self) {
  AbContext *ctx = self->state->ctx;
  AbInstance *before = ctx->current;
  ctx->current = self;
  return before;
}

void ab_leave(AbContext *ctx, AbInstance *before) {
  ctx->current = before;
}

/* ---- parts ----------------------------------------------------------------------------------- */

typedef struct {
  char name[96];
  double sum;
  int64_t count;
} AbPart;

static AbPart *part_named(AbContext *ctx, const char *name) {
  for (int64_t i = 0; i < ctx->part_count; i++) {
    AbPart *part = ctx->parts.items[i];
    if (strcmp(part->name, name) == 0) return part;
  }
  if (ctx->part_count == ctx->parts.count) {
    AbPart *fresh = calloc(1, sizeof *fresh);
    if (!fresh || !ab_stack_push(ctx, &ctx->parts, fresh)) {
      free(fresh);
      return NULL;
    }
  }
  AbPart *part = ctx->parts.items[ctx->part_count++];
  snprintf(part->name, sizeof part->name, "%s", name);
  part->sum = 0;
  part->count = 0;
  return part;
}

void ab_part(AbInstance *self, const char *name, AbTensor *value) {
  AbContext *ctx = self->state->ctx;
  if (!value || ab_is_shape_only(value)) return;
  char full[96];
  snprintf(full, sizeof full, "%s/%s", self->state->path, name);
  double number = ab_item(value);
  AbPart *part = part_named(ctx, full);
  if (!part) return;
  part->sum += number;
  part->count++;
}

int64_t ab_part_count(const AbContext *ctx) {
  return ctx->part_count;
}

const char *ab_part_name(const AbContext *ctx, int64_t index) {
  return ((AbPart *)ctx->parts.items[index])->name;
}

double ab_part_value(const AbContext *ctx, int64_t index) {
  const AbPart *part = ctx->parts.items[index];
  return part->sum / (double)part->count;
}

void ab_parts_clear(AbContext *ctx) {
  ctx->part_count = 0;
}
