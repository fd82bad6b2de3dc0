/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost schema: the JSON Schema of manifests, for editors. */
#include "../reference/schema.h"
#include "../reference/file.h"
#include "common.h"

static const char description[] =
    "JSON Schema (draft-07) of the manifests that the installed components allow. With the\n"
    "extension redhat.vscode-yaml, VS Code completes and checks manifests that have this line:\n"
    "  # yaml-language-server: $schema=manifest.schema.json\n"
    "or all that a line of its settings names:\n"
    "  \"yaml.schemas\": {\"./manifest.schema.json\": \"examples/*.yaml\"}\n"
    "What only a run can know (shapes, files, names of weights) is for `abhost check`.";

static int work(const CommandOptions *options, const char *output) {
  GError *error = NULL;
  g_autoptr(Registry) registry = registry_new((const char *const *)options->folders, &error);
  if (!registry || !command_installed(registry, &error)) return command_fail(error);
  g_autofree char *text = schema_json(registry);
  if (!output) return command_output(text);
  return reference_write(output, text, &error) ? AB_OK : command_fail(error);
}

static int run(int argc, char **argv) {
  char *output = NULL;
  const GOptionEntry own[] = {{"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
                               "Write it there, instead of showing it", "FILE"},
                              {0}};
  const CommandLine line = {
      .command = &command_schema, .description = description, .own = own, .plugins = TRUE};
  CommandOptions options;
  int status;
  if (command_parse(&line, argc, argv, &options, &status)) {
    status = work(&options, output);
    command_clear(&options);
  }
  g_free(output);
  return status;
}

const Command command_schema = {"schema", "Describe manifests as JSON Schema, for editors.", run};
