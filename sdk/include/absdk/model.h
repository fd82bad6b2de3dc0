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
   * decoder, not both).                                                                         */
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

/* The roles of a component, given and derived, as a mask of AB_ROLE_BIT. */
AB_EXPORT uint32_t ab_component_roles(const AbComponent *component);

/* A field of the batch: "x" (with noise in training), "y", "target" (what the role's output is
 * compared with), and whatever else the data offers. A missing field is an error that lists those
 * that are there. Borrowed.                                                                     */
AB_EXPORT AbTensor *ab_batch_get(const AbBatch *batch, const char *name);
AB_EXPORT bool ab_batch_has(const AbBatch *batch, const char *name);
AB_EXPORT int64_t ab_batch_count(const AbBatch *batch); /* samples */

AB_END_DECLS

#endif
