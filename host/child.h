/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking plugins something in a forked process, where a crash is an answer as good as any. What is
 * asked must compute nothing (a dry run has shapes alone): a forked process has no OpenMP. */
#ifndef HOST_CHILD_H
#define HOST_CHILD_H

#include "error.h"

typedef char *(*ChildQuestion)(gpointer data); /* the answer as text, to be freed */

/* In *answer (free with g_free) what `question` gave; where it crashed instead NULL, and in *crash
 * (free with g_free) how: "SIGSEGV", "a plugin ended the program (status 3)". What is printed there
 * goes nowhere. FALSE and AB_STOPPED after SIGINT or SIGTERM, AB_IO where there is no process. */
gboolean child_ask(ChildQuestion question, gpointer data, char **answer, char **crash,
                   GError **error);

/* "SIGSEGV"; interned. */
const char *child_signal_name(int number);

#endif
