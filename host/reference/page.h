/* SPDX-License-Identifier: Apache-2.0
 *
 * A page of the manual in one of two forms: roff, for man, and Markdown, for docs/. Texts are
 * plain; `words` between backticks are code. What a form would take for its own signs is escaped.
 */
#ifndef HOST_REFERENCE_PAGE_H
#define HOST_REFERENCE_PAGE_H

#include <glib.h>

typedef enum { PAGE_ROFF, PAGE_MARKDOWN } PageForm;
typedef struct Page Page;

/* `title` is "abhost-run", of section 1, for man; `heading` is what Markdown has at its top. */
Page *page_new(PageForm form, const char *title, int section, const char *heading);
/* The text; frees the page. Free with g_free. */
char *page_finish(Page *self);

PageForm page_form(const Page *self);

/* Levels: 1 a section, 2 and 3 within. The headings of manual pages are upper case at level 1. */
void page_heading(Page *self, int level, const char *text);
void page_paragraph(Page *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A term and what it is; `note` stands beside the term, or is NULL. */
void page_item(Page *self, const char *term, const char *note, const char *text);
/* Items from here on belong to the last one, until page_outdent. */
void page_indent(Page *self);
void page_outdent(Page *self);
/* As it stands; lines end in line breaks. */
void page_code(Page *self, const char *text);
/* Text in the page's own form, on lines of its own. */
void page_raw(Page *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Text as in the descriptions of commands: paragraphs, and lines that are indented as code. */
void page_prose(Page *self, const char *text);

#endif
