/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of a run in memory. */
#include "state.h"

#include <math.h>
#include <string.h>

static void sum_free(gpointer data) {
  Sum *sum = data;
  g_free(sum->name);
  g_free(sum);
}

RunState *run_state_new(void) {
  RunState *self = g_new0(RunState, 1);
  self->sums = g_ptr_array_new_with_free_func(sum_free);
  return self;
}

void run_state_free(RunState *self) {
  if (!self) return;
  g_ptr_array_unref(self->sums);
  g_free(self);
}

void run_state_add(RunState *self, const char *name, double value) {
  Sum *sum = NULL;
  for (guint i = 0; i < self->sums->len && !sum; i++) {
    Sum *candidate = self->sums->pdata[i];
    if (strcmp(candidate->name, name) == 0) sum = candidate;
  }
  if (!sum) {
    sum = g_new0(Sum, 1);
    sum->name = g_strdup(name);
    g_ptr_array_add(self->sums, sum);
  }
  sum->sum += value;
  sum->count++;
}

double run_state_mean(const Sum *sum) {
  return sum->count > 0 ? sum->sum / (double)sum->count : NAN;
}

void run_state_clear_sums(RunState *self) {
  g_ptr_array_set_size(self->sums, 0);
}
