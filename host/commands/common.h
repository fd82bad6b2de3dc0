/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands share: options, messages, output. Results go to stdout, all else to stderr.  */
#ifndef HOST_COMMANDS_COMMON_H
#define HOST_COMMANDS_COMMON_H

#include "../registry/registry.h"
#include "commands.h"

typedef struct {
  const Command *command;
  const char *arguments;      /* as the help shows them: "[KIND]" */
  const char *description;    /* below the options in the help, or NULL */
  const GOptionEntry *own;    /* options of this command alone, or NULL */
  gboolean plugins;           /* takes --plugin-path */
  gboolean json;              /* takes --json */
  guint min_count, max_count; /* of arguments that are no options */
} CommandLine;

typedef struct {
  char **folders;   /* of --plugin-path; NULL-terminated, or NULL */
  char **arguments; /* NULL-terminated */
  guint count;      /* of the arguments */
  gboolean json;
} CommandOptions;

/* FALSE where there is nothing more to do: after --help (*status is 0) and after a mistake, which
 * is reported (AB_USAGE). The options are to be cleared after TRUE.                              */
gboolean command_parse(const CommandLine *line, int argc, char **argv, CommandOptions *options,
                       int *status);
void command_clear(CommandOptions *options);

/* What a command takes, for completion and manual pages. `line` and `options` (its own, then those
 * that commands share, then --help; a zeroed one ends them) live as long as the call.            */
typedef void (*CommandVisitor)(const CommandLine *line, const GOptionEntry *options, gpointer data);
/* Calls the command's `run`, whose first call of command_parse gives its line to the visitor and
 * says that there is nothing more to do. That line is so the only list of a command's options: a
 * command parses before it does anything else. Not thread-safe, and not to be nested.            */
void command_visit(const Command *command, CommandVisitor visitor, gpointer data);

/* "abhost: message" on stderr; returns the error's code, and frees it. */
int command_fail(GError *error);
/* FALSE, and AB_UNAVAILABLE with the folders that were searched, where there is no component at
 * all: without this, each that is named would be one more mistake. */
gboolean command_installed(const Registry *registry, GError **error);
/* "abhost COMMAND: message" on stderr, with a pointer to --help; returns AB_USAGE. */
int command_usage(const Command *command, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* One line on stderr: "abhost: message". */
void command_note(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Writes a whole result; AB_OK, or AB_IO after a message. */
int command_output(const char *text);

/* "'modle' is no kind; did you mean 'model'? (kinds: ...)" as a usage error. */
int command_no_name(const Command *command, const char *name, const char *noun,
                    const char *const *choices);

#endif
