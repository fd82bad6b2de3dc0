/* SPDX-License-Identifier: Apache-2.0
 *
 * What a word of the command line may become. The shell asks the program (`abhost completion
 * --words
 * -- WORD...`), so that nothing is written down twice: commands and their options come from
 * command_visit, values from the registry, the tables and the manifest.                         */
#ifndef HOST_REFERENCE_COMPLETE_H
#define HOST_REFERENCE_COMPLETE_H

#include <glib.h>

typedef struct {
  GPtrArray *words; /* char *, whole words that begin as the last one does; sorted, each once */
  gboolean files, folders; /* their names may stand there as well */
} Completion;

/* `words` are those after the program's name, the last one as far as it is written (""); count is
 * at least 1. Nothing is an error here: what is not understood has no completion. */
Completion complete_words(char *const *words, guint count);
void completion_clear(Completion *self);

/* One word a line, then ":files" or ":folders"; free with g_free. */
char *completion_text(const Completion *self);

/* The function for bash, which asks. */
extern const char completion_bash[];

#endif
