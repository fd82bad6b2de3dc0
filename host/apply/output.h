/* SPDX-License-Identifier: Apache-2.0
 *
 * Results as HDF5: a dataset that is named after the role, /class beside /classify, /y where the
 * input has labels. The root carries what NeXus readers (silx, h5web) plot by.                   */
#ifndef HOST_APPLY_OUTPUT_H
#define HOST_APPLY_OUTPUT_H

#include "../error.h"
#include <absdk/host.h>

typedef struct Output Output;

typedef struct {
  AbDtype dtype;
  gint rank;
  gint64 shape[AB_MAX_RANK]; /* the first axis: samples so far */
  gboolean classes, labels;  /* whether /class and /y are there */
  gint64 odd;                /* samples whose result is not finite */
} OutputInfo;

/* AB_IO where something stands under `path` and `force` is not given, or where it is one of the
 * files in `sources` (NULL-terminated), which are never overwritten. */
gboolean output_may_write(const char *path, gboolean force, const char *const *sources,
                          GError **error);

/* Nothing stands under `path` before output_commit. NULL and AB_IO also where it may not write. */
Output *output_new(const char *path, AbRole role, gboolean force, const char *const *sources,
                   GError **error);
void output_free(Output *self); /* drops what was not committed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Output, output_free)

/* Appends the results of some samples, y [n, ...], and their labels, if there are any. Errors of
 * writing wait for output_commit; those of the context are the caller's.                         */
void output_add(Output *self, AbTensor *y, AbTensor *labels);
void output_attribute(Output *self, const char *name, const char *value); /* of the root */
const OutputInfo *output_info(const Output *self);
gboolean output_commit(Output *self, GError **error);

#endif
