/* SPDX-License-Identifier: Apache-2.0
 *
 * The components that are installed: where plugins are looked for, which files are refused and
 * why, what the others offer.
 *
 * Search order: the folders given (--plugin-path), ABHOST_PLUGIN_PATH (colon-separated),
 * $XDG_DATA_HOME/abhost/plugins, <program>/../lib/abhost/plugins. Never the current directory
 * unless it was given, never a folder that all may write to. The first file to offer a component
 * wins.                                                                                         */
#ifndef HOST_REGISTRY_H
#define HOST_REGISTRY_H

#include "../error.h"
#include <absdk/host.h>

typedef struct Registry Registry;

typedef struct {
  const AbComponent *component;
  const AbPlugin *plugin;
  const char *file; /* absolute path of the shared object */
} Entry;

typedef struct {
  const char *file;
  const char *reason;
} Refusal;

/* Scans all folders and loads what passes: an ELF shared object for this machine that needs
 * libabsdk and exports ab_plugin (read from the file before anything of it runs), then
 * dlopen(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE), then magic, ABI, fingerprint, tables.
 * A folder that was given and cannot be read is an error (AB_UNAVAILABLE).                       */
Registry *registry_new(const char *const *folders, GError **error);
void registry_free(Registry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Registry, registry_free)

/* All entries (const Entry *), sorted by kind, then name. Borrowed. */
const GPtrArray *registry_entries(const Registry *self);
/* Files that were refused (const Refusal *), sorted by file. Borrowed. */
const GPtrArray *registry_refusals(const Registry *self);
/* The folders that were searched, in order, as a NULL-terminated array. Borrowed. */
const char *const *registry_folders(const Registry *self);

/* NULL and AB_UNAVAILABLE if there is none: the message names the nearest name, else those that
 * are installed, and the refusal of a file of that name ("model-rbm.so", "rbm.so"), if there is
 * one. */
const Entry *registry_find(const Registry *self, AbKind kind, const char *name, GError **error);
/* The only component of `kind` that is the default for `role`; NULL without error if there is none,
 * with AB_CONFIG if there are several.                                                          */
const Entry *registry_default(const Registry *self, AbKind kind, AbRole role, GError **error);
/* SHA-256 of the shared object, hexadecimal; free with g_free. */
char *registry_hash(const Entry *entry, GError **error);

#endif
