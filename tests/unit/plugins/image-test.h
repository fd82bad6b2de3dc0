/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of models of images: convolution, its transpose, pooling and batch normalisation as
 * loops in double, and training on the digits.                                                  */
#ifndef IMAGE_TEST_H
#define IMAGE_TEST_H

#include "plugin-test.h"

/* Numbers [n, channels, depth, height, width]; of pictures the depth is 1. */
typedef struct {
  int n, channels, size[3];
  double *v;
} Images;

/* Windows over the last `axes` (2 or 3) axes. */
typedef struct {
  int axes, kernel, stride;
  gboolean same; /* zeros around, else none */
} Windows;

gint64 images_count(const Images *x);
/* Zeros; g_free(x.v). */
Images images_new(int n, int channels, const int *size);
/* Of W [out, channels, kernel ...] and b [out] or NULL; frees the x it takes. */
Images images_convolution(Images x, const Windows *windows, int out, const double *W,
                          const double *b);
/* Of W [channels, out, kernel ...] and b [out] or NULL, to images of `size`; frees x. */
Images images_transposed(Images x, const Windows *windows, int out, const int *size,
                         const double *W, const double *b);
/* The largest of windows of `size` that touch; frees x. */
Images images_max_pool(Images x, int axes, int size);
/* `running`: mean [channels] and variance [channels]; NULL: those of x. */
void images_batch_norm(Images *x, const double *gain, const double *bias, const double *running);
void images_activate(Images *x, int activation);

/* All weights of a model, which are learned, in the order of their making; free with g_free. */
double *image_weights(AbModel *model, gint64 *count);
/* Writes them. */
void image_set_weights(AbModel *model, const double *w);
/* Numbers for weights, and for running statistics, which are read into `running`. */
void image_shake(AbModel *model, double *running);
/* Each weight has a gradient, which is this part of `slopes`. */
void image_check_gradients(AbModel *model, const double *slopes, double tolerance);

/* Trains a built model on the digits (batches of 51) and returns what it then gives for those of
 * the test split; *x and *y are these digits. All are to be freed with g_free.                  */
#define IMAGE_TESTED 360
double *image_learn_digits(AbModel *model, AbRole role, const char *loss, double rate, int epochs,
                           double **x, double **y);

#endif
