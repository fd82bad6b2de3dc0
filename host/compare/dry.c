/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying a candidate: does it offer the role, does it fit, how large is it? The child that does it
 * computes nothing (a dry run has shapes alone), so that the OpenMP of a forked process is not
 * asked for.                                                                                     */
#include "compare-internal.h"

#include "../assembly/describe.h"
#include "../jsonin.h"
#include "../jsonout.h"
#include "../manifest/manifest.h"
#include "../run/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLL_MILLISECONDS = 100 };

/* ---- in the child ---------------------------------------------------------------------------- */

static void add_measures(JsonBuilder *json, const Assembly *assembly) {
  jsonout_begin_array(json, "metrics");
  for (guint i = 0; i < assembly->metrics->len; i++) {
    const NamedMetric *metric = assembly->metrics->pdata[i];
    json_builder_begin_object(json);
    jsonout_text(json, "name", metric->name);
    jsonout_int(json, "higher", ab_metric_higher_is_better(metric->metric));
    json_builder_end_object(json);
  }
  json_builder_end_array(json);
}

/* An environment is evaluated for every split. */
static gboolean has_split(const Assembly *assembly, AbSplit split) {
  return assembly->environment || feed_samples(assembly->feed, split) > 0;
}

static void describe(JsonBuilder *json, Assembly *assembly) {
  const Settings *settings = assembly->settings;
  jsonout_text(json, "problem", ab_role_name(assembly->role));
  jsonout_text(json, "model", assembly->model->component->name);
  jsonout_int(json, "parameters", describe_parameters(assembly));
  jsonout_int(json, "multiply_adds", ab_model_multiply_adds(assembly->model));
  jsonout_int(json, "batch", assembly->environment ? 1 : settings->feed.batch);
  jsonout_int(json, "epochs", settings->general.epochs);
  jsonout_int(json, "test", has_split(assembly, AB_TEST));
  jsonout_int(json, "validation", has_split(assembly, AB_VALIDATION));
  add_measures(json, assembly);
  node_put(assembly->resolved, "seed", node_scalar("0"));
  g_autofree char *resolved = node_emit(assembly->resolved);
  jsonout_text(json, "resolved", resolved);
}

static Assembly *assemble(const Plan *plan, const Registry *registry, const Candidate *candidate,
                          GError **error) {
  Diagnostics *diagnostics = diagnostics_new();
  g_auto(GStrv) sets = candidate_sets(plan, candidate);
  ManifestRequest request = {plan->manifest, candidate->candidate, (const char *const *)sets, NULL};
  g_autoptr(Node) root = manifest_read(&request, diagnostics);
  g_autoptr(Assembly) assembly = NULL;
  if (root)
    assembly = assembly_new(registry, root, TRUE, diagnostics, error);
  else
    diagnostics_check(diagnostics, error);
  diagnostics_free(diagnostics);
  if (!assembly || !assembly_build(assembly, error)) return NULL;
  return g_steal_pointer(&assembly);
}

static char *answer(const Plan *plan, const Registry *registry, const Candidate *candidate) {
  g_autoptr(GError) error = NULL;
  g_autoptr(Assembly) assembly = assemble(plan, registry, candidate, &error);
  g_autoptr(JsonBuilder) json = json_builder_new();
  json_builder_begin_object(json);
  if (assembly) {
    describe(json, assembly);
  } else {
    jsonout_int(json, "code", error->code);
    jsonout_text(json, "refusal", error->message);
  }
  json_builder_end_object(json);
  return jsonout_line(json);
}

static gboolean write_all(int fd, const char *text) {
  for (gsize left = strlen(text); left > 0;) {
    gssize written = write(fd, text, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FALSE;
    text += written;
    left -= (gsize)written;
  }
  return TRUE;
}

/* A crash here is foreseen: no handler of ours, no core. What a library prints
 * would be read as ours.                                                                         */
static void prepare_child(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGINT, SIGTERM, SIGHUP};
  struct rlimit none = {0, 0};
  int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) signal(signals[i], SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setrlimit(RLIMIT_CORE, &none);
  dup2(silence, STDOUT_FILENO);
  dup2(silence, STDERR_FILENO);
}

static void tell(int fd, const Plan *plan, const Registry *registry, const Candidate *candidate) {
  prepare_child();
  g_autofree char *text = answer(plan, registry, candidate);
  write_all(fd, text);
}

/* ---- in the parent --------------------------------------------------------------------------- */

/* Until the child closes its end; FALSE after a stop. */
static gboolean receive(int fd, GString *text) {
  char block[4096];
  while (!signals_stop()) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, POLL_MILLISECONDS) <= 0) continue;
    gssize got = read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return TRUE;
    g_string_append_len(text, block, got);
  }
  return FALSE;
}

static void take_measures(Candidate *candidate, JsonArray *measures) {
  for (guint i = 0; i < json_array_get_length(measures); i++) {
    JsonObject *object = json_array_get_object_element(measures, i);
    Measure *measure = g_new0(Measure, 1);
    measure->name = g_strdup(json_object_get_string_member(object, "name"));
    measure->higher = json_object_get_int_member(object, "higher") != 0;
    g_ptr_array_add(candidate->measures, measure);
  }
}

static void take(Candidate *candidate, JsonObject *object) {
  if (json_object_has_member(object, "refusal")) {
    candidate->refusal = g_strdup(json_object_get_string_member(object, "refusal"));
    candidate->code = (AbCode)json_object_get_int_member(object, "code");
    return;
  }
  candidate->problem = g_strdup(json_object_get_string_member(object, "problem"));
  candidate->model = g_strdup(json_object_get_string_member(object, "model"));
  candidate->resolved = g_strdup(json_object_get_string_member(object, "resolved"));
  candidate->parameters = json_object_get_int_member(object, "parameters");
  candidate->multiply_adds = json_object_get_int_member(object, "multiply_adds");
  candidate->batch = json_object_get_int_member(object, "batch");
  candidate->epochs = json_object_get_int_member(object, "epochs");
  candidate->test = json_object_get_int_member(object, "test") != 0;
  candidate->validation = json_object_get_int_member(object, "validation") != 0;
  take_measures(candidate, json_object_get_array_member(object, "metrics"));
}

static void judge(Candidate *candidate, const char *text, int raw) {
  g_autoptr(JsonNode) node = WIFSIGNALED(raw) ? NULL : jsonin_object("it", text, -1, NULL);
  if (node) {
    take(candidate, json_node_get_object(node));
    return;
  }
  candidate->crashed = TRUE;
  candidate->code = AB_INTERNAL;
  candidate->refusal =
      WIFSIGNALED(raw)
          ? g_strdup_printf("%s while it was built", spawn_signal_name(WTERMSIG(raw)))
          : g_strdup_printf("a plugin ended the program (status %d) while it was built",
                            WEXITSTATUS(raw));
}

gboolean dry_run(const Plan *plan, const Registry *registry, Candidate *candidate, GError **error) {
  int ends[2] = {-1, -1}, raw = 0;
  pid_t pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
  if (pid == 0) {
    tell(ends[1], plan, registry, candidate);
    _exit(0);
  }
  if (pid < 0)
    host_fail(error, AB_IO, "no process can be made to try %s in: %s", candidate->name,
              g_strerror(errno));
  if (ends[1] >= 0) close(ends[1]);
  g_autoptr(GString) text = g_string_new(NULL);
  gboolean heard = pid > 0 && receive(ends[0], text);
  if (ends[0] >= 0) close(ends[0]);
  if (pid < 0) return FALSE;
  if (!heard) kill(pid, SIGKILL);
  while (waitpid(pid, &raw, 0) < 0 && errno == EINTR) continue;
  if (!heard) return host_fail(error, AB_STOPPED, "stopped before any run was begun");
  judge(candidate, text->str, raw);
  return TRUE;
}
