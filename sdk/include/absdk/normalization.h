/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation of activations and of weights. */
#ifndef ABSDK_NORMALIZATION_H
#define ABSDK_NORMALIZATION_H

#include "tensor.h"

AB_BEGIN_DECLS

AB_END_DECLS

#endif
