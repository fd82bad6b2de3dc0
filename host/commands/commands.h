/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of the program: one file each, which exports one of these. Whoever adds one adds it
 * here and to commands.c.                                                                       */
#ifndef HOST_COMMANDS_H
#define HOST_COMMANDS_H

#include <stdbool.h>

typedef struct {
  const char *name;
  const char *summary; /* one line, for the help of the program */
  /* argv[0] is the command's name. Returns the exit status (AbCode). */
  int (*run)(int argc, char **argv);
  bool computes; /* with several threads: see threads_settle */
} Command;

extern const Command command_run, command_resume, command_evaluate, command_apply, command_check,
    command_equivalents, command_compare, command_report, command_runs, command_diff, command_list,
    command_inspect, command_schema, command_completion, command_man;

/* All of them, in the order of the help; NULL-terminated. */
extern const Command *const command_table[];

#endif
