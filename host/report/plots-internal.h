/* SPDX-License-Identifier: Apache-2.0
 *
 * The groups of results.h5, one function each. They read before they write, so that after an error
 * (FALSE) what is written is whole. */
#ifndef HOST_REPORT_PLOTS_INTERNAL_H
#define HOST_REPORT_PLOTS_INTERNAL_H

#include "array.h"
#include "embed.h"

typedef gboolean (*Plot)(StoreFile *file, GString *out, GError **error);

/* plots.c */
gboolean plot_latent(StoreFile *file, GString *out, GError **error);
gboolean plot_boundary(StoreFile *file, GString *out, GError **error);
gboolean plot_confusion(StoreFile *file, GString *out, GError **error);
/* plots-scores.c */
gboolean plot_roc(StoreFile *file, GString *out, GError **error);
gboolean plot_scores(StoreFile *file, GString *out, GError **error);
gboolean plot_returns(StoreFile *file, GString *out, GError **error);
/* plots-images.c */
gboolean plot_reconstruction(StoreFile *file, GString *out, GError **error);
gboolean plot_samples(StoreFile *file, GString *out, GError **error);
gboolean plot_weights(StoreFile *file, GString *out, GError **error);

/* A column of numbers with one for each of `rows`, if it is there: {0} where it is not. */
gboolean plot_column(Array *column, StoreFile *file, const char *dataset, gint64 rows,
                     GError **error);
/* Every `stride`-th row. */
void plot_write_rows(GString *out, const char *key, const Array *array, gint64 stride);

#define PLOT_POINTS              2000 /* of a scatter */
#define PLOT_STRIDE(count, most) (((count) + (most)-1) / (most))

#endif
