/* SPDX-License-Identifier: Apache-2.0
 *
 * A request for completion on its way. */
#ifndef HOST_REFERENCE_COMPLETE_INTERNAL_H
#define HOST_REFERENCE_COMPLETE_INTERNAL_H

#include "complete.h"

typedef struct {
  char *const *words;
  guint count;
  const char *current;   /* the last word */
  char *prefix;          /* what a value is to begin with in that word ("--role=") */
  gboolean plain;        /* "--" was there: options are over */
  GPtrArray *arguments;  /* const char *, that are no options */
  const char *candidate; /* of --candidate, or NULL */
  GPtrArray *folders;    /* const char *, of --plugin-path */
  Completion *result;
} Request;

/* Takes a word, after the prefix, if it begins as the current one does. */
void request_offer(Request *self, const char *text);
/* Keeps the value of an option on which others depend. */
void request_note(Request *self, const char *option, const char *value);
/* Offers what a value can be that the help calls `what`: "ROLE", "FILE|DATA", ... Where that says
 * nothing, files if `file`. */
void request_values(Request *self, const char *what, gboolean file);

#endif
