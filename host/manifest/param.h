/* SPDX-License-Identifier: Apache-2.0
 *
 * What a row of a table of parameters says, in words and as a node: for binding, for messages, for
 * `abhost inspect`.                                                                             */
#ifndef HOST_MANIFEST_PARAM_H
#define HOST_MANIFEST_PARAM_H

#include "node.h"
#include <absdk/host.h>

/* A flag of the host's own rows, beside AB_PARAM_REQUIRED: without the key the thing is off,
 * whatever the default of the row. */
#define PARAM_OFF (UINT32_C(1) << 31)

/* Rows lie `stride` bytes apart, which is more than a row where the plugin knows longer ones. */
const AbParam *param_row(const AbParam *params, guint stride, guint index);
const AbSlot *slot_row(const AbComponent *component, guint index);

/* Bytes of the field; 0 for a value that is no type. */
gsize param_field_size(AbParamType type);
const char *param_type_name(AbParamType type); /* "integer", "list of numbers"; NULL for no type */
gboolean param_is_list(AbParamType type);
gboolean param_is_whole(AbParamType type); /* an integer, or a list of integers */
gboolean param_is_real(AbParamType type);  /* likewise */

/* All of these are to be freed with g_free (node_free). */

/* The shortest text that is read as the same number, bit by bit: "0.1", "1e-05", ".inf". */
char *param_real(double value);
/* "1 to 1048576 units", "at least 0"; NULL where any value will do or the type has no range. */
char *param_range(const AbParam *row);
char *param_choices(const AbParam *row); /* "relu, tanh" */
/* "integer, default 64, 1 to 1048576 units" */
char *param_summary(const AbParam *row);
/* A text that is not to be taken for an absent one. */
Node *param_text(const char *text);
/* The default as a manifest would give it; NULL where it is "absent", or not to be parsed. Not for
 * required rows.                                                                                */
Node *param_default(const AbParam *row, const char *what, Diagnostics *diagnostics);

/* Whether a scalar says that there is nothing: empty, null or ~, without quotes. */
gboolean param_is_null(const Node *node);

#endif
