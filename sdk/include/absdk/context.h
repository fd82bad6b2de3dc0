/* SPDX-License-Identifier: Apache-2.0
 *
 * The context of one computation. It travels with its tensors; there is no global state, and two
 * contexts can work in two threads. A context is used by one thread at a time, except for
 * ab_error, which any thread may call.                                                          */
#ifndef ABSDK_CONTEXT_H
#define ABSDK_CONTEXT_H

#include "base.h"

AB_BEGIN_DECLS

/* ---- errors --------------------------------------------------------------------------------
 * Errors are sticky: the first one is kept, with the path of the component at work. An operation
 * that is given NULL returns NULL, so a forward pass is written without a single check; the host
 * asks once per step.                                                                           */
AB_EXPORT void ab_error(AbContext *ctx, AbCode code, const char *format, ...) AB_PRINTF(3, 4);
/* The same for a component: the message begins with its path and name. Any thread. */
AB_EXPORT void ab_fail(AbInstance *self, AbCode code, const char *format, ...) AB_PRINTF(3, 4);
AB_EXPORT bool ab_ok(const AbContext *ctx);

/* ---- memory --------------------------------------------------------------------------------
 * What an operation returns belongs to the innermost open scope and is released when that ends;
 * an author frees nothing. The host opens one scope per step. Inner scopes bound the memory of
 * long chains:
 *     AbScope s = ab_scope_begin(ctx);
 *     AbTensor *next = gibbs_step(v);
 *     ab_scope_end(ctx, s, &next, 1);    // all but `next`, which moves to the enclosing scope
 *     ab_drop(v);                        // not needed any more: goes now, not with its scope
 *     v = next;                                                                                 */
typedef int64_t AbScope;
AB_EXPORT AbScope ab_scope_begin(AbContext *ctx);
AB_EXPORT void ab_scope_end(AbContext *ctx, AbScope scope, AbTensor *const *keep, int32_t count);
/* Lets go of a tensor before its scope ends; what still refers to it (a recorded operation, a
 * batch) keeps it. Nothing happens to a tensor that the innermost scopes do not own: an argument, a
 * weight. */
AB_EXPORT void ab_drop(AbTensor *x);

/* ---- modes ---------------------------------------------------------------------------------- */

/* Whether the step at work is a training step (noise, dropout, batch statistics are then on). */
AB_EXPORT bool ab_training(const AbContext *ctx);
/* Turns recording for the backward pass on or off; returns the setting before. */
AB_EXPORT bool ab_set_recording(AbContext *ctx, bool on);
/* The type of real numbers in this run, AB_F32 or AB_F64. */
AB_EXPORT AbDtype ab_real_dtype(const AbContext *ctx);

AB_END_DECLS

#endif
