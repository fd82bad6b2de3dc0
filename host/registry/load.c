/* SPDX-License-Identifier: Apache-2.0
 *
 * From a file to entries, or to a refusal.                                                      */
#include "check.h"
#include "elf.h"
#include "registry-internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define DESCRIPTOR "ab_plugin"

static gboolean needs_sdk(const ElfSummary *summary) {
  for (guint i = 0; i < summary->needed->len; i++)
    if (g_str_has_prefix(summary->needed->pdata[i], "libabsdk.so")) return TRUE;
  return FALSE;
}

/* NULL, or why the file cannot be a plugin; before anything of it runs. */
static char *check_file(const char *file, guint64 *size) {
  struct stat status;
  if (stat(file, &status) != 0) return g_strdup_printf("cannot be read: %s", g_strerror(errno));
  if (!S_ISREG(status.st_mode)) return g_strdup("is no regular file");
  if (status.st_mode & S_IWOTH) return g_strdup("all may write to it; chmod o-w it");
  ElfSummary summary;
  char *why = NULL;
  if (!elf_read(file, DESCRIPTOR, &summary, &why)) return why;
  if (!summary.found)
    why = g_strdup("exports no " DESCRIPTOR "; a plugin has one AB_PLUGIN(...)");
  else if (!summary.data)
    why = g_strdup("its " DESCRIPTOR " is no datum; make it with AB_PLUGIN(...)");
  else if (!needs_sdk(&summary))
    why = g_strdup("does not need libabsdk; link it with -Wl,--no-as-needed "
                   "$(pkg-config --libs absdk)");
  *size = summary.size;
  elf_clear(&summary);
  return why;
}

/* The dynamic linker's message begins with the file, which the refusal names anyway. */
static char *linker_message(const char *file) {
  const char *message = dlerror();
  if (!message) message = "unknown error";
  gsize length = strlen(file);
  if (strncmp(message, file, length) == 0 && g_str_has_prefix(message + length, ": "))
    message += length + 2;
  return g_strdup_printf("cannot be loaded: %s", message);
}

/* Never closed: unloading deadlocks with the threads of BLAS, and entries point into it. */
static const AbPlugin *open_plugin(const char *file, guint64 size, char **why) {
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  const AbPlugin *plugin = library ? dlsym(library, DESCRIPTOR) : NULL;
  *why = plugin ? check_plugin(plugin, size) : linker_message(file);
  return *why ? NULL : plugin;
}

static gboolean same_folder(const char *a, const char *b) {
  const char *end_a = strrchr(a, '/'), *end_b = strrchr(b, '/');
  return end_a - a == end_b - b && strncmp(a, b, (gsize)(end_a - a)) == 0;
}

/* NULL, or which component another file of the same folder has: neither is meant to win. */
static char *check_rivals(const Registry *self, const AbPlugin *plugin, const char *file) {
  for (guint i = 0; i < plugin->component_count; i++) {
    const AbComponent *component = plugin->components[i];
    const Entry *other = registry_lookup(self, component->kind, component->name);
    if (!other || !same_folder(other->file, file)) continue;
    char *rival = g_path_get_basename(other->file), *name = g_path_get_basename(file);
    char *why = g_strdup_printf("%s and %s both offer %s %s; remove one of them", rival, name,
                                ab_kind_name(component->kind), component->name);
    g_free(rival);
    g_free(name);
    return why;
  }
  return NULL;
}

static void add_entries(Registry *self, const AbPlugin *plugin, const char *file) {
  const char *kept = g_string_chunk_insert_const(self->strings, file);
  for (guint i = 0; i < plugin->component_count; i++) {
    const AbComponent *component = plugin->components[i];
    if (registry_lookup(self, component->kind, component->name)) continue; /* an earlier folder */
    Entry *entry = g_new(Entry, 1);
    *entry = (Entry){component, plugin, kept};
    g_ptr_array_add(self->entries, entry);
    char *key = g_strdup_printf("%s/%s", ab_kind_name(component->kind), component->name);
    g_hash_table_insert(self->by_name, key, entry);
  }
}

void registry_load(Registry *self, const char *file) {
  guint64 size = 0;
  char *why = check_file(file, &size);
  const AbPlugin *plugin = why ? NULL : open_plugin(file, size, &why);
  if (plugin) why = check_rivals(self, plugin, file);
  if (why)
    registry_refuse(self, file, why);
  else
    add_entries(self, plugin, file);
  g_free(why);
}
