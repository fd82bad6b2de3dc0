/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution in one, two and three dimensions. */
#ifndef ABSDK_CONVOLUTION_H
#define ABSDK_CONVOLUTION_H

#include "tensor.h"

AB_BEGIN_DECLS

AB_END_DECLS

#endif
