/* SPDX-License-Identifier: Apache-2.0
 *
 * What `abhost check` finds, and its two forms.                                                  */
#ifndef HOST_COMMANDS_CHECK_H
#define HOST_COMMANDS_CHECK_H

#include "../rehearsal/rehearsal.h"
#include "session.h"

/* A candidate of the manifest. */
typedef struct {
  char *name, *model;
  Rehearsal *rehearsal; /* NULL where it does not fit */
  GError *error;        /* why */
} Candidate;

typedef struct {
  Assembly *assembly;    /* NULL where the manifest has no model, only candidates */
  Rehearsal *rehearsal;  /* of it */
  GPtrArray *candidates; /* Candidate * */
} Checked;

/* To be freed with g_free. */
char *checked_text(const Checked *self);
char *checked_json(const Checked *self);

/* Checks a manifest, with its candidates where none is chosen and they are wanted, and writes what
 * it would train (`check`, `run --dry-run`); the exit status.                                    */
int check_manifest(const char *path, const CommandOptions *common, const SessionOptions *options,
                   gboolean candidates);

#endif
