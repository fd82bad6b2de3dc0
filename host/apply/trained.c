/* SPDX-License-Identifier: Apache-2.0
 *
 * From a checkpoint to a model that can be called. */
#include "trained.h"

#include <string.h>

/* ---- restoring ------------------------------------------------------------------------------- */

gboolean trained_restore(Trained *self, const Checkpoint *checkpoint, Assembly *assembly,
                         GError **error) {
  AbDtype real = ab_real_dtype(assembly->ctx);
  *self = (Trained){.checkpoint = checkpoint, .assembly = assembly};
  if (!checkpoint_signature(checkpoint, &self->signature, error) ||
      !checkpoint_data_spec(checkpoint, &self->data, error))
    return FALSE;
  if (self->signature.role != assembly->role)
    return host_fail(error, AB_DATA,
                     "%s is damaged: its attribute problem is not that of /resolved",
                     store_path(checkpoint->file));
  if (self->signature.in.range != AB_RANGE_CLASS) self->signature.in.dtype = real;
  if (self->signature.out.range != AB_RANGE_CLASS) self->signature.out.dtype = real;
  return assembly_build_model(assembly, &self->signature, error) &&
         checkpoint_weights(checkpoint, assembly, error);
}

/* ---- roles ----------------------------------------------------------------------------------- */

gboolean trained_check_role(const Trained *self, AbRole role, GError **error) {
  guint32 roles = assembly_roles(self->assembly);
  if (roles & AB_ROLE_BIT(role)) return TRUE;
  g_autoptr(GString) names = g_string_new(NULL);
  for (AbRole other = 1; other < AB_ROLE_COUNT; other++)
    if (roles & AB_ROLE_BIT(other))
      g_string_append_printf(names, "%s%s", names->len ? ", " : "", ab_role_name(other));
  return host_fail(error, AB_CONFIG, "model %s of %s does not offer %s (it offers: %s)",
                   self->checkpoint->model, store_path(self->checkpoint->file), ab_role_name(role),
                   names->str);
}

/* ---- what goes in ---------------------------------------------------------------------------- */

gboolean trained_input(const Trained *self, AbRole role, AbSpec *wanted, GError **error) {
  *wanted = self->signature.in;
  if (role != AB_ROLE_DECODE || self->signature.role == AB_ROLE_DECODE) return TRUE;
  *wanted = (AbSpec){.rank = -1, .dtype = ab_real_dtype(self->assembly->ctx)};
  if (assembly_roles(self->assembly) & AB_ROLE_BIT(AB_ROLE_ENCODE))
    *wanted = ab_output(self->assembly->model, AB_ROLE_ENCODE);
  return assembly_check(self->assembly, error);
}

/* ---- calling --------------------------------------------------------------------------------- */

/* Some models decode into rows of numbers, whatever shape the samples of the data have. */
static AbTensor *shape_like_data(const Trained *self, AbRole role, AbTensor *y) {
  const AbSpec *in = &self->signature.in;
  gboolean data_space =
      role == AB_ROLE_RECONSTRUCT || role == AB_ROLE_DECODE || role == AB_ROLE_GENERATE;
  gint64 rows = ab_dim(y, 0);
  if (!data_space || self->signature.role == AB_ROLE_DECODE || rows < 1 ||
      ab_rank(y) == in->rank + 1 || ab_count(y) / rows != ab_spec_count(in))
    return y;
  AbShape shape = {.rank = in->rank + 1, .dims = {rows}};
  memcpy(shape.dims + 1, in->shape, (size_t)in->rank * sizeof *in->shape);
  return ab_reshape(y, shape);
}

AbTensor *trained_call(const Trained *self, AbRole role, AbTensor *x, gint64 count,
                       GError **error) {
  AbModel *model = self->assembly->model;
  AbTensor *y = x ? ab_call(model, role, x) : ab_generate(model, count);
  if (!assembly_check(self->assembly, error)) return NULL;
  if (!y || ab_rank(y) < 1 || ab_dim(y, 0) != count) {
    host_fail(error, AB_INTERNAL,
              "model %s: %s of %" G_GINT64_FORMAT " samples did not give as many",
              self->checkpoint->model, ab_role_name(role), count);
    return NULL;
  }
  y = ab_cast(shape_like_data(self, role, y), ab_dtype(y)); /* no view: it will be read */
  return assembly_check(self->assembly, error) ? y : NULL;
}
