/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling, un-pooling and up-sampling. */
#ifndef ABSDK_POOLING_H
#define ABSDK_POOLING_H

#include "tensor.h"

AB_BEGIN_DECLS

AB_END_DECLS

#endif
