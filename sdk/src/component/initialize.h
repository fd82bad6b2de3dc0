/* SPDX-License-Identifier: Apache-2.0
 *
 * The first numbers of a weight. */
#ifndef SDK_COMPONENT_INITIALIZE_H
#define SDK_COMPONENT_INITIALIZE_H

#include "../internal.h"

/* Fills w, dense, with numbers of the stream of its path. An error of `self` names it `name`. */
void ab_initialize(AbInstance *self, const char *name, AbTensor *w, const char *path, AbInit init);
/* q [rows, cols], row-major, with rows >= cols: normal numbers, made orthonormal columns in place.
 * work: rows + 3 cols numbers. */
void ab_orthonormalize(int64_t rows, int64_t cols, double *q, double *work);

#endif
