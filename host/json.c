/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON as text. */
#include "json.h"

#include <string.h>

/* The ".0" after an exponent is left out; strings are copied as they are. */
char *json_text(JsonNode *root, gboolean pretty) {
  char *text = json_to_string(root, pretty), *to = text;
  gboolean quoted = FALSE, exponent = FALSE;
  for (const char *from = text; *from; from++) {
    if (*from == '"') quoted = !quoted;
    if (quoted && *from == '\\') *to++ = *from++;
    if (*from == 'e' || *from == 'E')
      exponent = !quoted;
    else if (!strchr("+-.0123456789", *from))
      exponent = FALSE;
    if (exponent && *from == '.')
      from++; /* and the 0 */
    else
      *to++ = *from;
  }
  *to = '\0';
  return text;
}
