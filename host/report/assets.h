/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that are built into the program (embed.sh): the pieces of the page. */
#ifndef HOST_REPORT_ASSETS_H
#define HOST_REPORT_ASSETS_H

#include <stddef.h>

typedef struct {
  const char *name; /* without its folder */
  const unsigned char *bytes;
  size_t size;
} Asset;

/* In the order in which the build names them: scripts run in this order. */
extern const Asset assets[];
extern const unsigned asset_count;

#endif
