/* SPDX-License-Identifier: Apache-2.0
 *
 * abhost check MANIFEST: every mistake of a manifest and its candidates, and what it would train.
 * Reads no data but the headers of its files, makes no weights.                                  */
#include "check.h"

#include <stdio.h>
#include <string.h>

#define PHASES 64 /* of the run, in each of which a step is rehearsed */

static void candidate_free(gpointer data) {
  Candidate *self = data;
  g_free(self->name);
  g_free(self->model);
  rehearsal_free(self->rehearsal);
  g_clear_error(&self->error);
  g_free(self);
}

/* ---- the manifest ---------------------------------------------------------------------------- */

/* What is to be known of the manifest before it is assembled. It is read once: it may be a pipe. */
typedef struct {
  char *text;      /* NULL where it cannot be parsed: assembling it says why */
  char **names;    /* of its candidates */
  gboolean models; /* it has a model, or should: it has no candidates */
} Outline;

static void outline_clear(Outline *self) {
  g_free(self->text);
  g_strfreev(self->names);
}

static char **names_of(const Node *candidates) {
  guint count = candidates && candidates->kind == NODE_MAPPING ? candidates->keys->len : 0;
  char **names = g_new0(char *, count + 1);
  for (guint i = 0; i < count; i++)
    names[i] = g_strdup(((const Node *)candidates->keys->pdata[i])->text);
  return names;
}

/* Whether the command line sets the model, or a key of it. */
static gboolean sets_model(const SessionOptions *options) {
  for (guint i = 0; options->sets && options->sets[i]; i++)
    if (strcspn(options->sets[i], ".=") == 5 && g_str_has_prefix(options->sets[i], "model"))
      return TRUE;
  return FALSE;
}

static gboolean outline_read(Outline *self, const char *path, const SessionOptions *options,
                             gboolean candidates, GError **error) {
  Diagnostics *ignored = diagnostics_new(); /* assembling notes the same */
  g_autoptr(Node) root = node_parse_kept(path, &self->text, ignored);
  diagnostics_free(ignored);
  const Node *all = node_get(root, "candidates");
  gboolean wanted = candidates && !options->candidate;
  self->names = names_of(wanted ? all : NULL);
  self->models = !*self->names || node_get(root, "model") || sets_model(options);
  if (!wanted || !all || all->kind == NODE_MAPPING) return TRUE;
  g_autofree char *place = node_place(all);
  return host_fail(error, AB_CONFIG,
                   "%s: candidates is a mapping of names, each with what differs, such as "
                   "{rbm: {model: {plugin: rbm}}}",
                   place);
}

/* ---- checking -------------------------------------------------------------------------------- */

static Assembly *assemble(const Registry *registry, const char *path, const SessionOptions *options,
                          Rehearsal **rehearsal, GError **error) {
  g_autofree char *text = NULL;
  g_autoptr(Assembly) assembly = session_assemble(registry, path, options, TRUE, &text, error);
  if (!assembly || !assembly_build(assembly, error)) return NULL;
  *rehearsal = rehearsal_new(assembly, PHASES, error);
  return *rehearsal ? g_steal_pointer(&assembly) : NULL;
}

static Candidate *candidate_new(const Registry *registry, const char *path,
                                const SessionOptions *options, char *name) {
  Candidate *self = g_new0(Candidate, 1);
  SessionOptions own = *options;
  own.candidate = name;
  self->name = g_strdup(name);
  g_autoptr(Assembly) assembly = assemble(registry, path, &own, &self->rehearsal, &self->error);
  if (assembly) self->model = g_strdup(assembly->model->component->name);
  return self;
}

/* ---- mistakes -------------------------------------------------------------------------------- */

/* Writes the lines of a candidate's mistakes that are not among those of the manifest itself. */
static gboolean report_candidate(const Candidate *candidate, const GError *before) {
  g_auto(GStrv) lines = g_strsplit(candidate->error->message, "\n", -1);
  g_auto(GStrv) known = g_strsplit(before ? before->message : "", "\n", -1);
  gboolean any = FALSE;
  for (char **line = lines; *line; line++) {
    if (g_strv_contains((const char *const *)known, *line)) continue;
    command_note("candidate %s: %s", candidate->name, *line);
    any = TRUE;
  }
  return any;
}

/* All of them on stderr; the exit status. */
static int report(const Checked *self, GError *error) {
  int status = error ? error->code : AB_OK;
  if (error) command_note("%s", error->message);
  for (guint i = 0; i < self->candidates->len; i++) {
    const Candidate *candidate = self->candidates->pdata[i];
    if (!candidate->error) continue;
    report_candidate(candidate, error);
    if (status == AB_OK) status = candidate->error->code;
  }
  g_clear_error(&error);
  return status;
}

static int write_result(const Checked *self, const CommandOptions *common) {
  char *text = common->json ? checked_json(self) : checked_text(self);
  int status = command_output(text);
  g_free(text);
  return status;
}

/* ---- command --------------------------------------------------------------------------------- */

static int check(const char *path, const CommandOptions *common, const SessionOptions *options,
                 const Outline *outline, const Registry *registry) {
  Checked self = {.candidates = g_ptr_array_new_with_free_func(candidate_free)};
  GError *error = NULL;
  if (outline->models) self.assembly = assemble(registry, path, options, &self.rehearsal, &error);
  for (char **name = outline->names; *name; name++)
    g_ptr_array_add(self.candidates, candidate_new(registry, path, options, *name));
  gboolean described = !error;
  int status = report(&self, error);
  if (self.assembly) session_notes(self.assembly, NULL, FALSE);
  if (described) {
    int written = write_result(&self, common);
    if (status == AB_OK) status = written;
  }
  rehearsal_free(self.rehearsal);
  assembly_free(self.assembly);
  g_ptr_array_unref(self.candidates);
  return status;
}

int check_manifest(const char *path, const CommandOptions *common, const SessionOptions *options,
                   gboolean candidates) {
  GError *error = NULL;
  g_autoptr(Registry) registry = registry_new((const char *const *)common->folders, &error);
  if (!registry) return command_fail(error);
  Outline outline = {0};
  SessionOptions own = *options;
  int status;
  if (outline_read(&outline, path, options, candidates, &error)) {
    own.text = outline.text;
    status = check(path, common, &own, &outline, registry);
  } else {
    status = command_fail(error);
  }
  outline_clear(&outline);
  return status;
}

static int run(int argc, char **argv) {
  SessionOptions options = {.seed = -1, .epochs = -1};
  const GOptionEntry own[] = {{"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.sets,
                               "Change a value of the manifest (may be given several times)",
                               "KEY.PATH=VALUE"},
                              {"candidate", 0, 0, G_OPTION_ARG_STRING, &options.candidate,
                               "Take what this candidate of the manifest says", "NAME"},
                              {0}};
  const CommandLine line = {
      .command = &command_check,
      .arguments = "MANIFEST",
      .description = "Without --candidate the candidates of the manifest are checked too.\n"
                     "Exit status: 0 where all is right, else as in sysexits.h.",
      .own = own,
      .plugins = TRUE,
      .json = TRUE,
      .min_count = 1,
      .max_count = 1};
  CommandOptions common;
  int status;
  if (command_parse(&line, argc, argv, &common, &status)) {
    status = check_manifest(common.arguments[0], &common, &options, TRUE);
    command_clear(&common);
  }
  session_options_clear(&options);
  return status;
}

const Command command_check = {"check", "Check a manifest and describe what it would train.", run};
