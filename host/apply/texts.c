/* SPDX-License-Identifier: Apache-2.0
 *
 * From classes to text. */
#include "texts.h"

struct Texts {
  AbRole role;
  char **names;
  gint64 count;
  GString *text;
};

Texts *texts_new(const Checkpoint *checkpoint, AbRole role, GError **error) {
  const char *field = role == AB_ROLE_CLASSIFY ? "y" : "x";
  GError *damaged = NULL;
  char **names = checkpoint_class_names(checkpoint, field, &damaged);
  if (damaged) {
    g_propagate_error(error, damaged);
    return NULL;
  }
  if (!names) {
    host_fail(
        error, AB_CONFIG,
        "%s was trained on data whose %s has no names for its classes, so there is no text to "
        "write;\nleave --text out",
        store_path(checkpoint->file), field);
    return NULL;
  }
  Texts *self = g_new0(Texts, 1);
  *self = (Texts){role, names, g_strv_length(names), g_string_new(NULL)};
  return self;
}

void texts_free(Texts *self) {
  if (!self) return;
  g_strfreev(self->names);
  g_string_free(self->text, TRUE);
  g_free(self);
}

static gboolean add_rows(Texts *self, const gint64 *classes, gint64 rows, gint64 width,
                         GError **error) {
  for (gint64 i = 0; i < rows * width; i++) {
    if (i % width == 0 && self->text->len > 0 && self->role != AB_ROLE_CLASSIFY)
      g_string_append_c(self->text, '\n');
    if (classes[i] < 0 || classes[i] >= self->count)
      return host_fail(error, AB_DATA,
                       "a result is class %" G_GINT64_FORMAT
                       ", and the training data named %" G_GINT64_FORMAT,
                       classes[i], self->count);
    g_string_append(self->text, self->names[classes[i]]);
    if (i % width == width - 1) g_string_append_c(self->text, '\n');
  }
  return TRUE;
}

gboolean texts_add(Texts *self, AbTensor *y, GError **error) {
  if (self->role == AB_ROLE_CLASSIFY) y = ab_argmax(y);
  if (!y) return TRUE; /* an error of the context */
  if (ab_dtype(y) != AB_I64)
    return host_fail(error, AB_CONFIG,
                     "%s gives numbers (%s), not classes, so there is no text to write;\nleave "
                     "--text out",
                     ab_role_name(self->role), ab_dtype_name(ab_dtype(y)));
  gint64 rows = ab_dim(y, 0);
  const gint64 *classes = ab_map(y, false);
  if (!classes) return TRUE;
  gboolean done = add_rows(self, classes, rows, ab_count(y) / MAX(rows, 1), error);
  ab_unmap(y);
  return done;
}

const char *texts_string(const Texts *self) {
  return self->text->str;
}
