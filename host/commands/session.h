/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands that work on a manifest or a checkpoint share: its options, assembling, running
 * to the end, showing results.                                                                  */
#ifndef HOST_COMMANDS_SESSION_H
#define HOST_COMMANDS_SESSION_H

#include "../assembly/assembly.h"
#include "../run/checkpoint.h"
#include "../run/evaluate.h"
#include "../run/train.h"
#include "common.h"

/* Options of `run` and `check`; to be cleared. */
typedef struct {
  char **sets;
  char *candidate, *output;
  const char *text;    /* of the manifest, where it has been read already; borrowed */
  gint64 seed, epochs; /* -1: not given */
  gint64 until;        /* G_MAXINT64: not given */
  gboolean quiet, dry;
} SessionOptions;
void session_options_clear(SessionOptions *self);

/* The manifest with candidate and assignments, assembled; NULL after an error. Its text in
 * *manifest (may be NULL), to be freed in any case. */
Assembly *session_assemble(const Registry *registry, const char *path,
                           const SessionOptions *options, gboolean dry, char **manifest,
                           GError **error);
/* The same for what a checkpoint resolved to. */
Assembly *session_reassemble(const Registry *registry, const Checkpoint *checkpoint,
                             const char *path, const char *const *sets, GError **error);
/* Builds it, loads its data, and takes weights, states and progress from the checkpoint. */
gboolean session_restore(const Checkpoint *checkpoint, Assembly *assembly, RunState *state,
                         GError **error);
/* Says on stderr, and in the log if there is one, what a user should know of this assembly. */
void session_notes(const Assembly *assembly, RunFolder *folder, gboolean quiet);
/* Trains, writes result.json, and the table (or JSON) to stdout. Returns the exit status. */
int session_train(Run *run, gboolean json, gboolean quiet);

#endif
