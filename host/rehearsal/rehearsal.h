/* SPDX-License-Identifier: Apache-2.0
 *
 * A rehearsal: the model's role and the steps of training with shapes instead of numbers. It tells
 * what a run would compute and hold, and finds the mistakes that a run would find in its first
 * step. No data is read, no weight is made.                                                      */
#ifndef HOST_REHEARSAL_H
#define HOST_REHEARSAL_H

#include "../assembly/assembly.h"

/* An operation of the model that reads weights, or multiplies matrices. What is done again with the
 * same weights and shapes (the steps of a loop) is counted, and is no further layer.             */
typedef struct {
  char *component;      /* path of the component at work: "model/encoder" */
  char *operation;      /* "linear" */
  char **weights;       /* that it reads, in its order: "W1", "model/encoder/W1" of another */
  AbShape output;       /* for a batch */
  gint64 parameters;    /* of those weights that no layer before reads */
  gint64 multiply_adds; /* of its products, for a batch, all times together */
  gint64 times;
} Layer;

/* State that an optimizer keeps of the weights of a group. */
typedef struct {
  char *group, *name; /* "optimizer", "first_moment" */
  gint64 bytes;
} OptimizerState;

typedef struct {
  gint64 batch;      /* samples of a training batch: what the shapes are of */
  GPtrArray *layers; /* Layer *, in the order of computation; of the role, in evaluation */
  char *no_layers;   /* why they cannot be known: their graph depends on numbers; NULL: they are */

  gint64 parameters, frozen, unread; /* numbers; unread: of weights that no layer reads */
  gint64 multiply_adds;              /* of the role, for one sample */
  gint64 step_multiply_adds;         /* of a training step, without its backward passes */
  char *no_step; /* why a step cannot be rehearsed; NULL: it was. Then what follows of it is 0 */

  gint64 weights, buffers, gradients; /* bytes */
  gint64 optimizer;                   /* bytes of all states */
  GPtrArray *states;                  /* OptimizerState * */
  gint64 activations;                 /* bytes: see ab_step_activations */
  gint64 data;                        /* bytes: all samples, as declared, of data that is not read
                                         batch by batch */
} Rehearsal;

/* `assembly` is dry and built. Rehearses the first step of up to `phases` epochs, spread over the
 * run, and its last step: a controller may do other things later. NULL after a mistake that a run
 * would end with.                                                                               */
Rehearsal *rehearsal_new(Assembly *assembly, gint64 phases, GError **error);
void rehearsal_free(Rehearsal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rehearsal, rehearsal_free)

/* Bytes of all that is known. */
gint64 rehearsal_memory(const Rehearsal *self);

#endif
