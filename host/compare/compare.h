/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons: every candidate of a manifest with every seed, each run a process of its own, in one
 * folder that a repeated command goes on with.
 *
 *   COMPARISON/plan.json       what makes it this comparison
 *   COMPARISON/runs/NAME-seedN run folders
 *   COMPARISON/logs/NAME-seedN.log  what those processes said
 *   COMPARISON/compare.json, compare.csv  the result, rewritten after every finished run */
#ifndef HOST_COMPARE_H
#define HOST_COMPARE_H

#include "../error.h"

/* What the command line asks for. Texts are borrowed until compare_new returns; lists end with
 * NULL, or are NULL.                                                                             */
typedef struct {
  const char *manifest;
  const char *const *sets;
  const char *const *sweep;   /* axes, "model.hidden=64,128" */
  const char *const *folders; /* of plugins */
  const char *seeds;          /* "5": 1 to 5; "3,5,8": these */
  const char *candidates;     /* "a,b", or NULL: all */
  const char *budget;         /* "steps=1000", or NULL */
  const char *output;         /* or NULL: below runs/ */
  gint64 epochs;              /* -1: as the manifest says */
  gint64 jobs;                /* at once, from 1 */
  gint64 random;              /* points of a sweep that are drawn; 0: all of the grid */
  gint64 halving;             /* factor of successive halving, from 2; 0: none */
  gboolean quiet;
} CompareRequest;

typedef struct Comparison Comparison;

/* Reads the manifest, tries every candidate without data or weights, makes or opens the folder and
 * locks it. NULL and AB_USAGE, AB_CONFIG (no candidate fits; a folder of another comparison),
 * AB_IO, or AB_UNAVAILABLE (another process works in the folder). */
Comparison *compare_new(const CompareRequest *request, GError **error);
void compare_free(Comparison *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Comparison, compare_free)

/* Does what is left to do. FALSE and AB_STOPPED after SIGINT, SIGTERM or SIGHUP, when all runs have
 * saved what they had; AB_CONFIG where the manifest was changed meanwhile; AB_IO. That a run fails
 * is no error.                                                                                   */
gboolean compare_run(Comparison *self, GError **error);
gboolean compare_complete(const Comparison *self); /* whether every run succeeded */

const char *compare_folder(const Comparison *self);
/* Free with g_free. */
char *compare_table(const Comparison *self);
char *compare_json(const Comparison *self);

#endif
