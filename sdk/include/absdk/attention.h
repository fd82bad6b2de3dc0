/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention, embeddings and positions. */
#ifndef ABSDK_ATTENTION_H
#define ABSDK_ATTENTION_H

#include "tensor.h"

AB_BEGIN_DECLS

AB_END_DECLS

#endif
