/* SPDX-License-Identifier: Apache-2.0
 *
 * The codes of samples (role encode) along their first two principal components, with the class of
 * each.                                                                                          */
#include "figures-internal.h"

#include "pca.h"

#define GROUP "/entry/latent"

static void write_group(Figures *self, StoreWriter *writer, const Rows *rows,
                        const double *projection, const double *explained) {
  const gint64 shape[] = {rows->count, PCA_COMPONENTS}, components[] = {1, 2};
  const char *const axes[] = {"sample", "component", NULL};
  const char *const of_parts[] = {"component", NULL}, *const of_labels[] = {"sample", NULL};
  group_put(writer, GROUP, "projection", AB_F64, 2, shape, projection);
  group_put(writer, GROUP, "explained", AB_F64, 1, shape + 1, explained);
  group_put(writer, GROUP, "component", AB_I64, 1, shape + 1, components);
  group_numbers(writer, GROUP, "sample", rows->count);
  if (rows->labels) group_put(writer, GROUP, "y", AB_I64, 1, shape, rows->labels);
  group_data(self, writer,
             &(NexusData){.group = GROUP,
                          .title = "Codes of samples along their first two principal components",
                          .signal = "projection",
                          .axes = axes});
  nexus_axes(writer, GROUP, "explained", of_parts);
  if (rows->labels) nexus_axes(writer, GROUP, "y", of_labels);
}

gboolean figure_latent(Figures *self, StoreWriter *writer, GError **error) {
  g_auto(Rows) rows = {0};
  double explained[PCA_COMPONENTS];
  if (!figures_can(self, AB_ROLE_ENCODE)) return TRUE;
  if (!rows_collect(self, AB_ROLE_ENCODE, NULL, FIGURES_POINTS, &rows, error)) return FALSE;
  if (rows.count < 2 || rows.width < 1) return TRUE;
  g_autofree double *projection = g_new(double, (gsize)(rows.count * PCA_COMPONENTS));
  if (!pca(self->assembly->ctx, rows.values, rows.count, rows.width, projection, explained, error))
    return FALSE;
  write_group(self, writer, &rows, projection, explained);
  return TRUE;
}
