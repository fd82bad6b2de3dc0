/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of models: layers f(x W + b) as loops in double, with the weights of a plugin's model
 * as one list: W1 row by row, b1, W2, ...                                                       */
#ifndef NET_TEST_H
#define NET_TEST_H

#include "plugin-test.h"

#define NET_WEIGHTS 400 /* of a net at most */
#define NET_WIDTH   80  /* of a layer at most */

typedef struct {
  int layers;
  int width[6];      /* width[0]: of the input */
  int activation[6]; /* of layer l, from 1: an AbActivation */
} Net;

double net_activation(int activation, double x);
gint64 net_count(const Net *net);
/* The weights W1, b1, ... of a model. */
void net_read(AbModel *model, const Net *net, double *w);
/* One row through the first `layers` layers. */
void net_forward(const Net *net, int layers, const double *w, const double *x, double *y);

#endif
