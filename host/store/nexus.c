/* SPDX-License-Identifier: Apache-2.0
 *
 * NeXus by attributes and scales. */
#include "nexus.h"

#include <string.h>

static char *member(const char *group, const char *name) {
  return strcmp(group, "/") == 0 ? g_strconcat("/", name, NULL)
                                 : g_strconcat(group, "/", name, NULL);
}

void nexus_group(StoreWriter *writer, const char *group, const char *class_name, const char *title,
                 const char *preset) {
  store_write_attr_text(writer, group, "NX_class", class_name);
  if (title) store_write_attr_text(writer, group, "title", title);
  if (preset) store_write_attr_text(writer, group, "default", preset);
}

void nexus_axes(StoreWriter *writer, const char *group, const char *dataset,
                const char *const *axes) {
  g_autofree char *name = member(group, dataset);
  for (int i = 0; axes && axes[i]; i++) {
    gboolean bare = *axes[i] == '.';
    if (axes[i][bare]) store_write_label(writer, name, i, axes[i] + bare);
    if (bare) continue;
    g_autofree char *scale = member(group, axes[i]);
    store_write_scale(writer, name, i, scale);
  }
}

/* ["epoch", "."] of {"epoch", ".column"} */
static void write_names(StoreWriter *writer, const char *group, const char *const *axes) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (; *axes; axes++) g_ptr_array_add(names, (gpointer)(**axes == '.' ? "." : *axes));
  g_ptr_array_add(names, NULL);
  store_write_attr_texts(writer, group, "axes", (const char *const *)names->pdata);
}

void nexus_data(StoreWriter *writer, const NexusData *data) {
  nexus_group(writer, data->group, "NXdata", data->title, NULL);
  store_write_attr_text(writer, data->group, "signal", data->signal);
  if (data->more && *data->more)
    store_write_attr_texts(writer, data->group, "auxiliary_signals", data->more);
  if (data->axes && *data->axes) write_names(writer, data->group, data->axes);
  nexus_axes(writer, data->group, data->signal, data->axes);
  for (const char *const *more = data->more; more && *more; more++)
    nexus_axes(writer, data->group, *more, data->axes);
}
