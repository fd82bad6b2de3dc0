/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of the installed components fit a place: for messages and for `abhost inspect`.          */
#ifndef HOST_FIT_H
#define HOST_FIT_H

#include "registry.h"

/* Whether a component is of the kind and, if it is a model, offers the role (AB_ROLE_NONE: any). */
gboolean fit_component(const AbComponent *component, AbKind kind, AbRole role);
/* Entries that fit (const Entry *, borrowed), by name; free with g_ptr_array_unref. */
GPtrArray *fit_entries(const Registry *registry, AbKind kind, AbRole role);
/* Their names, "cnn, mlp", or "none"; free with g_free. */
char *fit_names(const Registry *registry, AbKind kind, AbRole role);
/* The roles that a component offers, "encode, decode", or ""; free with g_free. */
char *fit_roles(const AbComponent *component);
/* "model that offers encode", "optimizer"; free with g_free. */
char *fit_wanted(AbKind kind, AbRole role);

/* Every kind's name and every role's, NULL-terminated; free the array alone (g_free). */
const char **fit_kind_names(void);
const char **fit_role_names(void);
AbKind fit_kind(const char *name); /* 0 if there is none */
AbRole fit_role(const char *name); /* AB_ROLE_NONE if there is none */

#endif
