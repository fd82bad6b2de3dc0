/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the registry only. */
#ifndef HOST_REGISTRY_INTERNAL_H
#define HOST_REGISTRY_INTERNAL_H

#include "registry.h"

struct Registry {
  GPtrArray *entries;    /* Entry *, owned */
  GPtrArray *refusals;   /* Refusal *, owned */
  GPtrArray *folders;    /* char *, owned; NULL-terminated */
  GHashTable *by_name;   /* "model/rbm" -> Entry *; keys owned */
  GStringChunk *strings; /* texts of entries and refusals */
};

/* Takes down that a file (or folder) is not used. `reason` is put on one line. */
void registry_refuse(Registry *self, const char *file, const char *reason);
/* Borrowed; NULL if there is none. */
const Entry *registry_lookup(const Registry *self, AbKind kind, const char *name);
/* Loads one file, or refuses it. */
void registry_load(Registry *self, const char *file);

/* Where to look. */
typedef enum {
  FOLDER_GIVEN,  /* by --plugin-path: must be there        */
  FOLDER_NAMED,  /* by ABHOST_PLUGIN_PATH: should be there */
  FOLDER_DEFAULT /* need not be there                      */
} FolderOrigin;
typedef struct {
  char *path; /* absolute */
  FolderOrigin origin;
} Folder;
/* In the order of search, each once; of Folder *; free with g_ptr_array_unref. */
GPtrArray *registry_search_path(const char *const *given);

#endif
