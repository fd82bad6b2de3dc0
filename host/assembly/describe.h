/* SPDX-License-Identifier: Apache-2.0
 *
 * What an assembly holds, in numbers and words. */
#ifndef HOST_ASSEMBLY_DESCRIBE_H
#define HOST_ASSEMBLY_DESCRIBE_H

#include "assembly.h"

/* Calls `visit` for every weight and buffer that is not tied to another. */
void describe_states(const Assembly *assembly, void (*visit)(const AbState *state, void *data),
                     void *data);
gint64 describe_parameters(const Assembly *assembly); /* numbers that are learned or frozen */
/* "x [8, 8] unit", "y class of 10"; free with g_free */
char *describe_field(const AbField *field);

#endif
