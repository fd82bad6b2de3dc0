/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost completion SHELL: the script by which a shell completes; and what the script asks. */
#include "../reference/complete.h"
#include "common.h"

#include <string.h>

static const char description[] =
    "For the shell that is open, and for those to come:\n"
    "  source <(abhost completion bash)\n"
    "  abhost completion bash >~/.local/share/bash-completion/completions/abhost\n"
    "An installed abhost has it already, where the package bash-completion is installed too.";

static int show_words(const CommandOptions *options) {
  Completion completion = complete_words(options->arguments, options->count);
  g_autofree char *text = completion_text(&completion);
  completion_clear(&completion);
  return command_output(text);
}

static int show_script(const CommandOptions *options) {
  static const char *const shells[] = {"bash", NULL};
  if (options->count > 1)
    return command_usage(&command_completion, "'%s' is one argument too many",
                         options->arguments[1]);
  if (!g_strv_contains(shells, options->arguments[0]))
    return command_no_name(&command_completion, options->arguments[0], "shell", shells);
  return command_output(completion_bash);
}

static int run(int argc, char **argv) {
  gboolean words = FALSE;
  const GOptionEntry own[] = {{"words", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &words,
                               "What the last of these words may become", NULL},
                              {0}};
  const CommandLine line = {.command = &command_completion,
                            .arguments = "SHELL",
                            .description = description,
                            .own = own,
                            .min_count = 1,
                            .max_count = G_MAXUINT};
  CommandOptions options;
  int status;
  if (!command_parse(&line, argc, argv, &options, &status)) return status;
  status = words ? show_words(&options) : show_script(&options);
  command_clear(&options);
  return status;
}

const Command command_completion = {"completion", "Print the script by which a shell completes.",
                                    run};
