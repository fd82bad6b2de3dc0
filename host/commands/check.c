/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost check MANIFEST: every mistake of a manifest, and what it would train. Reads no data but
 * the headers of its files, makes no weights.                                                    */
#include "session.h"

static int run(int argc, char **argv) {
  SessionOptions options = {.seed = -1, .epochs = -1};
  const GOptionEntry own[] = {{"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.sets,
                               "Change a value of the manifest (may be given several times)",
                               "KEY.PATH=VALUE"},
                              {"candidate", 0, 0, G_OPTION_ARG_STRING, &options.candidate,
                               "Take what this candidate of the manifest says", "NAME"},
                              {0}};
  const CommandLine line = {.command = &command_check,
                            .arguments = "MANIFEST",
                            .own = own,
                            .plugins = TRUE,
                            .json = TRUE,
                            .min_count = 1,
                            .max_count = 1};
  CommandOptions common;
  int status;
  if (command_parse(&line, argc, argv, &common, &status)) {
    status = session_describe(common.arguments[0], &common, &options);
    command_clear(&common);
  }
  session_options_clear(&options);
  return status;
}

const Command command_check = {"check", "Check a manifest and describe what it would train.", run};
