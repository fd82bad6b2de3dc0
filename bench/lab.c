/* SPDX-License-Identifier: Apache-2.0
 *
 * Workloads on this side: lab.h says what they are. */
#include "lab.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static Workload *first;

const Workload *workloads(void) {
  return first;
}

void workload_add(Workload *workload) {
  Workload **at = &first;
  while (*at && (*at)->order < workload->order) at = &(*at)->next;
  workload->next = *at;
  *at = workload;
}

double lab_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const char *message) {
  fprintf(stderr, "%s\n", message);
  exit(1);
}

void lab_check(Lab *lab) {
  if (!ab_ok(lab->ctx)) fail(ab_error_message(lab->ctx));
}

void lab_open(Lab *lab) {
  GError *error = NULL;
  *lab = (Lab){.registry = registry_new(NULL, &error)};
  if (!lab->registry) fail(error->message);
  lab->ctx = ab_context_new("cpu", AB_F32, 1);
  lab->diagnostics = diagnostics_new();
  if (!lab->ctx) fail("out of memory");
  bind_init(&lab->binder, lab->registry, lab->ctx, lab->diagnostics);
  ab_begin(lab->ctx, AB_PURPOSE_INIT, 0);
}

void lab_close(Lab *lab) {
  for (int i = 0; i < LAB_POOL; i++)
    if (lab->batches[i]) ab_batch_free(lab->batches[i]);
  ab_step_free(lab->step);
  bind_clear(&lab->binder);
  ab_context_free(lab->ctx);
  diagnostics_free(lab->diagnostics);
  registry_free(lab->registry);
}

AbInstance *lab_plugin(Lab *lab, AbKind kind, AbRole role, const char *yaml) {
  g_autoptr(Node) node = node_parse(yaml, strlen(yaml), "bench", lab->diagnostics);
  AbInstance *instance =
      node ? bind_component(&lab->binder, kind, role, node, ab_kind_name(kind), NULL) : NULL;
  GError *error = NULL;
  if (instance && diagnostics_check(lab->diagnostics, &error)) return instance;
  fail(error ? error->message : "a component is missing");
  return NULL;
}

void *lab_component(Lab *lab, const AbComponent *component, const char *path) {
  AbInstance *instance = ab_instance_new(lab->ctx, component, path, "bench");
  if (!instance) fail("out of memory");
  return instance;
}

void lab_train(Lab *lab, AbModel *model, const AbSignature *wanted, AbOptimizer *optimizer,
               AbController *controller) {
  AbStepParts parts = {
      .role = wanted->role, .model = model, .optimizer = optimizer, .controller = controller};
  if (!controller) parts.controller = lab_plugin(lab, AB_KIND_CONTROLLER, 0, "trainer");
  ab_build(model, wanted);
  lab_check(lab);
  lab->step = ab_step_new(lab->ctx, &parts);
  ab_step_build(lab->step);
  lab_check(lab);
}

void lab_batches(Lab *lab, int64_t count, void (*fill)(Lab *lab, AbBatch *batch)) {
  AbScope scope = ab_scope_begin(lab->ctx);
  for (int i = 0; i < LAB_POOL; i++) {
    ab_begin(lab->ctx, AB_PURPOSE_DATA, i);
    lab->batches[i] = ab_batch_new(lab->ctx, count);
    fill(lab, lab->batches[i]);
  }
  ab_scope_end(lab->ctx, scope, NULL, 0);
  lab_check(lab);
}

void lab_step(Lab *lab) {
  AbScope scope = ab_scope_begin(lab->ctx);
  AbProgress progress = {.epochs = 1, .step = lab->steps};
  ab_begin(lab->ctx, AB_PURPOSE_TRAIN, lab->steps);
  AbTensor *loss = ab_step_run(lab->step, lab->batches[lab->steps % LAB_POOL], &progress);
  lab->steps++;
  lab->loss = ab_item(loss);
  ab_scope_end(lab->ctx, scope, NULL, 0);
  lab_check(lab);
}

AbTensor *lab_labels(Lab *lab, int64_t count, int64_t below) {
  AbTensor *labels = ab_empty(lab->ctx, AB_I64, AB_SHAPE(count));
  int64_t *label = ab_map(labels, true);
  AbStream stream = ab_stream((uint64_t)lab->ctx, "labels");
  for (int64_t i = 0; label && i < count; i++) label[i] = ab_stream_below(&stream, below);
  ab_unmap(labels);
  return labels;
}
