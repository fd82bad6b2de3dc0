/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers over whole sequences. */
#ifndef ABSDK_RECURRENT_H
#define ABSDK_RECURRENT_H

#include "tensor.h"

AB_BEGIN_DECLS

AB_END_DECLS

#endif
