/* SPDX-License-Identifier: Apache-2.0
 *
 * What a host needs and a plugin does not: making contexts and instances, walking what they hold,
 * driving steps. Plugins do not include this header; it is outside the promise of a stable ABI.  */
#ifndef ABSDK_HOST_H
#define ABSDK_HOST_H

#include "absdk.h"

AB_BEGIN_DECLS

#define ABSDK_VERSION "0.1.0"
AB_EXPORT const char *ab_version(void);
AB_EXPORT const char *ab_fingerprint(void);

/* ---- contexts -------------------------------------------------------------------------------- */
/* `device` is "cpu" or "reference"; NULL if there is no such device or no memory. */
AB_EXPORT AbContext *ab_context_new(const char *device, AbDtype real, uint64_t seed);
AB_EXPORT void ab_context_free(AbContext *ctx);
AB_EXPORT const char *const *ab_device_names(void); /* NULL-terminated */
/* The first error: code, and message with the component's path; AB_OK and "" if there is none. */
AB_EXPORT AbCode ab_error_code(const AbContext *ctx);
AB_EXPORT const char *ab_error_message(const AbContext *ctx);
AB_EXPORT void ab_error_clear(AbContext *ctx);

typedef int32_t AbPurpose; /* which random stream is at work */
enum {
  AB_PURPOSE_INIT = 1,
  AB_PURPOSE_TRAIN = 2,
  AB_PURPOSE_EVALUATE = 3,
  AB_PURPOSE_DATA = 4,
  AB_PURPOSE_NOISE = 5,
};
/* Begins step `step` (of training, or batch of an evaluation) for a purpose: sets the mode
 * (training only for AB_PURPOSE_TRAIN and AB_PURPOSE_NOISE) and starts the random streams of that
 * step.    */
AB_EXPORT void ab_begin(AbContext *ctx, AbPurpose purpose, int64_t step);
/* Bytes of tensor memory taken from the system so far, and calls to the system's allocator. */
AB_EXPORT void ab_memory_use(const AbContext *ctx, int64_t *bytes, int64_t *allocations);
/* In a dry run weights and what is computed from them have shapes and no memory. A step (see
 * ab_step_run) then does all but the backward passes, and optimizers get shapes to work on.      */
AB_EXPORT void ab_dry_run(AbContext *ctx, bool on);
/* A tensor of the scope that has a shape and no memory: what a dry run is given. */
AB_EXPORT AbTensor *ab_dry_tensor(AbContext *ctx, AbDtype dtype, AbShape shape);
AB_EXPORT int32_t ab_threads(void); /* of the pool */

/* ---- looking on ------------------------------------------------------------------------------ */
/* An operation that has been computed. All of it is borrowed, for the time of the call. */
typedef struct {
  const char *name;      /* "linear"; of a custom operation its own */
  const char *component; /* path of the component at work, "model/encoder"; "" where none is */
  AbTensor *output;
  AbTensor *const *inputs; /* those that a gradient could go to */
  int32_t input_count;
  int64_t multiply_adds; /* of its products; only a dry run counts them, else 0 */
} AbOperation;
/* From now on calls `visit` for every operation that has a derivative, recorded or not, in the
 * order of computation; NULL: no longer.                                                        */
AB_EXPORT void ab_watch(AbContext *ctx, void (*visit)(void *data, const AbOperation *operation),
                        void *data);
/* A number of the piece of memory that x looks at, which its views share and no other tensor of the
 * context has had; a tensor without memory has one too.                                         */
AB_EXPORT uint64_t ab_tensor_memory(const AbTensor *x);

/* ---- instances ------------------------------------------------------------------------------- */
/* Zeroed but for its head. `file` is the shared object it came from. Children are wired and
 * parameters bound by the host, through the offsets of the tables. NULL if there is no memory.   */
AB_EXPORT AbInstance *ab_instance_new(AbContext *ctx, const AbComponent *component,
                                      const char *path, const char *file);
AB_EXPORT void ab_instance_free(AbInstance *self); /* not its children */

/* Weights and buffers of one instance, in the order in which they were made. */
typedef struct {
  const char *name; /* full: "model/encoder/W1" */
  const char *axes;
  AbTensor *tensor; /* borrowed */
  bool weight;      /* else a buffer */
  bool tied;        /* to another instance's weight: not saved again */
  bool frozen;      /* the optimizer leaves it alone */
} AbState;
AB_EXPORT int64_t ab_state_count(const AbInstance *self);
AB_EXPORT AbState ab_state(const AbInstance *self, int64_t index);
AB_EXPORT void ab_state_freeze(AbInstance *self, int64_t index);

/* ---- data ------------------------------------------------------------------------------------ */
AB_EXPORT void ab_data_close(AbData *self);

/* The store that ab_store_* of data.h speak to. `open` returns NULL and a message to be freed with
 * free(). All may be called from any thread.                                                    */
typedef struct {
  void *(*open)(const char *path, AbCode *code, char **message);
  void (*close)(void *file);
  int32_t (*info)(void *file, const char *dataset, AbShape *shape, AbDtype *dtype,
                  int64_t *chunk_rows, AbCode *code, char **message); /* 1, 0 absent, -1 error */
  bool (*read)(void *file, const char *dataset, AbDtype dtype, int64_t first, int64_t count,
               void *buffer, AbCode *code, char **message);
} AbStoreService;
AB_EXPORT void ab_set_store(AbContext *ctx, const AbStoreService *service);

/* ---- batches --------------------------------------------------------------------------------- */
/* The batch that ab_given looks into; NULL: none. Returns the one before. ab_step_run sets its own.
 */
AB_EXPORT const AbBatch *ab_set_batch(AbContext *ctx, const AbBatch *batch);

/* ---- wrappers of the kinds: set the component at work, check what comes back ----------------- */
/* Multiply-adds of the products for one sample through the role that it was built for; found by a
 * dry run.                                                                                      */
AB_EXPORT int64_t ab_model_multiply_adds(AbModel *model);
AB_EXPORT void ab_metric_check(AbMetric *metric, const AbSpec *output, const AbSpec *target);
/* Begins an evaluation of a model; NULL: of outputs from elsewhere. */
AB_EXPORT void ab_metric_begin(AbMetric *metric, AbModel *model);
AB_EXPORT void ab_metric_update(AbMetric *metric, AbTensor *output, AbTensor *target);
AB_EXPORT double ab_metric_value(AbMetric *metric);
AB_EXPORT bool ab_metric_higher_is_better(const AbMetric *metric);

/* ---- environments ---------------------------------------------------------------------------- */
/* The return of one episode in which every action is the one that `model` (of the role act) gives
 * the highest value. The state of the environment is afterwards what it was. */
AB_EXPORT double ab_environment_episode(AbEnvironment *self, AbModel *model);

/* ---- training -------------------------------------------------------------------------------- */
typedef struct {
  AbRole role;
  AbModel *model;
  AbLoss *loss;               /* NULL where the model has its own objective */
  AbEnvironment *environment; /* of a problem with the role act; else NULL */
  AbOptimizer *optimizer;
  AbController *controller;
  AbRegularizer *const *regularizers;
  int64_t regularizer_count;
  double clip_norm;  /* 0: no clipping */
  double clip_value; /* 0: no clipping */
} AbStepParts;
AB_EXPORT AbStep *ab_step_new(AbContext *ctx, const AbStepParts *parts);
AB_EXPORT void ab_step_free(AbStep *step);
/* Weights whose full name matches the pattern (* and ?) learn at `factor` times the rate. The first
 * match counts. To be called before ab_step_build.                                              */
AB_EXPORT void ab_step_rate(AbStep *step, const char *pattern, double factor);
/* After the model was built: groups, their memory, and whatever the controller builds. `members`
 * are all instances below the model, itself first.                                              */
AB_EXPORT void ab_step_build(AbStep *step);
/* One training step: the scalar that the controller reports; NULL after an error. */
AB_EXPORT AbTensor *ab_step_run(AbStep *step, const AbBatch *batch, const AbProgress *progress);
AB_EXPORT double ab_step_gradient_norm(const AbStep *step); /* of the last update */
/* Of the steps of a dry run so far: bytes that an update holds until its backward pass is done, the
 * most of any. These are the results of recorded operations, what their rules keep beside them, and
 * what the operations were given (the batch), without weights and buffers; each piece of memory
 * once. 0 where nothing is recorded (a rule of learning that is no gradient).                    */
AB_EXPORT int64_t ab_step_activations(const AbStep *step);
/* State of the optimizers, weight by weight, to be saved: "optimizer/first_moment/model/W1". Only
 * after the first update (that of a dry run gives shapes), or after ab_step_state_make, which makes
 * that of a checkpoint. */
AB_EXPORT int64_t ab_step_state_count(const AbStep *step);
AB_EXPORT AbState ab_step_state(const AbStep *step, int64_t index);
AB_EXPORT void ab_step_state_make(AbStep *step, const char *group, const char *name);
/* Updates done so far, by group: a part of the state. */
AB_EXPORT int64_t ab_step_group_count(const AbStep *step);
AB_EXPORT const char *ab_step_group_name(const AbStep *step, int64_t index);
AB_EXPORT int64_t ab_step_updates(const AbStep *step, int64_t index);
AB_EXPORT void ab_step_set_updates(AbStep *step, int64_t index, int64_t updates);
/* Named parts reported since the last call of ab_parts_clear, in order of first report. */
AB_EXPORT int64_t ab_part_count(const AbContext *ctx);
AB_EXPORT const char *ab_part_name(const AbContext *ctx, int64_t index); /* "loss/kl" */
AB_EXPORT double ab_part_value(const AbContext *ctx, int64_t index);
AB_EXPORT void ab_parts_clear(AbContext *ctx);

AB_END_DECLS

#endif
