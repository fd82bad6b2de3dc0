/* SPDX-License-Identifier: Apache-2.0
 *
 * NeXus: the attributes by which silx, h5web and HDFView find what a file shows, and plot it with
 * named axes; h5py and netCDF find the same axes as dimension scales. Errors wait for
 * store_commit, as all of writing does.                                                         */
#ifndef HOST_STORE_NEXUS_H
#define HOST_STORE_NEXUS_H

#include "store.h"

/* Says what a group is: NXroot, NXentry, NXcollection. `title` and `preset`, the name of the group
 * below it that is shown first, may be NULL.                                                     */
void nexus_group(StoreWriter *writer, const char *group, const char *class_name, const char *title,
                 const char *preset);

typedef struct {
  const char *group;       /* "/entry/curves" */
  const char *title;       /* or NULL */
  const char *signal;      /* the dataset of the group that is plotted */
  const char *const *more; /* others of its shape, NULL-terminated, or NULL */
  /* One for each axis of the signal, NULL-terminated, or NULL: the name of a dataset of the group,
   * or ".row": an axis without one, which is called row.                                         */
  const char *const *axes;
} NexusData;

/* Makes a group, whose datasets are written, an NXdata: what is to be plotted, and its axes. */
void nexus_data(StoreWriter *writer, const NexusData *data);
/* The axes of one dataset of a group: scales where they are datasets, labels for all. */
void nexus_axes(StoreWriter *writer, const char *group, const char *dataset,
                const char *const *axes);

#endif
