/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing whole files. */
#include "file.h"

#include <errno.h>

gboolean reference_write(const char *path, const char *text, GError **error) {
  g_autoptr(GError) cause = NULL;
  g_autofree char *folder = g_path_get_dirname(path);
  if (g_mkdir_with_parents(folder, 0777) != 0)
    return host_fail(error, AB_IO, "the folder '%s' cannot be made: %s", folder, g_strerror(errno));
  if (g_file_set_contents_full(path, text, -1,
                               G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0666,
                               &cause))
    return TRUE;
  return host_fail(error, AB_IO, "'%s' cannot be written: %s", path, cause->message);
}
