/* SPDX-License-Identifier: Apache-2.0
 *
 * What is different between two runs, or checkpoints of runs: manifest, how far they came, metrics,
 * weights, plugins. No plugin is loaded.                                                         */
#ifndef HOST_RUNS_DIFF_H
#define HOST_RUNS_DIFF_H

#include "../run/checkpoint.h"
#include "info.h"

/* One of the two. */
typedef struct {
  const char *path;       /* as it was given */
  RunInfo *info;          /* NULL for a checkpoint */
  char *file;             /* of the checkpoint; NULL if the run has none */
  Checkpoint *checkpoint; /* NULL as above */
  GPtrArray *manifest;    /* FlatValue * */
} DiffSide;

/* A text that is not the same, or that one does not have (NULL). */
typedef struct {
  char *key, *a, *b;
} DiffText;

typedef struct {
  char *key; /* "test/mse" */
  gboolean in_a, in_b;
  double a, b;
} DiffMetric;

typedef enum {
  TENSOR_SAME,    /* type, shape and every bit */
  TENSOR_CHANGED, /* of one shape */
  TENSOR_SHAPE,
  TENSOR_ONLY_A,
  TENSOR_ONLY_B,
} TensorCase;

typedef struct {
  char *name; /* "model/W1" */
  TensorCase how;
  char *type_a, *type_b;    /* "f32 [64, 32]"; NULL where there is none */
  double largest, relative; /* of b - a: absolute value; norm over that of a */
} DiffTensor;

typedef struct {
  char *id, *version, *hash; /* NULL where not known */
} DiffPlugin;

/* A component that another plugin, or another build of it, gave. */
typedef struct {
  char *path; /* "model/encoder" */
  gboolean in_a, in_b;
  DiffPlugin a, b;
} DiffComponent;

typedef struct {
  DiffSide a, b;
  GPtrArray *manifest, *progress; /* DiffText *: those that differ */
  GPtrArray *metrics;             /* DiffMetric *: all */
  GPtrArray *weights, *states;    /* DiffTensor *: all; states of optimizers and transforms */
  GPtrArray *components;          /* DiffComponent *: those that differ */
  char *no_metrics, *no_weights;  /* why these were not compared, or NULL */
  GError *damage;                 /* that kept weights and plugins from being compared, or NULL */
} RunDiff;

/* NULL and AB_NO_INPUT, AB_DATA, AB_IO if one of the two is no run and no checkpoint. The paths
 * must outlive it. A run folder stands for the checkpoint that it is tested with.                */
RunDiff *run_diff_new(const char *a, const char *b, GError **error);
void run_diff_free(RunDiff *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunDiff, run_diff_free)

gboolean run_diff_metric_same(const DiffMetric *metric); /* NaN is NaN */
guint run_diff_metrics(const RunDiff *self);             /* that differ */
guint run_diff_tensors(const GPtrArray *tensors);        /* that differ */
/* Nothing that was compared differs. */
gboolean run_diff_same(const RunDiff *self);

/* diff-tensors.c: compares all tensors of two checkpoints, into weights and states. */
gboolean run_diff_compare_tensors(StoreFile *a, StoreFile *b, GPtrArray *weights, GPtrArray *states,
                                  GError **error);

#endif
