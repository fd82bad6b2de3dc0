/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of stacked models: layers in the slot `layers` of a model, and what trains it. */
#ifndef STACK_TEST_H
#define STACK_TEST_H

#include "net-test.h"

#define STACK_LAYERS 4

typedef struct {
  AbContext *ctx;
  AbModel *model;
  AbModel *layers[STACK_LAYERS];
  gint64 count;
  GPtrArray *parts; /* all other instances; freed by stack_end */
  AbController *controller;
  AbStep *step;
  gint64 steps; /* done */
} Stack;

void stack_begin(Stack *stack, AbContext *ctx, const char *model);
/* A component that is freed with the stack. */
AbInstance *stack_part(Stack *stack, AbKind kind, const char *name, const char *path);
/* The next layer: any model; a restricted Boltzmann machine; an auto-encoder of one layer each way,
 * x -> f(x W1 + b1) -> W1, b1 and the sigmoid where x is from 0 to 1.                           */
AbModel *stack_add(Stack *stack, const char *name);
AbModel *stack_add_rbm(Stack *stack, gint64 hidden);
AbModel *stack_add_auto_encoder(Stack *stack, gint64 units, const char *activation);
/* The two nets of an auto-encoder that was added. */
AbModel *stack_encoder(Stack *stack, gint64 layer);
AbModel *stack_decoder(Stack *stack, gint64 layer);

/* Builds the model for a role; `out` may be NULL. An error stays in the context. */
AbSpec stack_make(Stack *stack, AbRole role, AbSpec in, const AbSpec *out);
/* A controller with an optimizer sgd of this rate, and a loss (NULL: none). */
void stack_train(Stack *stack, AbRole role, AbController *controller, AbLoss *loss, double rate);
/* A step of epoch `epoch` of `epochs`; the loss, NAN after an error. */
double stack_step(Stack *stack, AbTensor *x, AbTensor *target, gint64 epoch, gint64 epochs);
/* Frees all, also the context, which must have no error. */
void stack_end(Stack *stack);

/* All weights and buffers of an instance as one list; free with g_free. */
double *stack_numbers(AbInstance *self, gint64 *count);
/* Every weight and buffer gets numbers in [-1, 1). */
void stack_shake(AbInstance *self, guint64 seed);

#endif
