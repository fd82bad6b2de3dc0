/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys at the top of a manifest that hold components: reading, the schema, the reference and
 * completion go through one table. What such a key takes besides (data.batch) is in the table of
 * the settings of that name.                                                                    */
#ifndef HOST_MANIFEST_SECTIONS_H
#define HOST_MANIFEST_SECTIONS_H

#include <absdk/absdk.h>
#include <glib.h>

typedef struct {
  const char *key;
  AbKind kind;
  gboolean many;   /* a list; one component stands for a list of one */
  gboolean chosen; /* no component is the default: it is the problem, or its answer */
  const char *doc;
} Section;
extern const Section sections[]; /* the end has no key */

const Section *section_of_key(const char *key); /* NULL if there is none */
const Section *section_of_kind(AbKind kind);    /* NULL for kinds that lie within others */
/* Every key that a manifest may have at its top but `candidates`: components, sections of settings,
 * general settings; NULL-terminated, to be freed with g_free. */
const char **section_names(void);

#endif
