/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Schema (draft-07) of the manifests that the installed components allow: for editors, which
 * complete and check by it. It says what assembly_new says as far as a schema can; abhost itself
 * does not use it.
 *
 * An editor sees values where abhost sees text, by the rules of YAML 1.2. So a number may also be a
 * text that abhost reads as that number (1_000, and 1e-4 to readers of YAML 1.1 such as PyYAML),
 * whose range is then not checked; and 5.0 passes for an integer. */
#ifndef HOST_REFERENCE_SCHEMA_H
#define HOST_REFERENCE_SCHEMA_H

#include "../registry/registry.h"

/* The same text for the same components, without paths of the machine; free with g_free. */
char *schema_json(const Registry *registry);

#endif
