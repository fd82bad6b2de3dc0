/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at an assembly. */
#include "describe.h"

#include <string.h>

static const char *const ranges[] = {"real", "unit", "binary", "class"};

char *describe_field(const AbField *field) {
  AbShape shape = {.rank = field->spec.rank};
  memcpy(shape.dims, field->spec.shape, sizeof shape.dims);
  char text[200];
  ab_shape_text(shape, text, sizeof text);
  if (field->spec.range == AB_RANGE_CLASS)
    return g_strdup_printf("%s%s%s class of %" G_GINT64_FORMAT, field->name, shape.rank ? " " : "",
                           shape.rank ? text : "", field->spec.classes);
  return g_strdup_printf("%s %s %s", field->name, text, ranges[field->spec.range]);
}

void describe_states(const Assembly *self, void (*visit)(const AbState *state, void *data),
                     void *data) {
  for (guint i = 0; i < self->binder.instances->len; i++) {
    const AbInstance *instance = self->binder.instances->pdata[i];
    for (gint64 j = 0; j < ab_state_count(instance); j++) {
      AbState state = ab_state(instance, j);
      if (!state.tied) visit(&state, data);
    }
  }
}

static void add_parameters(const AbState *state, void *data) {
  if (state->weight) *(gint64 *)data += ab_count(state->tensor);
}

gint64 describe_parameters(const Assembly *self) {
  gint64 count = 0;
  describe_states(self, add_parameters, &count);
  return count;
}
