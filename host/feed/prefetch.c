/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread that keeps a few batches ready, for data that blocks. It works on a ring of plain
 * buffers, which stays from pass to pass; a thread lives for one pass.                          */
#include "feed-internal.h"

typedef struct {
  void **outputs; /* per field */
  GError *error;
} Slot;

struct Prefetch {
  const Feed *feed;
  FeedPass pass; /* of the thread: does not change while it runs */
  FeedWork work; /* of the thread */
  Slot slots[FEED_AHEAD];
  GThread *thread;
  gint64 taken; /* batches of this pass that the consumer gave back; the consumer's */
  GMutex lock;  /* of what follows */
  GCond changed;
  gint64 ready; /* batches in the ring */
  gboolean stop;
};

static gboolean prefetch_fill(Prefetch *self, GError **error) {
  const Feed *feed = self->feed;
  if (!work_init(feed, &self->work, feed_batch_capacity(feed), error)) return FALSE;
  for (gint k = 0; k < FEED_AHEAD; k++) {
    self->slots[k].outputs = g_new0(void *, (gsize)feed->field_count);
    for (gint i = 0; i < feed->field_count; i++) {
      void *buffer = feed_buffer(feed_batch_capacity(feed), feed->fields[i].out_size,
                                 "for batches read "
                                 "ahead",
                                 error);
      if (!buffer) return FALSE;
      self->slots[k].outputs[i] = buffer;
    }
  }
  return TRUE;
}

Prefetch *prefetch_new(const Feed *feed, GError **error) {
  Prefetch *self = g_new0(Prefetch, 1);
  self->feed = feed;
  g_mutex_init(&self->lock);
  g_cond_init(&self->changed);
  if (prefetch_fill(self, error)) return self;
  prefetch_free(self);
  return NULL;
}

void prefetch_free(Prefetch *self) {
  if (!self) return;
  prefetch_stop(self);
  for (gint k = 0; k < FEED_AHEAD; k++) {
    for (gint i = 0; self->slots[k].outputs && i < self->feed->field_count; i++)
      g_free(self->slots[k].outputs[i]);
    g_free(self->slots[k].outputs);
  }
  work_clear(self->feed, &self->work);
  g_cond_clear(&self->changed);
  g_mutex_clear(&self->lock);
  g_free(self);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* FALSE when it is to stop. */
static gboolean wait_for_space(Prefetch *self) {
  g_mutex_lock(&self->lock);
  while (!self->stop && self->ready == FEED_AHEAD) g_cond_wait(&self->changed, &self->lock);
  gboolean go_on = !self->stop;
  g_mutex_unlock(&self->lock);
  return go_on;
}

static void hand_over(Prefetch *self) {
  g_mutex_lock(&self->lock);
  self->ready++;
  g_cond_signal(&self->changed);
  g_mutex_unlock(&self->lock);
}

/* An error is handed over like a batch, so that it comes after those before it. */
static gpointer prefetch_main(gpointer data) {
  Prefetch *self = data;
  const FeedPass *pass = &self->pass;
  for (gint64 k = 0; pass->next + k < pass->batches && wait_for_space(self); k++) {
    Slot *slot = &self->slots[k % FEED_AHEAD];
    gboolean fine =
        feed_produce(self->feed, &self->work, pass, pass->next + k, slot->outputs, &slot->error);
    hand_over(self);
    if (!fine) break;
  }
  return NULL;
}

/* ---- the consumer ---------------------------------------------------------------------------- */

gboolean prefetch_start(Prefetch *self, GError **error) {
  self->pass = self->feed->pass;
  self->taken = self->ready = 0;
  self->stop = FALSE;
  g_autoptr(GError) reason = NULL;
  self->thread = g_thread_try_new("prefetch", prefetch_main, self, &reason);
  if (self->thread) return TRUE;
  return host_fail(error, AB_UNAVAILABLE, "no thread to read data ahead with: %s", reason->message);
}

void prefetch_stop(Prefetch *self) {
  if (!self->thread) return;
  g_mutex_lock(&self->lock);
  self->stop = TRUE;
  g_cond_signal(&self->changed);
  g_mutex_unlock(&self->lock);
  g_thread_join(g_steal_pointer(&self->thread));
  for (gint k = 0; k < FEED_AHEAD; k++) g_clear_error(&self->slots[k].error);
}

void *const *prefetch_next(Prefetch *self, GError **error) {
  g_mutex_lock(&self->lock);
  while (self->ready == 0) g_cond_wait(&self->changed, &self->lock);
  g_mutex_unlock(&self->lock);
  Slot *slot = &self->slots[self->taken % FEED_AHEAD];
  if (!slot->error) return slot->outputs;
  g_propagate_error(error, g_steal_pointer(&slot->error));
  return NULL;
}

void prefetch_release(Prefetch *self) {
  self->taken++;
  g_mutex_lock(&self->lock);
  self->ready--;
  g_cond_signal(&self->changed);
  g_mutex_unlock(&self->lock);
}
