/* SPDX-License-Identifier: Apache-2.0
 *
 * Results that are classes, by the names that the training data gave them: of classify the most
 * probable class of each sample, a line each; else the classes of a sample one after the other, as
 * characters are, with an empty line between samples. All of it is kept in memory.               */
#ifndef HOST_APPLY_TEXTS_H
#define HOST_APPLY_TEXTS_H

#include "../run/checkpoint.h"

typedef struct Texts Texts;

/* NULL and AB_CONFIG where the classes of a role's results have no names. */
Texts *texts_new(const Checkpoint *checkpoint, AbRole role, GError **error);
void texts_free(Texts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Texts, texts_free)

/* The results y [n, ...] of some samples. AB_CONFIG where they are no classes, AB_DATA where there
 * is no such class.                                                                              */
gboolean texts_add(Texts *self, AbTensor *y, GError **error);
const char *texts_string(const Texts *self);

#endif
