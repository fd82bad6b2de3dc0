/* SPDX-License-Identifier: Apache-2.0
 *
 * What results.h5 holds, as the page draws it. */
#ifndef HOST_REPORT_PLOTS_H
#define HOST_REPORT_PLOTS_H

#include "embed.h"

typedef enum { PLOTS_ALL, PLOTS_COMPARED } PlotsWish; /* what a comparison lays side by side */

/* An object with a member for each group of RUN/results.h5 that is known; an empty one where there
 * is no file. What is damaged is noted (char *), and left out. */
void plots_write(const char *folder, const char *key, PlotsWish wish, GString *out,
                 GPtrArray *notes);

#endif
