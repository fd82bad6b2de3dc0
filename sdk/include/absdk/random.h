/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011), counter-based. The key is a
 * hash of the seed, the path of the component at work and the purpose (init, train, evaluate, data,
 * noise); the counter is (step, call within the step, element). So the numbers are the same on any
 * number of threads and after a resume, and evaluation never advances a training stream.         */
#ifndef ABSDK_RANDOM_H
#define ABSDK_RANDOM_H

#include "tensor.h"

AB_BEGIN_DECLS

/* ---- tensors; not recorded ------------------------------------------------------------------ */
/* From low to below high, in the context's real type; low alone where they are equal. An error
 * where the bounds are not in order, or not finite. */
AB_EXPORT AbTensor *ab_uniform(AbContext *ctx, AbShape shape, double low, double high);
AB_EXPORT AbTensor *ab_normal(AbContext *ctx, AbShape shape, double mean, double std);
AB_EXPORT AbTensor *ab_exponential(AbContext *ctx, AbShape shape, double rate); /* mean 1 / rate */
/* -log(-log(u)): the largest of many, and what is added to logits so that their argmax is a draw
 * from softmax(logits). (Gumbel 1954.)                                                           */
AB_EXPORT AbTensor *ab_gumbel(AbContext *ctx, AbShape shape);
/* 1 with probability p, else 0; element-wise, in the type of p. No gradient. */
AB_EXPORT AbTensor *ab_bernoulli(AbTensor *p);
/* The numbers of ab_bernoulli(ab_sigmoid(x)) in one pass. If `mean` is not NULL it gets sigmoid(x).
 * Neither has a gradient.                                                                        */
AB_EXPORT AbTensor *ab_sample_sigmoid(AbTensor *x, AbTensor **mean);
/* One class for each row of p [n, classes]: i64 [n]. The probabilities need not sum to 1; one that
 * is 0, negative or NaN is never drawn, and a row of such gives class 0. There must be a class.  */
AB_EXPORT AbTensor *ab_categorical(AbTensor *p);
/* The same for p = softmax(logits). */
AB_EXPORT AbTensor *ab_categorical_logits(AbTensor *logits);
/* 0, ..., n - 1 in any order: i64 [n] (Fisher-Yates). */
AB_EXPORT AbTensor *ab_permutation(AbContext *ctx, int64_t n);

/* ---- plain streams, for data components and tools: any thread, no context -------------------- */
typedef struct {
  uint64_t key;
  uint64_t position; /* numbers drawn so far */
} AbStream;

/* The stream named `name` of a seed. */
AB_EXPORT AbStream ab_stream(uint64_t seed, const char *name);
AB_EXPORT double ab_stream_uniform(AbStream *stream); /* [0, 1), 53 bits */
AB_EXPORT double ab_stream_normal(AbStream *stream);  /* standard normal */
/* Uniform in 0..bound-1, without bias; `bound` at least 1. */
AB_EXPORT int64_t ab_stream_below(AbStream *stream, int64_t bound);
/* A permutation of 0..count-1 (Fisher-Yates). */
AB_EXPORT void ab_stream_permutation(AbStream *stream, int64_t *items, int64_t count);

AB_END_DECLS

#endif
