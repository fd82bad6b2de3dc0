/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a plugin's descriptor, and all that it points to, is what the headers promise. Done once,
 * before any function of the plugin is called; nothing else in the host checks it again.
 *
 * All return NULL where nothing is wrong, else what is, to be freed with g_free.                 */
#ifndef HOST_CHECK_H
#define HOST_CHECK_H

#include <absdk/host.h>
#include <glib.h>

enum {
  CHECK_INSTANCE_BYTES = 1024 * 1024, /* of an instance or record at most */
  CHECK_COUNT = 1024,                 /* components of a plugin, rows of a table at most */
  CHECK_RECORD_LEVELS = 4,            /* of records within records at most */
};

/* `size` is what the ELF symbol table says of the descriptor. */
char *check_plugin(const AbPlugin *plugin, guint64 size);

/* Rows of parameters; `reserved` keys (NULL-terminated) are taken. Fields must lie within
 * first..size of the struct. `what` ("model rbm") is for messages.                              */
typedef struct {
  const AbParam *params;
  guint count, stride;
  guint64 first, size;
} CheckTable;
char *check_params(const CheckTable *table, guint level, const char *what);
char *check_slots(const AbComponent *component);
char *check_vtable(const AbComponent *component);

/* A UTF-8 text, which may be empty. */
gboolean check_text(const char *text);

#endif
