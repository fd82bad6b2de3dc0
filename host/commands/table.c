/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, in the order of the help: those that make a run, those that look at runs
 * and manifests, those that look at what is installed. The program itself, its completion and its
 * manual pages go through it.                                                                   */
#include "commands.h"

#include <stddef.h>

/* clang-format off: one a line */
const Command *const command_table[] = {
    &command_run,
    &command_resume,
    &command_compare,
    &command_evaluate,
    &command_apply,
    &command_check,
    &command_list,
    &command_inspect,
    NULL,
};
/* clang-format on */
