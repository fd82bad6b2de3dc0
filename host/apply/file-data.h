/* SPDX-License-Identifier: Apache-2.0
 *
 * A raw file as a data component, so that its numbers take the way of all others: through the feed
 * with its checks and transforms. Its field is x, its only split AB_TEST.                        */
#ifndef HOST_APPLY_FILE_DATA_H
#define HOST_APPLY_FILE_DATA_H

#include "raw.h"
#include <absdk/host.h>

/* Takes `file`. `classes` > 0: the numbers are those of classes. `unit`: bytes become 0 to 1 (over
 * 255). Free with ab_instance_free; NULL if there is no memory.                                  */
AbData *file_data_new(AbContext *ctx, RawFile *file, gint64 classes, gboolean unit);
/* The least and the greatest number so far; FALSE if there was none. */
gboolean file_data_extent(const AbData *self, double *low, double *high);

#endif
