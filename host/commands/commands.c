/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, in the order of the help: those that make a run, those that look at runs
 * and manifests, those that look at what is installed. The program itself, its completion and its
 * manual pages go through it.                                                                   */
#include "commands.h"

#include <stddef.h>

/* clang-format off */
const Command *const command_table[] = {
    &command_run,
    &command_resume,
    &command_evaluate,
    &command_apply,
    &command_check,
    &command_equivalents,
    &command_compare,
    &command_report,
    &command_runs,
    &command_diff,
    &command_list,
    &command_inspect,
    &command_schema,
    &command_completion,
    &command_man,
    NULL,
};
/* clang-format on */
