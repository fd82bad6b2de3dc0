/* SPDX-License-Identifier: Apache-2.0
 *
 * The page: page.html with the style, the scripts and the data put into it. */
#ifndef HOST_REPORT_PAGE_H
#define HOST_REPORT_PAGE_H

#include "../error.h"

/* `data` is a JSON object without "<" (embed.h), `title` any text. Writes atomically. */
gboolean page_write(const char *path, const char *title, const char *data, GError **error);

#endif
