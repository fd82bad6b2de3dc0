/* SPDX-License-Identifier: Apache-2.0
 *
 * The manual: a page for the program, one for each command, one for the manifest, one for all
 * components. Made from the table of commands, their options, the tables of the settings, and the
 * registry; the same text for the same tables, without paths of the machine.                     */
#ifndef HOST_REFERENCE_MANUAL_H
#define HOST_REFERENCE_MANUAL_H

#include "../commands/commands.h"
#include "../registry/registry.h"
#include "page.h"

/* The names of all pages: "abhost", those of the commands, "manifest", "components";
 * NULL-terminated, the array to be freed with g_free. */
const char **manual_names(void);

/* A page by a name of manual_names; free with g_free. In Markdown the page of the program has all
 * commands in it. */
char *manual_page(const Registry *registry, const char *name, PageForm form);

/* Where a page belongs, below share/man ("man1/abhost-run.1") or docs/ ("commands.md"); NULL for a
 * page that is a part of another there. Free with g_free. */
char *manual_file(const char *name, PageForm form);

#endif
