/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the program as a user has it: spawned, with a time limit, in a folder of its own. Paths
 * are relative to that folder, for the program and for the functions here; it is removed at the
 * end.
 */
#ifndef CLI_TEST_H
#define CLI_TEST_H

#include "../../host/store/store.h"
#include <json-glib/json-glib.h>
#include <sys/types.h>

/* Exit statuses (sysexits.h), by the names of the SDK: AB_USAGE, AB_DATA, ... */

/* Initializes GLib's tests and the store, makes the folder and goes there. */
void cli_init(int *argc, char ***argv);
/* Runs the tests and removes the folder; what main returns. */
int cli_finish(void);
const char *cli_folder(void); /* its full name */

/* ---- the program --------------------------------------------------------------------------- */

typedef struct {
  int status; /* exit status; -N if signal N ended it */
  char *out, *err;
  double seconds; /* wall time */
} CliResult;

void cli_free(CliResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CliResult, cli_free)

/* Runs `abhost` with these arguments, NULL at the end; a child that takes over two minutes (ten
 * with sanitizers) is killed and fails the test. */
CliResult *cli_run(const char *argument, ...) G_GNUC_NULL_TERMINATED;
CliResult *cli_runv(const char *const *arguments);
/* The same, with a limit on the size of files; 0: none. */
CliResult *cli_run_limited(gint64 file_bytes, const char *argument, ...) G_GNUC_NULL_TERMINATED;
/* Any other program, found by PATH; `folder` is where it runs. */
CliResult *cli_spawn(const char *folder, const char *const *argv);

/* A child that goes on meanwhile: to be waited for. */
typedef struct CliChild CliChild;
CliChild *cli_start(const char *argument, ...) G_GNUC_NULL_TERMINATED;
void cli_signal(CliChild *child, int number);
gboolean cli_running(CliChild *child);
CliResult *cli_wait(CliChild *child);

/* Whether the program is built with sanitizers, which make it slower and forbid RLIMIT_AS. */
gboolean cli_sanitized(void);

/* Puts a plugin of tests/fixtures into a folder, which it makes: others there are not loaded. */
void cli_install(const char *file, const char *folder);
/* Names of the commands, as --help lists them: char *. */
GPtrArray *cli_commands(void);

/* ---- what is expected ---------------------------------------------------------------------- */

/* Fails the test, and shows what the program said, where the status is another. */
void cli_assert_status(const CliResult *result, int status);
/* Each of the words, NULL at the end, is in the message. */
void cli_assert_says(const CliResult *result, const char *word, ...) G_GNUC_NULL_TERMINATED;
/* Messages are for people: something, no "(null)", no sanitizer's report, `lines` at most. */
void cli_assert_message(const CliResult *result, guint lines);
/* Parses; fails the test where it is no JSON. Free with json_node_unref. */
JsonNode *cli_json(const char *text);
/* A number by its path, "test/accuracy"; NaN if it is not there or null. */
double cli_json_real(JsonNode *root, const char *path);
gboolean cli_json_has(JsonNode *root, const char *path);

/* ---- files --------------------------------------------------------------------------------- */

void cli_write(const char *path, const char *text);
void cli_write_bytes(const char *path, const void *bytes, gsize size);
char *cli_read(const char *path);
gboolean cli_exists(const char *path);
void cli_copy(const char *from, const char *to); /* which is replaced, even if it is a link */
void cli_remove(const char *path);               /* a file, or a folder and all in it */
void cli_mkdir(const char *path);
guint cli_count_entries(const char *folder); /* hidden ones included; 0 if it is not there */
/* Fails the test where a temporary file is left below a run folder. */
void cli_assert_no_temporaries(const char *run);

/* Full names of a manifest below examples/ and of a file below the test data; the data is NULL,
 * with a line on stderr, where it is not there. Free with g_free. */
char *cli_example(const char *name);
char *cli_data(const char *name);

/* ---- checkpoints --------------------------------------------------------------------------- */

/* Opens it, and reads every dataset below /model and /optimizer. */
void cli_assert_opens(const char *checkpoint);
/* Whether two checkpoints have the same tensors below a group, bit by bit. */
gboolean cli_same_tensors(const char *left, const char *right, const char *group);
/* A dataset as f64, with its number of elements; fails the test if it is not there. */
double *cli_tensor(const char *checkpoint, const char *dataset, gsize *count);
/* The largest difference of two of the same shape. */
double cli_difference(const char *left, const char *right, const char *dataset);
/* The lines of metrics.jsonl, JsonNode *. */
GPtrArray *cli_lines(const char *run);
/* metrics.jsonl with the seconds taken out. */
char *cli_metrics(const char *run);

#endif
