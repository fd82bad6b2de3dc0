/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells as loops; see sequence-test.h.                                                           */
#include "sequence-test.h"
#include <math.h>
#include <string.h>

static double *numbers(AbModel *model, char letter, int number) {
  g_autofree char *name = g_strdup_printf("%c%d", letter, number);

  return plugin_test_values(plugin_test_state(model, name));
}

Cell cell_read(AbModel *model, int number, AbCell kind, gboolean peepholes) {
  g_autofree char *name = g_strdup_printf("U%d", number), *first = g_strdup_printf("W%d", number);
  Cell cell = {.kind = kind};

  cell.in = (int)ab_dim(plugin_test_state(model, first), 0);
  cell.units = (int)ab_dim(plugin_test_state(model, name), 0);
  g_assert_cmpint(cell.units, <=, CELL_UNITS);
  cell.W = numbers(model, 'W', number);
  cell.U = numbers(model, 'U', number);
  cell.b = numbers(model, 'b', number);
  if (kind == AB_CELL_GRU) cell.d = numbers(model, 'd', number);
  if (peepholes) cell.p = numbers(model, 'p', number);
  return cell;
}

void cell_clear(Cell *cell) {
  g_free(cell->W);
  g_free(cell->U);
  g_free(cell->b);
  g_free(cell->d);
  g_free(cell->p);
}

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

/* Column `column` of v M, M [rows, gates units]. */
static double column(const double *v, const double *M, int rows, int width, int column) {
  double sum = 0;

  for (int i = 0; i < rows; i++) sum += v[i] * M[i * width + column];
  return sum;
}

/* What unit j of gate g receives from x and the bias, and from h. */
static double from_x(const Cell *k, int gates, const double *x, int g, int j) {
  int at = g * k->units + j;

  return k->b[at] + column(x, k->W, k->in, gates * k->units, at);
}

static double from_h(const Cell *k, int gates, const double *h, int g, int j) {
  return column(h, k->U, k->units, gates * k->units, g * k->units + j);
}

static double peephole(const Cell *k, int gate, int j, double c) {
  return k->p != NULL ? k->p[gate * k->units + j] * c : 0;
}

static void lstm_unit(const Cell *k, const double *x, const double *h, int j, double *next,
                      double *c) {
  double in[4], now;

  for (int g = 0; g < 4; g++) in[g] = from_x(k, 4, x, g, j) + from_h(k, 4, h, g, j);
  now = sigmoid(in[1] + peephole(k, 1, j, c[j])) * c[j] +
        sigmoid(in[0] + peephole(k, 0, j, c[j])) * tanh(in[2]);
  *next = sigmoid(in[3] + peephole(k, 2, j, now)) * tanh(now);
  c[j] = now;
}

static double gru_unit(const Cell *k, const double *x, const double *h, int j) {
  double r = sigmoid(from_x(k, 3, x, 0, j) + from_h(k, 3, h, 0, j));
  double z = sigmoid(from_x(k, 3, x, 1, j) + from_h(k, 3, h, 1, j));
  double n = tanh(from_x(k, 3, x, 2, j) + r * (from_h(k, 3, h, 2, j) + k->d[j]));

  return (1 - z) * n + z * h[j];
}

void cell_step(const Cell *k, const double *x, double *h, double *c) {
  double next[CELL_UNITS];

  for (int j = 0; j < k->units; j++) {
    double in;

    switch (k->kind) {
    case AB_CELL_LSTM: lstm_unit(k, x, h, j, &next[j], c); break;
    case AB_CELL_GRU: next[j] = gru_unit(k, x, h, j); break;
    default:
      in = from_x(k, 1, x, 0, j) + from_h(k, 1, h, 0, j);
      next[j] = k->kind == AB_CELL_ELMAN ? tanh(in) : fmax(in, 0);
    }
  }
  memcpy(h, next, (gsize)k->units * sizeof *h);
}
