/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting the page together. Its own policy forbids it the network, and every script but those that
 * are built in: whatever a file of the folder says, it stays a text. */
#include "page.h"

#include "../files.h"
#include "assets.h"
#include <string.h>

static const Asset *find(const char *name) {
  for (unsigned i = 0; i < asset_count; i++)
    if (strcmp(assets[i].name, name) == 0) return &assets[i];
  g_assert_not_reached();
}

/* "'sha256-...'" of what stands between the tags of an element. */
static void put_hash(GString *out, const Asset *asset) {
  guint8 digest[32];
  gsize length = sizeof digest;
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  g_checksum_update(sum, asset->bytes, (gssize)asset->size);
  g_checksum_get_digest(sum, digest, &length);
  g_checksum_free(sum);
  g_autofree char *text = g_base64_encode(digest, length);
  g_string_append_printf(out, " 'sha256-%s'", text);
}

typedef struct {
  const char *title, *data;
} Page;

static void put_asset(GString *out, const Asset *asset) {
  g_string_append_len(out, (const char *)asset->bytes, (gssize)asset->size);
}

static void each(GString *out, const char *suffix, void (*put)(GString *out, const Asset *asset)) {
  for (unsigned i = 0; i < asset_count; i++)
    if (g_str_has_suffix(assets[i].name, suffix)) put(out, &assets[i]);
}

static void put_script(GString *out, const Asset *asset) {
  g_string_append(out, "<script>");
  put_asset(out, asset);
  g_string_append(out, "</script>\n");
}

static void put_style(GString *out, const Asset *asset) {
  g_string_append(out, "<style>");
  put_asset(out, asset);
  g_string_append(out, "</style>\n");
}

static void put_policy(GString *out, const Page *page) {
  (void)page;
  g_string_append(out, "default-src 'none'; img-src data:; script-src");
  each(out, ".js", put_hash);
  g_string_append(out, "; style-src");
  each(out, ".css", put_hash);
}

static void put_styles(GString *out, const Page *page) {
  (void)page;
  each(out, ".css", put_style);
}

static void put_scripts(GString *out, const Page *page) {
  (void)page;
  each(out, ".js", put_script);
}

static void put_licence(GString *out, const Page *page) {
  (void)page;
  put_asset(out, find("chart-licence.txt"));
}

static void put_title(GString *out, const Page *page) {
  g_autofree char *valid = g_utf8_make_valid(page->title, -1);
  g_autofree char *escaped = g_markup_escape_text(valid, -1);
  g_string_append(out, escaped);
}

static void put_data(GString *out, const Page *page) {
  g_string_append(out, page->data);
}

static const struct {
  const char *name; /* as page.html has it, in double braces */
  void (*put)(GString *out, const Page *page);
} places[] = {{"title", put_title},     {"policy", put_policy}, {"styles", put_styles},
              {"scripts", put_scripts}, {"data", put_data},     {"licence", put_licence}};

static void put_place(GString *out, const Page *page, const char *name, gsize length) {
  for (guint i = 0; i < G_N_ELEMENTS(places); i++)
    if (strlen(places[i].name) == length && strncmp(places[i].name, name, length) == 0)
      places[i].put(out, page);
}

/* page.html, with what belongs there in place of each {{name}}. */
static GString *fill(const Page *page) {
  const Asset *frame = find("page.html");
  GString *out = g_string_sized_new(1 << 20);
  g_autofree char *text = g_strndup((const char *)frame->bytes, frame->size);
  const char *at = text, *open, *close;
  while ((open = strstr(at, "{{")) && (close = strstr(open, "}}"))) {
    g_string_append_len(out, at, open - at);
    put_place(out, page, open + 2, (gsize)(close - open - 2));
    at = close + 2;
  }
  g_string_append(out, at);
  return out;
}

gboolean page_write(const char *path, const char *title, const char *data, GError **error) {
  Page page = {title, data};
  GString *text = fill(&page);
  gboolean done = files_write(path, text->str, (gssize)text->len, error);
  g_string_free(text, TRUE);
  return done;
}
