/* SPDX-License-Identifier: Apache-2.0
 *
 * Models. A model is built once for a role, and then offers every role whose function it has, and
 * those that follow: reconstruct from encode and decode, score (mean squared error of a sample)
 * from reconstruct.
 *
 * A model's objective is one scalar to be minimised; without one of its own it is
 * loss(role(x), target), where the target of reconstruct is the clean x, else y.                */
#ifndef ABSDK_MODEL_H
#define ABSDK_MODEL_H

#include "autograd.h"
#include "component.h"
#include "ops.h"
#include "random.h"

AB_BEGIN_DECLS

/* What a model is asked to be. `out.rank` is -1 where the model decides (the width of a code). */
typedef struct {
  AbRole role;
  int32_t reserved;
  AbSpec in;  /* one sample of what the role takes */
  AbSpec out; /* one sample of what it must give; for classify: shape [classes] */
} AbSignature;

enum {
  /* A model that is built for one of its roles and cannot combine them (an MLP is an encoder or a
   * decoder, not both). It is called in that role, and in encode for the features that it has
   * learned in it.                                                                              */
  AB_ONE_ROLE = 1,
};

typedef struct {
  uint32_t struct_size;
  uint32_t flags;
  /* Makes weights and builds children (ab_build). Called once. */
  void (*build)(AbModel *self, const AbSignature *wanted);
  /* Roles, all optional; at least one. x [n, ...] as `build` was told. */
  AbTensor *(*reconstruct)(AbModel *self, AbTensor *x);
  AbTensor *(*encode)(AbModel *self, AbTensor *x);
  AbTensor *(*decode)(AbModel *self, AbTensor *code);
  AbTensor *(*generate)(AbModel *self, int64_t count);
  AbTensor *(*classify)(AbModel *self, AbTensor *x);
  AbTensor *(*predict)(AbModel *self, AbTensor *x);
  AbTensor *(*score)(AbModel *self, AbTensor *x);
  AbTensor *(*act)(AbModel *self, AbTensor *observation);
  AbTensor *(*cluster)(AbModel *self, AbTensor *x);
  /* Optional: a learning objective of its own. Pure in weights, buffers, batch, mode and random
   * numbers. Buffers may be assigned.                                                           */
  AbTensor *(*objective)(AbModel *self, const AbBatch *batch);
  /* Optional: for a rule of learning that is no gradient (Hebb, Oja, Sanger), instead of an
   * objective. Gives each weight what an optimizer is to subtract, by ab_give_gradient, and returns
   * the scalar that is reported. Nothing is recorded.                                           */
  AbTensor *(*learn)(AbModel *self, const AbBatch *batch);
  /* Optional, of a model whose score is a free energy F: an estimate of log Z, Z = sum exp(-F),
   * over `chains` chains of `steps` temperatures; a scalar.                                     */
  AbTensor *(*log_partition)(AbModel *self, int64_t chains, int64_t steps);
  /* The roles (AB_ROLE_BIT) of a problem for which `objective` or `learn` is how it learns; for the
   * others it is loss(role(x), target). 0: all.                                                 */
  uint32_t objective_for;
  uint32_t reserved;
} AbModelVtable;

/* Builds a child for a role. Returns what it gives (found by a dry run over shapes); rank -1 after
 * an error. An output that is not the one asked for is an error that names both.                */
AB_EXPORT AbSpec ab_build(AbModel *model, const AbSignature *wanted);
AB_EXPORT AbSignature ab_signature(AbRole role, const AbSpec *in, const AbSpec *out /* or NULL */);

/* Calls a role of a built model, given or derived. */
AB_EXPORT AbTensor *ab_call(AbModel *model, AbRole role, AbTensor *x);
AB_EXPORT AbTensor *ab_encode(AbModel *model, AbTensor *x);
AB_EXPORT AbTensor *ab_decode(AbModel *model, AbTensor *code);
AB_EXPORT AbTensor *ab_reconstruct(AbModel *model, AbTensor *x);
AB_EXPORT AbTensor *ab_generate(AbModel *model, int64_t count); /* -> x [count, ...] */

/* To be called from `build`: the range of what a role gives, where it is not that of all numbers
 * and nobody asked for a range. It tells the next model of a stack what it is given (a code of
 * sigmoids).                                                                                    */
AB_EXPORT void ab_output_range(AbModel *self, AbRole role, AbRange range);
/* One sample of what a role of a built model gives for one sample of what it was built for; found
 * by a dry run. rank -1 after an error.                                                         */
AB_EXPORT AbSpec ab_output(AbModel *model, AbRole role);

/* What `learn` wants to be subtracted from a weight of its own, of the weight's shape. What is
 * given twice adds. */
AB_EXPORT void ab_give_gradient(AbTensor *weight, AbTensor *gradient);
/* log Z of a model that estimates it; an error for others. */
AB_EXPORT AbTensor *ab_log_partition(AbModel *model, int64_t chains, int64_t steps);

/* What a built model was built for, with the output that it gives. */
AB_EXPORT AbSignature ab_model_signature(const AbModel *model);
/* Whether it learns by an objective or a rule of its own, and needs no loss, for a problem with
 * that role. */
AB_EXPORT bool ab_model_has_objective(const AbModel *model, AbRole role);
/* The roles of a component, given and derived, as a mask of AB_ROLE_BIT. */
AB_EXPORT uint32_t ab_component_roles(const AbComponent *component);

/* A field of the batch: "x" (with noise in training), "y", "target" (what the role's output is
 * compared with), and whatever else the data offers. A missing field is an error that lists those
 * that are there. Borrowed.                                                                     */
AB_EXPORT AbTensor *ab_batch_get(const AbBatch *batch, const char *name);
AB_EXPORT bool ab_batch_has(const AbBatch *batch, const char *name);
AB_EXPORT int64_t ab_batch_count(const AbBatch *batch); /* samples */
/* What comes with the x that a role is called with, in the batch at hand: lengths of sequences
 * ("length"), a condition. AB_NONE where the data has no such field, or as many samples as are
 * asked for are not there (a role may be called without a batch, or with a part of one). Borrowed.
 */
AB_EXPORT AbTensor *ab_given(const AbModel *self, const char *field, int64_t samples);

/* A batch of one's own, for a controller that shows a model something else than the data; to be
 * freed. `put` takes a reference; a field that is there is replaced.                             */
AB_EXPORT AbBatch *ab_batch_new(AbContext *ctx, int64_t count);
AB_EXPORT void ab_batch_free(AbBatch *batch);
AB_EXPORT void ab_batch_put(AbBatch *batch, const char *name, AbTensor *value);

AB_END_DECLS

#endif
