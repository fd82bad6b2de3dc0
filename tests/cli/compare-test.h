/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of `abhost compare` share: a manifest with candidates of every kind, and a look at
 * what a comparison left in its folder. */
#ifndef COMPARE_TEST_H
#define COMPARE_TEST_H

#include "cli-test.h"

extern const char compare_manifest[];
/* Writes it as m.yaml; removes runs/ and out/. */
void compare_setup(void);

/* compare.json of a folder, and parts of it by the numbers of candidate and run. */
JsonNode *compare_read_json(const char *folder);
JsonObject *compare_candidate_at(JsonNode *root, guint index);
JsonObject *compare_run_at(JsonNode *root, guint candidate, guint index);
const char *compare_status_at(JsonNode *root, guint candidate, guint index);
const char *compare_reason_at(JsonNode *root, guint candidate); /* of its first run */
double compare_figure_at(JsonNode *root, guint candidate, guint run, const char *split,
                         const char *metric);
/* A number of the summary; NaN where it is null. */
double compare_summary_at(JsonNode *root, guint candidate, const char *split, const char *metric,
                          const char *name);
/* Fails the test where the word is not in the text. */
void compare_says(const char *text, const char *word);
/* How often a run was begun or resumed. */
guint compare_starts_of(const char *folder, const char *name);

#endif
