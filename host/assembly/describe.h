/* SPDX-License-Identifier: Apache-2.0
 *
 * An assembly in words: data, model with its weights, parameters, multiply-adds, memory. */
#ifndef HOST_ASSEMBLY_DESCRIBE_H
#define HOST_ASSEMBLY_DESCRIBE_H

#include "assembly.h"

char *describe_text(Assembly *assembly); /* free with g_free */
char *describe_json(Assembly *assembly);
gint64 describe_parameters(const Assembly *assembly); /* numbers that are learned or frozen */

#endif
