/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers as loops; see net-test.h.                                                              */
#include "net-test.h"
#include <math.h>
#include <string.h>

double net_activation(int activation, double x) {
  switch (activation) {
  case AB_IDENTITY: return x;
  case AB_SIGMOID: return 1 / (1 + exp(-x));
  case AB_TANH: return tanh(x);
  case AB_RELU: return x > 0 ? x : 0;
  case AB_SOFTPLUS: return log(1 + exp(x));
  default: g_assert_not_reached();
  }
}

gint64 net_count(const Net *net) {
  gint64 count = 0;

  for (int l = 1; l <= net->layers; l++) count += (net->width[l - 1] + 1) * net->width[l];
  g_assert_cmpint(count, <=, NET_WEIGHTS);
  return count;
}

void net_read(AbModel *model, const Net *net, double *w) {
  for (int l = 1; l <= net->layers; l++)
    for (int bias = 0; bias < 2; bias++) {
      g_autofree char *name = g_strdup_printf("%s%d", bias ? "b" : "W", l);
      g_autofree double *values = plugin_test_values(plugin_test_state(model, name));
      gint64 count = bias ? net->width[l] : net->width[l - 1] * net->width[l];

      g_assert_cmpint(ab_count(plugin_test_state(model, name)), ==, count);
      memcpy(w, values, (gsize)count * sizeof *w);
      w += count;
    }
}

void net_forward(const Net *net, int layers, const double *w, const double *x, double *y) {
  double h[NET_WIDTH], next[NET_WIDTH];

  memcpy(h, x, (gsize)net->width[0] * sizeof *h);
  for (int l = 1; l <= layers; l++) {
    int in = net->width[l - 1], out = net->width[l];

    for (int j = 0; j < out; j++) {
      double sum = w[in * out + j];

      for (int i = 0; i < in; i++) sum += h[i] * w[i * out + j];
      next[j] = net_activation(net->activation[l], sum);
    }
    memcpy(h, next, (gsize)out * sizeof *h);
    w += (in + 1) * out;
  }
  memcpy(y, h, (gsize)net->width[layers] * sizeof *h);
}
