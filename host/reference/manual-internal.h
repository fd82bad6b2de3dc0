/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages of the manual, one a file. */
#ifndef HOST_REFERENCE_MANUAL_INTERNAL_H
#define HOST_REFERENCE_MANUAL_INTERNAL_H

#include "manual.h"

#include <absdk/host.h>

char *manual_program(PageForm form);
char *manual_command(const Command *command, PageForm form);
char *manual_manifest(const Registry *registry, PageForm form);
char *manual_components(const Registry *registry, PageForm form);

/* The head that every manual page has (nothing in Markdown). */
void manual_name(Page *page, const char *name, const char *summary);
/* Rows of a table as items, records below their row. */
void manual_rows(Page *page, const AbParam *params, guint count, guint stride);

#endif
