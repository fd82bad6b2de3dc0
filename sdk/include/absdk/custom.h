/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations of a plugin, and pieces of the graph that are computed twice to save memory. */
#ifndef ABSDK_CUSTOM_H
#define ABSDK_CUSTOM_H

#include "tensor.h"

AB_BEGIN_DECLS

AB_END_DECLS

#endif
