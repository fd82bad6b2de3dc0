/* SPDX-License-Identifier: Apache-2.0
 *
 * Instances: life, memory, the tree that slots make. */
#include "../internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

AbInstance *ab_instance_new(AbContext *ctx, const AbComponent *component, const char *path,
                            const char *file) {
  AbInstance *self = calloc(1, (size_t)component->instance_size);
  struct AbInstanceState *state = calloc(1, sizeof *state);
  if (state) {
    state->ctx = ctx;
    state->path = ab_text_copy(path);
    state->file = ab_text_copy(file ? file : "");
  }
  if (!self || !state || !state->path || !state->file) {
    if (state) {
      free(state->path);
      free(state->file);
    }
    free(state);
    free(self);
    ab_error(ctx, AB_INTERNAL, "out of memory");
    return NULL;
  }
  self->state = state;
  self->component = component;
  return self;
}

static void entry_free(AbStateEntry *entry) {
  ab_unref(entry->tensor);
  free(entry->name);
  free(entry->path);
  free(entry->axes);
  free(entry);
}

void ab_instance_free(AbInstance *self) {
  if (!self) return;
  struct AbInstanceState *state = self->state;
  ab_data_state_free(self);
  free(state->environment);
  for (int64_t i = 0; i < state->entries.count; i++) entry_free(state->entries.items[i]);
  for (int64_t i = 0; i < state->ties.count; i++) {
    AbTie *tie = state->ties.items[i];
    ab_unref(tie->weight);
    free(tie->name);
    free(tie);
  }
  for (int64_t i = 0; i < state->memory.count; i++) free(state->memory.items[i]);
  free(state->entries.items);
  free(state->ties.items);
  free(state->memory.items);
  free(state->path);
  free(state->file);
  free(state);
  free(self);
}

AbContext *ab_context(const AbInstance *self) {
  return self->state->ctx;
}

const char *ab_path(const AbInstance *self) {
  return self->state->path;
}

const char *ab_setting(AbInstance *self, const char *parameter) {
  const char *path = self->state->path;
  size_t size = strlen(path) + strlen(parameter) + 2;
  char *name = ab_alloc(self, size);
  if (!name) return parameter;
  snprintf(name, size, "%s.%s", path, parameter);
  for (char *c = name; *c; c++)
    if (*c == '/') *c = '.';
  return name;
}

void *ab_alloc(AbInstance *self, size_t size) {
  void *memory = calloc(1, size ? size : 1);
  if (!memory) {
    ab_fail(self, AB_INTERNAL, "out of memory: %zu bytes cannot be had", size);
    return NULL;
  }
  if (ab_stack_push(self->state->ctx, &self->state->memory, memory)) return memory;
  free(memory);
  return NULL;
}

const char *ab_plugin_file(AbInstance *self, const char *name) {
  const char *file = self->state->file, *slash = strrchr(file, '/');
  size_t folder = slash ? (size_t)(slash - file) + 1 : 0;
  char *full = ab_alloc(self, folder + strlen(name) + 1);
  if (!full) return NULL;
  memcpy(full, file, folder);
  strcpy(full + folder, name);
  return full;
}

static const AbSlot *slot_at(const AbComponent *component, uint32_t i) {
  return (const AbSlot *)(const void *)((const char *)component->slots +
                                        (size_t)i * component->slot_stride);
}

AbChildren ab_children(AbInstance *self, const char *key) {
  for (uint32_t i = 0; i < self->component->slot_count; i++) {
    const AbSlot *slot = slot_at(self->component, i);
    if (strcmp(slot->key, key) != 0) continue;
    AbInstance *const *field = (AbInstance *const *)(void *)((char *)self + slot->offset);
    if (slot->arity == AB_MANY) return *(const AbChildren *)(const void *)field;
    return (AbChildren){*field != NULL, field};
  }
  return (AbChildren){0};
}

void ab_walk(AbInstance *self, void (*visit)(AbInstance *self, void *data), void *data) {
  if (!self) return;
  visit(self, data);
  for (uint32_t i = 0; i < self->component->slot_count; i++) {
    const AbSlot *slot = slot_at(self->component, i);
    void *field = (char *)self + slot->offset;
    if (slot->arity != AB_MANY) {
      ab_walk(*(AbInstance **)field, visit, data);
      continue;
    }
    const AbChildren *children = field;
    for (int64_t j = 0; j < children->count; j++) ab_walk(children->items[j], visit, data);
  }
}
