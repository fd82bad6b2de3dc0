/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of objects in a file.                                                                   */
#include "store-internal.h"
#include <string.h>

gboolean store_name_component_ok(const char *component) {
  if (component[0] == '\0' || strcmp(component, ".") == 0) return FALSE;
  if (strlen(component) > STORE_MAX_NAME || !g_utf8_validate(component, -1, NULL)) return FALSE;
  for (const char *c = component; *c != '\0'; c++)
    if (g_ascii_iscntrl(*c)) return FALSE; /* names reach terminals */
  return TRUE;
}

char **store_name_split(const char *name) {
  char **parts;

  if (name == NULL || strlen(name) > STORE_MAX_PATH) return NULL;
  if (name[0] == '/') name++;
  parts = g_strsplit(name, "/", -1);
  if (parts[0] == NULL || g_strv_length(parts) > STORE_MAX_DEPTH) goto refuse;
  for (char **part = parts; *part != NULL; part++)
    if (!store_name_component_ok(*part)) goto refuse;
  return parts;

refuse:
  g_strfreev(parts);
  return NULL;
}
