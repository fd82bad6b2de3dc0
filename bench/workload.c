/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs one workload on this side, or the matrix products that bound it, on demand.
 *
 *   workload NAME | --products NAME | --list
 *
 * Lines of JSON on standard output, requests on standard input: peer/README.md.                  */
#include "../host/threads.h"
#include "lab.h"
#include "products.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define WARM_UP_STEPS   5
#define WARM_UP_SECONDS 0.5

static const Workload *find(const char *name) {
  for (const Workload *w = workloads(); w; w = w->next)
    if (strcmp(w->name, name) == 0) return w;
  fprintf(stderr, "no workload %s; --list prints those there are\n", name);
  exit(1);
}

static void step(const Workload *w, Lab *lab) {
  if (w->run)
    w->run(lab);
  else
    lab_step(lab);
}

static double peak_memory(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / 1024;
}

/* Reads requests until there are no more: how often to do what is timed. */
static bool next_request(int *count) {
  char line[100];
  if (!fgets(line, sizeof line, stdin) || strcmp(line, "quit\n") == 0) return false;
  if (sscanf(line, "time %d", count) == 1 && *count > 0) return true;
  fprintf(stderr, "not a request: %s; it is `time N`, N > 0, or `quit`\n", line);
  exit(1);
}

static void serve_workload(const Workload *w) {
  Lab lab;
  int count;
  lab_open(&lab);
  w->make(&lab);
  double began = lab_now();
  for (int i = 0; i < WARM_UP_STEPS && (i == 0 || lab_now() - began < WARM_UP_SECONDS); i++)
    step(w, &lab);
  printf("{\"ready\": true}\n");
  fflush(stdout);
  while (next_request(&count)) {
    began = lab_now();
    for (int i = 0; i < count; i++) step(w, &lab);
    printf("{\"seconds\": %.9f, \"loss\": %.9g}\n", lab_now() - began, lab.loss);
    fflush(stdout);
  }
  lab_close(&lab);
  printf("{\"peak_memory_mb\": %.1f}\n", peak_memory());
}

static void serve_products(const Workload *w) {
  int count;
  products_time(w);
  printf("{\"ready\": true}\n");
  fflush(stdout);
  while (next_request(&count)) {
    double seconds = 0;
    for (int i = 0; i < count; i++) seconds += products_time(w);
    printf("{\"seconds\": %.9f}\n", seconds);
    fflush(stdout);
  }
  printf("{\"peak_memory_mb\": %.1f}\n", peak_memory());
}

int main(int argc, char **argv) {
  threads_settle(argv); /* as the program does */
  if (argc == 2 && strcmp(argv[1], "--list") == 0) {
    for (const Workload *w = workloads(); w; w = w->next) printf("%s\n", w->name);
    return 0;
  }
  if (argc == 2) {
    serve_workload(find(argv[1]));
  } else if (argc == 3 && strcmp(argv[1], "--products") == 0) {
    serve_products(find(argv[2]));
  } else {
    fprintf(stderr, "workload NAME | --products NAME | --list\n");
    return 1;
  }
  return 0;
}
