/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing whole files. */
#include "file.h"

#include "../files.h"
#include <errno.h>

gboolean reference_write(const char *path, const char *text, GError **error) {
  g_autofree char *folder = g_path_get_dirname(path);
  if (g_mkdir_with_parents(folder, 0777) != 0)
    return host_fail(error, AB_IO, "the folder '%s' cannot be made: %s", folder, g_strerror(errno));
  return files_write(path, text, -1, error);
}
