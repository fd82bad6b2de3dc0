/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two forms of a page implement. */
#ifndef HOST_REFERENCE_PAGE_INTERNAL_H
#define HOST_REFERENCE_PAGE_INTERNAL_H

#include "page.h"

typedef struct {
  void (*begin)(Page *self, const char *title, int section, const char *heading);
  void (*heading)(Page *self, int level, const char *text);
  void (*paragraph)(Page *self, const char *text);
  void (*item)(Page *self, const char *term, const char *note, const char *text);
  void (*indent)(Page *self, int by); /* 1 or -1 */
  void (*code)(Page *self, const char *text);
  void (*raw)(Page *self, const char *text);
} PageClass;

struct Page {
  const PageClass *class;
  PageForm form;
  GString *text;
  int depth;       /* of items */
  gboolean listed; /* the last block was an item */
};

extern const PageClass page_roff, page_markdown;

#endif
