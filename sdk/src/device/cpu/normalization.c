/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation of f32 by channels, in two passes over memory each way.
 *
 * An image is looked at as rows of `width` numbers: the channels, several times over where they are
 * few, so that loops along a row are long. Blocks of 64 rows are summed in f32, blocks in f64, in
 * their order. Deviations are taken from the first row of a block: the distance of one of m numbers
 * from their mean is at most sqrt(m) deviations, so nothing is lost to a mean that is far from 0.
 * For the same reason x - mean is computed as (x - M) - (mean - M) with M the mean rounded to f32.
 *
 * One image is cut into PARTS pieces, several images into as many chunks; the cuts depend on shapes
 * alone. */
#include "normalization.h"
#include "channel-loops.h"
#include <math.h>
#include <string.h>

#define PARTS 16
#define BLOCK 64    /* rows summed in f32 */
#define GRAIN 32768 /* numbers from which a second thread pays */

typedef struct {
  int64_t width; /* of a row */
  int64_t rows, tail;
} Shape;

static Shape shape_of(const AbChannelNorm *norm) {
  int64_t c = norm->channels, width = c;
  if (c < 48) {
    while (width % 8) width += c;
    if (width < 48) width *= (63 + width) / width;
  }
  return (Shape){width, norm->rows * c / width, norm->rows * c % width};
}

/* Of a piece: sums in f64 and f32, in two kinds, [width] each; M, A, C and P, Q, R of an image;
 * sums of gradients by channel. */
typedef struct {
  double *first, *second; /* means and squared deviations, or the two sums of the backward pass */
  float *block[2];
  float *coefficient[6];
  double *dgain, *dbias;
} Piece;

#define PIECE_DOUBLES 8 /* of `width` */

static Piece piece_of(const Shape *s, double *work, int64_t number) {
  int64_t w = s->width;
  double *at = work + number * PIECE_DOUBLES * w;
  Piece p = {.first = at, .second = at + w, .dgain = at + 6 * w, .dbias = at + 7 * w};
  float *small = (float *)(at + 2 * w);
  for (int i = 0; i < 2; i++) p.block[i] = small + i * w;
  for (int i = 0; i < 6; i++) p.coefficient[i] = small + (2 + i) * w;
  return p;
}

static int64_t channels_work(const AbChannelNorm *norm) {
  return PARTS * PIECE_DOUBLES * shape_of(norm).width;
}

typedef struct {
  const AbChannelNorm *norm;
  Shape s;
  float *y; /* or dx */
  double *mean, *variance, *work;
  const float *x, *g, *gain, *bias;
} Job;

/* ---- moments --------------------------------------------------------------------------------- */

/* Rows of an image; the last range has what is left after the last whole row too. */
typedef struct {
  int64_t from, to;
  bool last;
} Range;

static Range range_of(const Shape *s, int64_t number, int64_t count) {
  return (Range){s->rows * number / count, s->rows * (number + 1) / count, number + 1 == count};
}

static void part_moments(const Shape *s, const Piece *p, const float *x, Range r) {
  memset(p->first, 0, (size_t)s->width * 2 * sizeof *p->first); /* first and second */
  for (int64_t row = r.from; row < r.to; row += BLOCK) {
    int64_t rows = r.to - row < BLOCK ? r.to - row : BLOCK;
    const float *block = x + row * s->width;
    channel_moments(s->width, s->width, rows, block, p->block[0], p->block[1]);
    channel_join(s->width, (double)(row - r.from), (double)rows, p->first, p->second, block,
                 p->block[0], p->block[1]);
  }
  if (!r.last || s->tail == 0) return;
  const float *tail = x + s->rows * s->width;
  channel_moments(s->tail, s->width, 1, tail, p->block[0], p->block[1]);
  channel_join(s->tail, (double)(r.to - r.from), 1, p->first, p->second, tail, p->block[0],
               p->block[1]);
}

/* The moments of a group: those of its columns, in all pieces, joined in their order. */
static void group_moments(const Job *job, const Piece *pieces, int64_t count, int64_t group,
                          double *mean, double *variance) {
  const Shape *s = &job->s;
  int64_t c = job->norm->channels, each = c / job->norm->groups;
  double n = 0, middle = 0, squares = 0;
  for (int64_t k = 0; k < count; k++) {
    Range r = range_of(s, k, count);
    for (int64_t first = group * each; first < s->width; first += c)
      for (int64_t j = first; j < first + each; j++) {
        double m = (double)(r.to - r.from + (r.last && j < s->tail));
        if (m == 0) continue;
        double distance = pieces[k].first[j] - middle, share = m / (n + m);
        squares += pieces[k].second[j] + distance * distance * n * share;
        middle += distance * share;
        n += m;
      }
  }
  *mean = middle;
  *variance = squares > 0 || squares != squares ? squares / n : 0;
}

/* ---- y = activation(A (x - M) + C) ---------------------------------------------------------- */

static double inverse_of(const Job *job, double variance) {
  return 1 / sqrt(variance + job->norm->epsilon);
}

static void forward_coefficients(const Job *job, float *const *coefficient, const double *mean,
                                 const double *variance) {
  int64_t c = job->norm->channels, each = c / job->norm->groups;
  for (int64_t j = 0; j < c; j++) {
    double middle = mean[j / each], scale = inverse_of(job, variance[j / each]);
    if (job->gain) scale *= (double)job->gain[j];
    float near = (float)middle;
    coefficient[M][j] = near;
    coefficient[A][j] = (float)scale;
    coefficient[C][j] =
        (float)((job->bias ? (double)job->bias[j] : 0) - (middle - (double)near) * scale);
  }
  for (int64_t j = c; j < job->s.width; j++)
    for (int i = M; i <= C; i++) coefficient[i][j] = coefficient[i][j - c];
}

static void forward_part(const Job *job, float *const *coefficient, float *y, const float *x,
                         Range r) {
  const Shape *s = &job->s;
  int64_t first = r.from * s->width, end = s->rows * s->width;
  channel_forward(job->norm->activation, s->width, r.to - r.from, y + first, x + first,
                  coefficient);
  if (r.last && s->tail)
    channel_forward(job->norm->activation, s->tail, 1, y + end, x + end, coefficient);
}

/* ---- sums of the backward pass: h = g where it passes, h (x - M) ---------------------------- */

static void part_sums(const Job *job, const Piece *p, float *const *coefficient, const float *g,
                      const float *x, Range r) {
  const Shape *s = &job->s;
  memset(p->first, 0, (size_t)s->width * 2 * sizeof *p->first);
  int64_t end = r.last && s->tail ? r.to + 1 : r.to;
  for (int64_t row = r.from; row < end;) {
    bool tail = row == s->rows;
    int64_t width = tail ? s->tail : s->width, at = row * s->width;
    int64_t rows = tail ? 1 : r.to - row < BLOCK ? r.to - row : BLOCK;
    channel_sums_of(job->norm->activation, width, s->width, rows, g + at, x + at, coefficient,
                    p->block[0], p->block[1]);
    channel_widen(width, p->first, p->block[0]);
    channel_widen(width, p->second, p->block[1]);
    row += rows;
  }
}

/* Sums over an image by channel, into the first piece's; (x - M) becomes x^. */
static void channel_sums(const Job *job, const Piece *pieces, int64_t count, const double *mean,
                         const double *variance) {
  int64_t c = job->norm->channels, each = c / job->norm->groups;
  for (int64_t j = 0; j < c; j++) {
    double sum = 0, product = 0, middle = mean[j / each];
    for (int64_t k = 0; k < count; k++)
      for (int64_t i = j; i < job->s.width; i += c) {
        sum += pieces[k].first[i];
        product += pieces[k].second[i];
      }
    product -= (middle - (double)(float)middle) * sum;
    pieces[0].first[j] = sum;
    pieces[0].second[j] = product * inverse_of(job, variance[j / each]);
  }
}

/* ---- dx = P h + Q (x - M) + R --------------------------------------------------------------- */

static void backward_coefficients(const Job *job, const Piece *p, float *const *coefficient,
                                  const double *mean, const double *variance) {
  int64_t c = job->norm->channels, each = c / job->norm->groups;
  double count = (double)(job->norm->rows * each);
  for (int64_t group = 0; group < job->norm->groups; group++) {
    double sum = 0, product = 0, inverse = inverse_of(job, variance[group]);
    double low = mean[group] - (double)(float)mean[group];
    for (int64_t j = group * each; j < (group + 1) * each && !job->norm->given; j++) {
      double gain = job->gain ? (double)job->gain[j] : 1;
      sum += gain * p->first[j];
      product += gain * p->second[j];
    }
    double slope = -inverse * inverse * product / count, shift = -inverse * sum / count;
    for (int64_t j = group * each; j < (group + 1) * each; j++) {
      coefficient[P][j] = (float)((job->gain ? (double)job->gain[j] : 1) * inverse);
      coefficient[Q][j] = (float)slope;
      coefficient[R][j] = (float)(shift - slope * low);
    }
  }
  for (int64_t j = c; j < job->s.width; j++)
    for (int i = P; i <= R; i++) coefficient[i][j] = coefficient[i][j - c];
}

static void backward_part(const Job *job, float *const *coefficient, float *dx, const float *g,
                          const float *x, Range r) {
  const Shape *s = &job->s;
  int64_t first = r.from * s->width, end = s->rows * s->width;
  AbNormActivation f = job->norm->activation;
  channel_backward(f, s->width, r.to - r.from, dx + first, g + first, x + first, coefficient);
  if (r.last && s->tail) channel_backward(f, s->tail, 1, dx + end, g + end, x + end, coefficient);
}

/* ---- one image in pieces, or images in chunks ----------------------------------------------- */

typedef enum { MOMENTS, FORWARD, SUMS, BACKWARD } Phase;

static void part(const Job *job, const Piece *piece, float *const *coefficient, int64_t image,
                 Phase phase, Range r) {
  int64_t at = image * job->norm->rows * job->norm->channels;
  const float *x = job->x + at, *g = job->g ? job->g + at : NULL;
  float *y = job->y ? job->y + at : NULL;
  switch (phase) {
  case MOMENTS: part_moments(&job->s, piece, x, r); break;
  case FORWARD: forward_part(job, coefficient, y, x, r); break;
  case SUMS: part_sums(job, piece, coefficient, g, x, r); break;
  case BACKWARD: backward_part(job, coefficient, y, g, x, r); break;
  }
}

/* A phase for an image in `count` pieces. */
static void phase_of(const Job *job, const Piece *pieces, int64_t count, int64_t image,
                     Phase phase) {
  bool many = count > 1 && job->norm->rows * job->norm->channels > GRAIN;
#pragma omp parallel for schedule(static) if (many)
  for (int64_t k = 0; k < count; k++)
    part(job, &pieces[k], pieces[0].coefficient, image, phase, range_of(&job->s, k, count));
}

static void forward_image(const Job *job, const Piece *pieces, int64_t count, int64_t image) {
  int64_t groups = job->norm->groups, first = image * groups;
  if (!job->norm->given) {
    phase_of(job, pieces, count, image, MOMENTS);
    for (int64_t k = 0; k < groups; k++)
      group_moments(job, pieces, count, k, &job->mean[first + k], &job->variance[first + k]);
  }
  forward_coefficients(job, pieces[0].coefficient, job->mean + first, job->variance + first);
  phase_of(job, pieces, count, image, FORWARD);
}

static void backward_image(const Job *job, const Piece *pieces, int64_t count, int64_t image,
                           const Piece *total) {
  const double *mean = job->mean + image * job->norm->groups;
  const double *variance = job->variance + image * job->norm->groups;
  forward_coefficients(job, pieces[0].coefficient, mean, variance);
  phase_of(job, pieces, count, image, SUMS);
  channel_sums(job, pieces, count, mean, variance);
  for (int64_t j = 0; j < job->norm->channels; j++) {
    total->dbias[j] += pieces[0].first[j];
    total->dgain[j] += pieces[0].second[j];
  }
  if (!job->y) return;
  backward_coefficients(job, &pieces[0], pieces[0].coefficient, mean, variance);
  phase_of(job, pieces, count, image, BACKWARD);
}

static void all_images(const Job *job, bool backward) {
  int64_t images = job->norm->images, chunks = images < PARTS ? images : PARTS;
  Piece pieces[PARTS];
  for (int64_t k = 0; k < PARTS; k++) pieces[k] = piece_of(&job->s, job->work, k);
  if (images == 1 && backward)
    backward_image(job, pieces, PARTS, 0, &pieces[0]);
  else if (images == 1)
    forward_image(job, pieces, PARTS, 0);
  if (images <= 1) return;
  bool many = images * job->norm->rows * job->norm->channels > GRAIN;
#pragma omp parallel for schedule(static) if (many)
  for (int64_t k = 0; k < chunks; k++)
    for (int64_t image = images * k / chunks; image < images * (k + 1) / chunks; image++)
      if (backward)
        backward_image(job, &pieces[k], 1, image, &pieces[k]);
      else
        forward_image(job, &pieces[k], 1, image);
}

/* ---- the kernels ----------------------------------------------------------------------------- */

static void norm_channels(AbDtype dtype, const AbChannelNorm *norm, void *y, double *mean,
                          double *variance, const void *x, const void *gain, const void *bias,
                          double *work) {
  if (dtype != AB_F32) {
    reference_normalization.channels(dtype, norm, y, mean, variance, x, gain, bias, work);
    return;
  }
  Job job = {.norm = norm,
             .s = shape_of(norm),
             .y = y,
             .mean = mean,
             .variance = variance,
             .work = work,
             .x = x,
             .gain = gain,
             .bias = bias};
  all_images(&job, false);
}

/* The sums of all pieces, added in their order to those of the first. */
static void give_sums(const Shape *s, double *work, int64_t used, int64_t channels, float *dgain,
                      float *dbias) {
  Piece total = piece_of(s, work, 0);
  for (int64_t k = 1; k < used; k++) {
    Piece piece = piece_of(s, work, k);
    for (int64_t j = 0; j < channels; j++) {
      total.dgain[j] += piece.dgain[j];
      total.dbias[j] += piece.dbias[j];
    }
  }
  for (int64_t j = 0; dgain && j < channels; j++) dgain[j] = (float)total.dgain[j];
  for (int64_t j = 0; dbias && j < channels; j++) dbias[j] = (float)total.dbias[j];
}

static void norm_channels_grad(AbDtype dtype, const AbChannelNorm *norm, void *dx, void *dgain,
                               void *dbias, const void *g, const double *mean,
                               const double *variance, const void *x, const void *gain,
                               const void *bias, double *work) {
  if (dtype != AB_F32) {
    reference_normalization.channels_grad(dtype, norm, dx, dgain, dbias, g, mean, variance, x, gain,
                                          bias, work);
    return;
  }
  Job job = {.norm = norm,
             .s = shape_of(norm),
             .y = dx,
             .mean = (double *)mean, /* read alone, in the backward pass */
             .variance = (double *)variance,
             .work = work,
             .x = x,
             .g = g,
             .gain = gain,
             .bias = bias};
  int64_t used = norm->images == 1 ? 1 : norm->images < PARTS ? norm->images : PARTS;
  for (int64_t k = 0; k < used; k++)
    memset(piece_of(&job.s, work, k).dgain, 0, (size_t)job.s.width * 2 * sizeof *work);
  all_images(&job, true);
  give_sums(&job.s, work, used, norm->channels, dgain, dbias);
}

const AbNormalizationKernels cpu_normalization = {
    .channels_work = channels_work,
    .rows_work = cpu_norm_rows_work,
    .channels = norm_channels,
    .channels_grad = norm_channels_grad,
    .rows = cpu_norm_rows,
    .rows_grad = cpu_norm_rows_grad,
};
