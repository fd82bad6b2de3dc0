/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of tensors: blocks in size classes (eight per power of two, so at most an eighth is
 * wasted), kept by the context when they are released; and scopes.                             */
#include "internal.h"
#include <stdlib.h>
#include <string.h>

#define SMALLEST 64 /* bytes: a cache line */

/* The class of a size, and the capacity of that class. */
static int32_t size_class(size_t bytes, size_t *capacity) {
  if (bytes <= SMALLEST) {
    *capacity = SMALLEST;
    return 0;
  }
  int power = 63 - __builtin_clzll((unsigned long long)(bytes - 1)); /* 2^power < bytes */
  size_t step = (size_t)1 << (power - 3 > 6 ? power - 3 : 6);
  size_t rounded = (bytes + step - 1) / step * step;
  int eighth = (int)((rounded - ((size_t)1 << power)) / step);
  *capacity = rounded;
  return (power - 5) * 8 + eighth;
}

/* Under AddressSanitizer blocks go back at once, so that it can see a use after release. */
#ifdef __SANITIZE_ADDRESS__
#define KEEP_BLOCKS 0
#else
#define KEEP_BLOCKS 1
#endif

static AbStorage **list_of(AbContext *ctx, bool host, int32_t class) {
  return host ? &ctx->free_host[class] : &ctx->free_storage[class];
}

static AbStorage *storage_new(AbContext *ctx, size_t bytes, bool host) {
  size_t capacity;
  if (bytes > (size_t)1 << 46) {
    ab_error(ctx, AB_INTERNAL, "%.1f GB of memory for one tensor is more than any machine has",
             (double)bytes * 1e-9);
    return NULL;
  }
  int32_t class = size_class(bytes, &capacity);
  AbStorage **list = list_of(ctx, host, class), *storage = *list;
  if (storage) {
    *list = storage->next;
  } else {
    storage = malloc(sizeof *storage);
    void *data = !storage ? NULL : host ? malloc(capacity) : ctx->device->alloc(capacity);
    if (!data) {
      free(storage);
      ab_error(ctx, AB_INTERNAL,
               "out of memory: %.3g MB for one tensor cannot be had; try a smaller batch or model",
               (double)bytes * 1e-6);
      return NULL;
    }
    storage->data = data;
    storage->bytes = capacity;
    storage->size_class = class;
    storage->host = host;
    ctx->bytes += (int64_t)capacity;
    ctx->allocations++;
  }
  storage->refs = 1;
  storage->version = 0;
  storage->next = NULL;
  return storage;
}

AbStorage *ab_storage_new(AbContext *ctx, size_t bytes) {
  return storage_new(ctx, bytes, false);
}

AbStorage *ab_host_storage_new(AbContext *ctx, size_t bytes) {
  return storage_new(ctx, bytes, true);
}

static void storage_free(AbContext *ctx, AbStorage *storage) {
  if (storage->host)
    free(storage->data);
  else
    ctx->device->release(storage->data, storage->bytes);
  free(storage);
}

void ab_storage_unref(AbContext *ctx, AbStorage *storage) {
  if (!storage || --storage->refs > 0) return;
  if (!KEEP_BLOCKS) {
    storage_free(ctx, storage);
    return;
  }
  AbStorage **list = list_of(ctx, storage->host, storage->size_class);
  storage->next = *list;
  *list = storage;
}

void ab_memory_clear(AbContext *ctx) {
  for (int32_t i = 0; i < 2 * AB_SIZE_CLASSES; i++) {
    AbStorage **list = list_of(ctx, i & 1, i / 2);
    while (*list) {
      AbStorage *storage = *list;
      *list = storage->next;
      storage_free(ctx, storage);
    }
  }
  while (ctx->free_tensors) {
    AbTensor *tensor = ctx->free_tensors;
    ctx->free_tensors = tensor->next_free;
    free(tensor);
  }
}

void ab_memory_use(const AbContext *ctx, int64_t *bytes, int64_t *allocations) {
  *bytes = ctx->bytes;
  *allocations = ctx->allocations;
}

bool ab_stack_push(AbContext *ctx, AbStack *stack, void *item) {
  if (stack->count == stack->capacity) {
    int64_t capacity = stack->capacity ? 2 * stack->capacity : 64;
    void **items = realloc(stack->items, (size_t)capacity * sizeof *items);
    if (!items) {
      ab_error(ctx, AB_INTERNAL, "out of memory");
      return false;
    }
    memset(items + stack->capacity, 0, (size_t)(capacity - stack->capacity) * sizeof *items);
    stack->items = items;
    stack->capacity = capacity;
    ctx->allocations++;
  }
  stack->items[stack->count++] = item;
  return true;
}

/* ---- scopes ---------------------------------------------------------------------------------- */

AbScope ab_scope_begin(AbContext *ctx) {
  return ctx ? ctx->owned.count : 0;
}

void ab_scope_end(AbContext *ctx, AbScope scope, AbTensor *const *keep, int32_t count) {
  if (!ctx) return;
  for (int32_t i = 0; i < count; i++) ab_ref(keep[i]);
  /* newest first: an operation goes before what it was made from */
  while (ctx->owned.count > scope) ab_unref(ctx->owned.items[--ctx->owned.count]);
  for (int32_t i = 0; i < count; i++) {
    if (!keep[i] || keep[i] == AB_NONE) continue;
    if (!ab_stack_push(ctx, &ctx->owned, keep[i])) ab_unref(keep[i]);
  }
}

/* Tensors that are dropped are young: the search from the newest is short. */
void ab_drop(AbTensor *x) {
  if (!x || x == AB_NONE) return;
  AbStack *owned = &x->ctx->owned;
  int64_t at = owned->count - 1;
  while (at >= 0 && owned->items[at] != x && at > owned->count - 64) at--;
  if (at < 0 || owned->items[at] != x) return;
  owned->count--;
  memmove(owned->items + at, owned->items + at + 1,
          (size_t)(owned->count - at) * sizeof *owned->items);
  ab_unref(x);
}
