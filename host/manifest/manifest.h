/* SPDX-License-Identifier: Apache-2.0
 *
 * A manifest as the command line asks for it: the file, with the candidate's keys laid over it,
 * then the `--set` assignments, in their order. */
#ifndef HOST_MANIFEST_MANIFEST_H
#define HOST_MANIFEST_MANIFEST_H

#include "node.h"

typedef struct {
  const char *path;
  const char *candidate;   /* or NULL */
  const char *const *sets; /* NULL-terminated, or NULL */
  char **text;             /* receives the file as it was read; or NULL */
  const char *given;       /* the file's text, where it has been read already; or NULL */
} ManifestRequest;

/* NULL after a mistake that leaves nothing to check further. `candidates` is not in the result. */
Node *manifest_read(const ManifestRequest *request, Diagnostics *diagnostics);
/* The same from text that a checkpoint holds; `name` is what messages call it. */
Node *manifest_parse(const char *text, const char *name, const char *const *sets,
                     Diagnostics *diagnostics);

#endif
