/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to host/figures. */
#ifndef HOST_FIGURES_INTERNAL_H
#define HOST_FIGURES_INTERNAL_H

#include "../store/nexus.h"
#include "figures.h"

#define FIGURES_SHOWN   16        /* samples that are shown one by one */
#define FIGURES_POINTS  1000      /* samples of a cloud, at most */
#define FIGURES_NUMBERS (1 << 20) /* of samples that are shown, at one time */

/* ---- space.c: what a sample of x is to the eye ----------------------------------------------- */

typedef struct {
  gint rank; /* of one sample as it is stored; -1: there is no x (an environment) */
  gint64 shape[AB_MAX_RANK];
  gint64 count;   /* numbers of a sample */
  gboolean image; /* stored as [height, width] or [height, width, 3] */
  gboolean unit;  /* its numbers are from 0 to 1 */
} Space;

/* x as the data declares it, and as batches have it. */
void space_init(Space *self, const AbSpec *declared, const AbSpec *x);
gint64 space_channels(const Space *self); /* of an image: 1 or 3 */
/* One sample, in the order that models know it in, to the order of storage. */
void space_put(const Space *self, const float *sample, float *to);

/* ---- shown.c: some samples, one by one ------------------------------------------------------- */

/* `count` samples as they are stored, the same at any time; 0: the figure does not apply. */
typedef struct {
  gint64 count;
  float *input;  /* what the model was given; NULL for what it generates */
  float *clean;  /* where the input has noise, the same without; else NULL */
  float *output; /* what it reconstructed, or generated */
} Shown;

gboolean shown_make(Figures *self, Shown *shown, GError **error);
void shown_clear(Shown *shown);

/* ---- figures.c ------------------------------------------------------------------------------- */

struct Figures {
  Assembly *assembly;
  char *folder, *samples; /* of the run; folder/samples */
  Space space;
  gint64 epoch; /* that figures_epoch was last told of; -1: none yet */
  Shown shown;  /* of that epoch */
  GHashTable *noted;
  GPtrArray *notes; /* borrowed from noted */
  char *preset;     /* the first group of the file at work */
};

/* Takes `cause`, which keeps the figure from being made, and clears the error of the context. */
void figures_note(Figures *self, const char *figure, GError *cause);
/* The split that is looked at: test, else validation; -1 if there is neither. */
AbSplit figures_split(const Figures *self);
/* Whether the model can be called in a role, on data. */
gboolean figures_can(const Figures *self, AbRole role);

/* ---- group.c: writing --------------------------------------------------------------------------
 */

void group_put(StoreWriter *writer, const char *group, const char *name, AbDtype dtype, int rank,
               const gint64 *shape, const void *data);
/* 0, 1, 2, ... as i64: what numbers the samples of a group. */
void group_numbers(StoreWriter *writer, const char *group, const char *name, gint64 count);
/* nexus_data; the first of a file is what it shows first. */
void group_data(Figures *self, StoreWriter *writer, const NexusData *data);
/* `samples` of x, f32, with what their numbers mean to the eye (@low, @high, @interpretation).
 * `lead` axes come before those of a sample. */
typedef struct {
  double low, high;
} Extent;
#define EXTENT_NOTHING ((Extent){INFINITY, -INFINITY})
Extent extent_add(Extent self, const float *values, gint64 count);
/* 0 to 1 where x has such numbers, else what `found` has seen. */
Extent extent_of(const Space *space, Extent found);
void group_samples(const Space *space, StoreWriter *writer, const char *group, const char *name,
                   int lead, const gint64 *leading, const float *values, Extent extent);
/* {first, second, ".row", ".column"}: the names of the axes of samples, `second` may be NULL. Free
 * with g_strfreev.                                                                               */
char **group_axes(const Space *space, const char *first, const char *second);

/* ---- rows.c: what a role gives, over a split ------------------------------------------------- */

typedef struct {
  gint64 count, width;
  double *values; /* [count, width] */
  gint64 *labels; /* [count]: the class of each sample; NULL where the data has none */
} Rows;

/* Runs `role` over the split (AB_ROLE_NONE: x itself), through `reduce`, if it is given, and keeps
 * at most `limit` samples, taken from the whole length of the split batch by batch. AB_STOPPED
 * after SIGINT or SIGTERM.                                                                       */
gboolean rows_collect(Figures *self, AbRole role, AbTensor *(*reduce)(AbTensor *y), gint64 limit,
                      Rows *rows, GError **error);
void rows_clear(Rows *rows);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rows, rows_clear)

/* ---- roc.c: the curve, for its test ---------------------------------------------------------- */

typedef struct {
  gint64 anomalies, normals; /* with a score of at least the threshold */
  double threshold;
} RocPoint;

/* From (0, 0) to all, one point for each score that occurs; `normal` says it of each class. Free
 * with g_array_unref.                                                                            */
GArray *roc_points(const Rows *rows, const gboolean *normal);
/* Those that a drawing needs: no points in the middle of a line, and of the corners, where there
 * are very many, one in every few.                                                               */
GArray *roc_thinned(const GArray *points);
double roc_area(const GArray *points);

/* ---- the figures: each writes its group, or nothing where it does not apply -------------------
 * FALSE and an error where it should apply and failed; then, too, nothing was written.           */

gboolean figure_curves(Figures *self, StoreWriter *writer, GError **error);
gboolean figure_reconstruction(Figures *self, StoreWriter *writer, GError **error);
gboolean figure_samples(Figures *self, StoreWriter *writer, GError **error);
gboolean figure_latent(Figures *self, StoreWriter *writer, GError **error);
gboolean figure_boundary(Figures *self, StoreWriter *writer, GError **error);
gboolean figure_confusion(Figures *self, StoreWriter *writer, GError **error);
gboolean figure_roc(Figures *self, StoreWriter *writer, GError **error);
gboolean figure_weights(Figures *self, StoreWriter *writer, GError **error);
gboolean figure_returns(Figures *self, StoreWriter *writer, GError **error);

/* curves.c: the number of the last epoch in metrics.jsonl; 0 if there is none. */
gint64 figure_last_epoch(const Figures *self);

/* samples.c: keeps self->shown as that of an epoch. */
gboolean samples_keep(const Figures *self, gint64 epoch, GError **error);
/* Removes those of `epoch` and later, and what an interrupted save may have left. */
void samples_forget(const Figures *self, gint64 epoch);

#endif
