/* SPDX-License-Identifier: Apache-2.0
 *
 * The figures of a run: when they are made, and what becomes of those that fail. */
#include "figures-internal.h"

#include <math.h>
#include <string.h>

static const struct {
  const char *name;
  gboolean (*write)(Figures *self, StoreWriter *writer, GError **error);
} all[] = {
    {"curves", figure_curves},     {"reconstruction", figure_reconstruction},
    {"samples", figure_samples},   {"latent", figure_latent},
    {"boundary", figure_boundary}, {"confusion", figure_confusion},
    {"roc", figure_roc},           {"weights", figure_weights},
    {"returns", figure_returns},
};

/* ---- life ------------------------------------------------------------------------------------ */

/* x as the data declares it, before the transforms. */
static void init_space(Figures *self) {
  const AbData *data = self->assembly->data;
  self->space.rank = -1;
  for (int32_t i = 0; data && i < ab_data_field_count(data); i++) {
    AbField field = ab_data_field_at(data, i);
    if (strcmp(field.name, "x") == 0)
      space_init(&self->space, &field.spec, feed_spec(self->assembly->feed, "x"));
  }
}

Figures *figures_new(Assembly *assembly, const char *folder) {
  Figures *self = g_new0(Figures, 1);
  self->assembly = assembly;
  self->folder = g_strdup(folder);
  self->samples = g_build_filename(folder, "samples", NULL);
  self->epoch = -1;
  self->noted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  self->notes = g_ptr_array_new();
  init_space(self);
  return self;
}

void figures_free(Figures *self) {
  if (!self) return;
  shown_clear(&self->shown);
  g_ptr_array_unref(self->notes);
  g_hash_table_unref(self->noted);
  g_free(self->preset);
  g_free(self->samples);
  g_free(self->folder);
  g_free(self);
}

AbSplit figures_split(const Figures *self) {
  const Feed *feed = self->assembly->feed;
  if (self->space.rank < 0) return -1;
  return feed_samples(feed, AB_TEST) > 0         ? AB_TEST
         : feed_samples(feed, AB_VALIDATION) > 0 ? AB_VALIDATION
                                                 : -1;
}

gboolean figures_can(const Figures *self, AbRole role) {
  return figures_split(self) >= 0 && assembly_roles(self->assembly) & AB_ROLE_BIT(role);
}

/* ---- what is left out ------------------------------------------------------------------------ */

void figures_note(Figures *self, const char *figure, GError *cause) {
  g_autofree char *note = g_strdup_printf("the figure %s is left out: %s", figure, cause->message);
  if (!g_hash_table_contains(self->noted, note)) {
    g_ptr_array_add(self->notes, note);
    g_hash_table_add(self->noted, g_steal_pointer(&note));
  }
  g_error_free(cause);
  ab_error_clear(self->assembly->ctx);
}

char *figures_notes(Figures *self) {
  if (self->notes->len == 0) return NULL;
  g_ptr_array_add(self->notes, NULL);
  char *text = g_strjoinv("\n", (char **)self->notes->pdata);
  g_ptr_array_set_size(self->notes, 0);
  return text;
}

/* ---- while it trains ------------------------------------------------------------------------- */

static gboolean take(Figures *self, gint64 epoch, gboolean wanted, GError **error) {
  GError *cause = NULL;
  gboolean again = self->epoch == epoch && self->shown.count > 0;
  if (!assembly_check(self->assembly, error)) return FALSE;
  if (self->epoch < 0) samples_forget(self, epoch);
  self->epoch = epoch;
  shown_clear(&self->shown);
  if (!wanted || again || self->space.rank + 2 > AB_MAX_RANK) return TRUE;
  gboolean made = shown_make(self, &self->shown, &cause);
  ab_parts_clear(self->assembly->ctx); /* those of the next step begin anew */
  if (!made) figures_note(self, "samples", cause);
  return !made || self->shown.count == 0 || samples_keep(self, epoch, error);
}

gboolean figures_epoch(Figures *self, gint64 epoch, GError **error) {
  gboolean power = (epoch & (epoch - 1)) == 0; /* or 0 */
  return take(self, epoch, power || epoch == self->assembly->settings->general.epochs, error);
}

gboolean figures_last(Figures *self, gint64 epoch, GError **error) {
  return take(self, epoch, TRUE, error);
}

gboolean figures_images(const Figures *self, Images *images) {
  const Space *space = &self->space;
  gint64 numbers = self->shown.count * space->count;
  if (self->shown.count == 0 || !space->image) return FALSE;
  float *pixels = g_try_malloc_n((gsize)numbers, sizeof *pixels);
  if (!pixels) return FALSE;
  Extent extent = extent_of(space, extent_add(EXTENT_NOTHING, self->shown.output, numbers));
  for (gint64 i = 0; i < numbers; i++)
    pixels[i] = (float)(((double)self->shown.output[i] - extent.low) / (extent.high - extent.low));
  *images = (Images){.count = self->shown.count,
                     .height = space->shape[0],
                     .width = space->shape[1],
                     .channels = space_channels(space),
                     .pixels = pixels};
  return TRUE;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* FALSE, with the error, where it is one that ends more than a figure. */
static gboolean write_one(Figures *self, guint index, StoreWriter *writer, GError **error) {
  AbContext *ctx = self->assembly->ctx;
  GError *cause = NULL;
  AbScope scope = ab_scope_begin(ctx);
  gboolean done = all[index].write(self, writer, &cause);
  ab_scope_end(ctx, scope, NULL, 0);
  ab_parts_clear(ctx);
  if (done) return TRUE;
  if (cause->code == AB_STOPPED) {
    g_propagate_error(error, cause);
    return FALSE;
  }
  figures_note(self, all[index].name, cause);
  return TRUE;
}

static void write_root(Figures *self, StoreWriter *writer) {
  const Assembly *assembly = self->assembly;
  const char *problem = ab_role_name(assembly->role), *model = assembly->model->component->name;
  g_autofree char *title = g_strdup_printf("%s by %s", problem, model);
  nexus_group(writer, "/", "NXroot", NULL, "entry");
  store_write_attr_int(writer, "/", "format", 1);
  store_write_attr_text(writer, "/", "program", "abhost " ABSDK_VERSION);
  nexus_group(writer, "/entry", "NXentry", title, self->preset);
  store_write_attr_text(writer, "/entry", "problem", problem);
  store_write_attr_text(writer, "/entry", "model", model);
}

gboolean figures_write(Figures *self, GError **error) {
  g_autofree char *path = g_build_filename(self->folder, "results.h5", NULL);
  if (!assembly_check(self->assembly, error)) return FALSE;
  StoreWriter *writer = store_create(path, error);
  if (!writer) return FALSE;
  g_clear_pointer(&self->preset, g_free);
  for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
    if (write_one(self, i, writer, error)) continue;
    store_abandon(writer);
    return FALSE;
  }
  write_root(self, writer);
  return store_commit(writer, error);
}
