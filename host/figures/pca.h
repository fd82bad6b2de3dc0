/* SPDX-License-Identifier: Apache-2.0
 *
 * Principal components, for clouds of points that are to be seen in two dimensions. */
#ifndef HOST_FIGURES_PCA_H
#define HOST_FIGURES_PCA_H

#include "../error.h"

#define PCA_COMPONENTS 2

/* Of `count` points (at least 1) of `width` numbers, values [count, width], which are centred by
 * it: their coordinates along the first two components, projection [count, 2], and the parts of the
 * whole variance that these have. Where there is no second one, it is 0. The sign of a component is
 * such that the point farthest out lies on its positive side. `ctx` does the products. FALSE and
 * AB_DATA where a number is not finite.                                                          */
gboolean pca(AbContext *ctx, double *values, gint64 count, gint64 width, double *projection,
             double explained[PCA_COMPONENTS], GError **error);

#endif
