/* SPDX-License-Identifier: Apache-2.0
 *
 * Completion: which word of a command's line it is. What it may be is in complete-values.c. */
#include "complete-internal.h"

#include "../commands/common.h"
#include <string.h>

/* ---- results --------------------------------------------------------------------------------- */

void request_offer(Request *self, const char *text) {
  g_autofree char *word = g_strconcat(self->prefix, text, NULL);
  if (!g_str_has_prefix(word, self->current)) return;
  for (guint i = 0; i < self->result->words->len; i++)
    if (strcmp(self->result->words->pdata[i], word) == 0) return;
  g_ptr_array_add(self->result->words, g_steal_pointer(&word));
}

static int compare(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void completion_clear(Completion *self) {
  g_ptr_array_unref(self->words);
}

char *completion_text(const Completion *self) {
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < self->words->len; i++)
    g_string_append_printf(text, "%s\n", (const char *)self->words->pdata[i]);
  if (self->files) g_string_append(text, ":files\n");
  if (self->folders) g_string_append(text, ":folders\n");
  return g_string_free(text, FALSE);
}

/* ---- the line so far ------------------------------------------------------------------------- */

static gboolean takes_value(const GOptionEntry *option) {
  return option->arg != G_OPTION_ARG_NONE && option->arg != G_OPTION_ARG_CALLBACK;
}

/* The option that a word is, NULL if it is none: "--set", "--set=...", "-o". */
static const GOptionEntry *option_of(const GOptionEntry *options, const char *word) {
  if (*word != '-' || !word[1]) return NULL;
  gboolean is_long = word[1] == '-';
  gsize length = strcspn(word + 2, "=");
  for (; options->long_name; options++) {
    gboolean same =
        strlen(options->long_name) == length && strncmp(options->long_name, word + 2, length) == 0;
    if (is_long ? same : options->short_name == word[1] && !word[2]) return options;
  }
  return NULL;
}

/* Reads the words before the last one: arguments, the values that others depend on, and the option
 * that waits for its value, which is returned. */
static const GOptionEntry *read_line(Request *self, const GOptionEntry *options) {
  const GOptionEntry *waiting = NULL;
  for (guint i = 1; i + 1 < self->count; i++) {
    const char *word = self->words[i], *equals = strchr(word, '=');
    const GOptionEntry *option = self->plain || waiting ? NULL : option_of(options, word);
    if (waiting) {
      request_note(self, waiting->long_name, word);
      waiting = NULL;
    } else if (!self->plain && strcmp(word, "--") == 0) {
      self->plain = TRUE;
    } else if (option && takes_value(option)) {
      if (word[1] == '-' && equals)
        request_note(self, option->long_name, equals + 1);
      else
        waiting = option;
    } else if (!option && (*word != '-' || self->plain)) {
      g_ptr_array_add(self->arguments, (gpointer)word);
    }
  }
  return waiting;
}

/* ---- what the last word is ------------------------------------------------------------------- */

static void offer_options(Request *self, const GOptionEntry *options) {
  for (; options->long_name; options++) {
    if (!*options->long_name || options->flags & G_OPTION_FLAG_HIDDEN) continue;
    g_autofree char *word = g_strdup_printf("--%s", options->long_name);
    request_offer(self, word);
  }
}

static void offer_value(Request *self, const GOptionEntry *option) {
  gboolean file =
      option->arg == G_OPTION_ARG_FILENAME || option->arg == G_OPTION_ARG_FILENAME_ARRAY;
  gboolean candidate = g_str_has_prefix(option->long_name, "candidate");
  const char *what = candidate ? "CANDIDATE" : option->arg_description;
  request_values(self, what ? what : "", file);
}

/* The help shows arguments as "MANIFEST", "[KIND]", "A B", "RUN...": the one at an index, the last
 * one for all that follow. */
static char *argument_name(const char *shown, guint index) {
  g_auto(GStrv) names = g_strsplit(shown ? shown : "", " ", -1);
  guint count = g_strv_length(names);
  if (count == 0) return g_strdup("");
  GString *name = g_string_new(names[MIN(index, count - 1)]);
  g_string_replace(name, "[", "", 0);
  g_string_replace(name, "]", "", 0);
  g_string_replace(name, "...", "", 0);
  return g_string_free(name, FALSE);
}

static void offer_argument(Request *self, const CommandLine *line) {
  if (self->arguments->len >= line->max_count) return;
  g_autofree char *name = argument_name(line->arguments, self->arguments->len);
  request_values(self, name, TRUE);
}

static void complete_line(const CommandLine *line, const GOptionEntry *options, gpointer data) {
  Request *self = data;
  const GOptionEntry *waiting = read_line(self, options);
  const char *equals = strchr(self->current, '=');
  const GOptionEntry *here = self->plain ? NULL : option_of(options, self->current);
  if (waiting) {
    offer_value(self, waiting);
  } else if (here && equals && self->current[1] == '-') {
    g_free(self->prefix);
    self->prefix = g_strndup(self->current, (gsize)(equals + 1 - self->current));
    if (takes_value(here)) offer_value(self, here);
  } else if (*self->current == '-' && !self->plain) {
    offer_options(self, options);
  } else {
    offer_argument(self, line);
  }
}

static void complete_command(Request *self) {
  for (guint i = 0; command_table[i]; i++) request_offer(self, command_table[i]->name);
  if (*self->current != '-') return;
  request_offer(self, "--help");
  request_offer(self, "--version");
}

Completion complete_words(char *const *words, guint count) {
  Completion result = {.words = g_ptr_array_new_with_free_func(g_free)};
  Request self = {.words = words,
                  .count = count,
                  .current = words[count - 1],
                  .prefix = g_strdup(""),
                  .arguments = g_ptr_array_new(),
                  .folders = g_ptr_array_new(),
                  .result = &result};
  const Command *command = NULL;
  for (guint i = 0; count > 1 && command_table[i]; i++)
    if (strcmp(command_table[i]->name, words[0]) == 0) command = command_table[i];
  if (command)
    command_visit(command, complete_line, &self);
  else if (count == 1)
    complete_command(&self);
  g_ptr_array_sort(result.words, compare);
  g_ptr_array_unref(self.arguments);
  g_ptr_array_unref(self.folders);
  g_free(self.prefix);
  return result;
}
