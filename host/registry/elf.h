/* SPDX-License-Identifier: Apache-2.0
 *
 * What an ELF file says about itself, read without running any of it: the constructors of a shared
 * object run as soon as it is opened with dlopen.                                               */
#ifndef HOST_ELF_H
#define HOST_ELF_H

#include <glib.h>

typedef struct {
  GPtrArray *needed; /* char *: the libraries that it needs, in their order */
  gboolean found;    /* it defines the symbol that was asked for, and others can see it */
  gboolean data;     /* the symbol is a datum, not a function */
  guint64 size;      /* of the symbol, in bytes */
} ElfSummary;

/* Reads a file that must be a shared object for this machine. FALSE, and what is wrong with it
 * ("is no ELF file") in *why, to be freed. Damaged and hostile files are all right: every offset,
 * count and length is checked against the file, and no more than some kilobytes of it are read.  */
gboolean elf_read(const char *path, const char *symbol, ElfSummary *summary, char **why);
void elf_clear(ElfSummary *self);

#endif
