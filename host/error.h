/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors of the host are GErrors of one domain whose code is the exit status (sysexits.h, see
 * AbCode). A message names the thing, the place and the way out, in one to three lines.         */
#ifndef HOST_ERROR_H
#define HOST_ERROR_H

#include <absdk/base.h>
#include <glib.h>

#define HOST_ERROR (host_error_quark())
GQuark host_error_quark(void);

/* Sets an error of the host; always FALSE, so that `return host_fail(...)` says both. */
gboolean host_fail(GError **error, AbCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Many errors found in one pass (a manifest reports all of its mistakes at once).
 * Not thread-safe.                                                                              */
typedef struct Diagnostics Diagnostics;

Diagnostics *diagnostics_new(void);
void diagnostics_free(Diagnostics *self);
/* Notes one error; the first code noted becomes the exit status. `place` is "file:line:column"
 * or NULL.                                                                                      */
void diagnostics_add(Diagnostics *self, AbCode code, const char *place, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* Notes so far, repeated ones included: it has grown if and only if something was noted since. */
guint diagnostics_count(const Diagnostics *self);
/* FALSE, and all messages (one "place: message" a line; those without a place first, then by file,
 * line and column; of equal messages one) in `error`, if any was noted; TRUE otherwise. May be
 * called again.                                                                                 */
gboolean diagnostics_check(const Diagnostics *self, GError **error);

/* The candidate nearest to `name` by edit distance (Damerau-Levenshtein), if it is near enough to
 * be a plausible slip (a third of the name's characters, at least 1, and not every one of them),
 * else NULL. The first of equally near ones. `candidates` is NULL-terminated; the result points
 * into it.                                                                                      */
const char *nearest_name(const char *name, const char *const *candidates);

#endif
