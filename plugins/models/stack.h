/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers on top of each other, for models that are a stack: each is a model of its own, built to
 * reconstruct the code of the one below, so that it can be learned by itself (controller greedy).
 *
 *   h_0 = x,   h_l = encode_l(h_{l-1})                     up
 *   h_{l-1} = decode_l(h_l)                                down
 *   y = h_L W1 + b1                                        a head, where classes or numbers are
 *                                                          asked for; sigmoid(y) if from 0 to 1 */
#ifndef STACK_H
#define STACK_H

#include <absdk/absdk.h>

/* What x is: a stack that decodes or generates gives it, else it is given it. */
static inline const AbSpec *stack_data(AbModel *self, const AbSignature *wanted) {
  bool gives = wanted->role == AB_ROLE_DECODE || wanted->role == AB_ROLE_GENERATE;
  const AbSpec *x = gives ? &wanted->out : &wanted->in;
  if (x->rank >= 0) return x;
  ab_fail(self, AB_CONFIG, "for the role %s it must be told what x is", ab_role_name(wanted->role));
  return NULL;
}

/* Builds the layers; returns what the code on top is, rank -1 after an error. */
static inline AbSpec stack_build(AbModel *self, AbChildren layers, const AbSignature *wanted) {
  AbSpec nothing = {.rank = -1};
  const AbSpec *x = stack_data(self, wanted);
  if (x && layers.count == 0) ab_fail(self, AB_CONFIG, "layers: it needs at least one");
  if (!x || layers.count == 0) return nothing;
  AbSpec code = *x;
  for (int64_t l = 0; l < layers.count; l++) {
    AbSignature layer = ab_signature(AB_ROLE_RECONSTRUCT, &code, &code);
    if (ab_build(layers.items[l], &layer).rank < 0) return nothing;
    code = ab_output(layers.items[l], AB_ROLE_ENCODE);
    if (code.rank < 0) return nothing;
  }
  if (wanted->role == AB_ROLE_DECODE && ab_spec_count(&wanted->in) != ab_spec_count(&code)) {
    ab_fail(self, AB_CONFIG,
            "as a decoder it takes the code of its last layer, %lld numbers, and is to be given "
            "%lld",
            (long long)ab_spec_count(&code), (long long)ab_spec_count(&wanted->in));
    return nothing;
  }
  ab_output_range(self, AB_ROLE_ENCODE, code.range);
  return code;
}

/* Through all layers; of what each gives, in training, the part `dropout` is left out. */
static inline AbTensor *stack_encode(AbChildren layers, double dropout, AbTensor *x) {
  for (int64_t l = 0; l < layers.count; l++) x = ab_dropout(ab_encode(layers.items[l], x), dropout);
  return x;
}

static inline AbTensor *stack_decode(AbChildren layers, AbTensor *code) {
  for (int64_t l = layers.count; l > 0; l--) code = ab_decode(layers.items[l - 1], code);
  return code;
}

/* ---- the head -------------------------------------------------------------------------------- */

typedef struct {
  AbLinear linear; /* W is NULL where nothing but x and codes is asked for */
  AbShape sample;  /* of one output */
} StackHead;

static inline StackHead stack_head_make(AbModel *self, const AbSpec *code,
                                        const AbSignature *wanted) {
  StackHead head = {0};
  if (wanted->role != AB_ROLE_CLASSIFY && wanted->role != AB_ROLE_PREDICT) return head;
  const AbSpec *out = &wanted->out;
  if (out->rank < 0) {
    ab_fail(self, AB_CONFIG, "for the role %s it must be told what to give",
            ab_role_name(wanted->role));
    return head;
  }
  head.sample = ab_spec_shape(out);
  head.linear = ab_linear_make(self, 1, ab_spec_count(code), ab_spec_count(out),
                               ab_output_activation(0, out));
  return head;
}

static inline AbTensor *stack_head_apply(AbModel *self, const StackHead *head, AbTensor *code) {
  if (!head->linear.W) {
    ab_fail(self, AB_CONFIG, "it was not built to classify or predict and has no output layer");
    return NULL;
  }
  return ab_reshape_samples(ab_linear_apply(&head->linear, ab_flatten(code)), head->sample);
}

#endif
