/* SPDX-License-Identifier: Apache-2.0
 *
 * The components of a run, as resolved.yaml wires them. */
#ifndef HOST_REPORT_WIRING_H
#define HOST_REPORT_WIRING_H

#include "../manifest/node.h"
#include "embed.h"

/* RUN/resolved.yaml, or NULL where it is not there or damaged, which is noted (char *). */
Node *wiring_read(const char *folder, GPtrArray *notes);
/* The text of a key at the top of it; NULL if there is none. Borrowed. */
const char *wiring_setting(const Node *resolved, const char *key);
/* The name of the component under a key at the top of it, or NULL. Borrowed. */
const char *wiring_component(const Node *resolved, const char *key);

/* {"settings":[["seed","7"],...],"components":[C,...]} with
 * C = {"slot":"model","path":"model","plugin":"mlp","kind":"model","parameters":[["units","[64]"]],
 *      "components":[C,...]}, and "id" and "version" of its plugin where the checkpoint knows. */
void wiring_write(const Node *resolved, const char *folder, const char *key, GString *out,
                  GPtrArray *notes);

#endif
