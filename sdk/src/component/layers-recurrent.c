/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers on top of each other, in one or both directions: layers.h says what they are. */
#include "../internal.h"
#include <absdk/layers.h>
#include <math.h>
#include <stdio.h>

const char *const ab_cell_names[] = {"elman", "elman-relu", "lstm", "gru", NULL};

/* ---- making ---------------------------------------------------------------------------------- */

static bool sensible(AbInstance *self, int64_t in, int64_t units, const AbRecurrentOptions *o) {
  int64_t wide;
  if (o->cell < AB_CELL_ELMAN || o->cell > AB_CELL_GRU)
    ab_fail(self, AB_CONFIG, "recurrent layers: there is no cell %lld", (long long)o->cell);
  else if (in < 0 || units < 1 || __builtin_mul_overflow(units, 4, &wide))
    ab_fail(self, AB_CONFIG, "recurrent layers: %lld inputs and %lld units; there must be units",
            (long long)in, (long long)units);
  else if (o->layers < 0 || o->layers > 1000)
    ab_fail(self, AB_CONFIG, "recurrent layers: %lld of them; it is 1 to 1000",
            (long long)o->layers);
  else if (!(o->dropout >= 0 && o->dropout <= 1))
    ab_fail(self, AB_CONFIG, "recurrent layers: a dropout of %g; it is 0 to 1", o->dropout);
  else if (!isfinite(o->forget_bias) || (o->forget_bias != 0 && o->cell != AB_CELL_LSTM))
    ab_fail(self, AB_CONFIG, "recurrent layers: a forget_bias of %g for a cell of %s",
            o->forget_bias, ab_cell_names[o->cell]);
  else if (o->peepholes && o->cell != AB_CELL_LSTM)
    ab_fail(self, AB_CONFIG, "recurrent layers: peepholes for a cell of %s",
            ab_cell_names[o->cell]);
  else
    return ab_ok(ab_context(self));
  return false;
}

static AbTensor *weight(AbInstance *self, const char *letter, int64_t number, AbShape shape,
                        int64_t units, const char *axes) {
  char name[32];
  snprintf(name, sizeof name, "%s%lld", letter, (long long)number);
  AbInit init = {.kind = AB_INIT_UNIFORM, .a = 1 / sqrt((double)units)};
  return ab_weight(self, name, shape, init, axes);
}

static bool make_direction(AbInstance *self, int64_t number, int64_t in, int64_t units,
                           const AbRecurrentOptions *o, AbRecurrentWeights *w) {
  int64_t gates = o->cell == AB_CELL_LSTM ? 4 : o->cell == AB_CELL_GRU ? 3 : 1;
  *w = (AbRecurrentWeights){.d = AB_NONE, .p = AB_NONE};
  w->W = weight(self, "W", number, AB_SHAPE(in, gates * units), units, "input gate-unit");
  w->U = weight(self, "U", number, AB_SHAPE(units, gates * units), units, "unit gate-unit");
  w->b = weight(self, "b", number, AB_SHAPE(gates * units), units, "gate-unit");
  if (o->cell == AB_CELL_GRU) w->d = weight(self, "d", number, AB_SHAPE(units), units, "unit");
  if (o->peepholes) w->p = weight(self, "p", number, AB_SHAPE(3, units), units, "gate unit");
  if (!w->W || !w->U || !w->b || !w->d || !w->p) return false;
  if (o->forget_bias != 0 && w->b->storage) {
    AbTensor *forget = ab_slice(ab_detach(w->b), 0, units, 2 * units);
    ab_assign(forget, ab_full(w->b->ctx, w->b->dtype, AB_SHAPE(units), o->forget_bias));
  }
  return ab_ok(w->b->ctx);
}

AbRecurrentLayers ab_recurrent_make(AbInstance *self, int64_t number, int64_t in, int64_t units,
                                    AbRecurrentOptions options) {
  AbRecurrentLayers none = {0}, layers = {.options = options, .units = units};
  if (!sensible(self, in, units, &options)) return none;
  if (layers.options.layers == 0) layers.options.layers = 1;
  layers.directions = options.bidirectional ? 2 : 1;
  int64_t count = layers.options.layers * layers.directions;
  AbRecurrentWeights *weights = ab_alloc(self, (size_t)count * sizeof *weights);
  if (!weights) return none;
  for (int64_t i = 0; i < count; i++) {
    int64_t width = i < layers.directions ? in : layers.directions * units;
    if (!make_direction(self, number + i, width, units, &options, &weights[i])) return none;
  }
  layers.weights = weights;
  return layers;
}

/* ---- applying -------------------------------------------------------------------------------- */

/* The first state of one direction of one layer. */
static AbTensor *state_of(AbTensor *states, int64_t i) {
  if (states == AB_NONE) return AB_NONE;
  return ab_reshape(ab_slice(states, 0, i, i + 1), AB_SHAPE(ab_dim(states, 1), ab_dim(states, 2)));
}

static AbRecurrence apply_direction(const AbRecurrentLayers *l, int64_t i, AbTensor *x,
                                    AbTensor *h0, AbTensor *c0, AbTensor *lengths) {
  const AbRecurrentWeights *w = &l->weights[i];
  bool reverse = i % l->directions == 1;
  AbTensor *h = state_of(h0, i), *c = state_of(c0, i);
  switch (l->options.cell) {
  case AB_CELL_LSTM: return ab_lstm(x, w->W, w->U, w->b, w->p, h, c, lengths, reverse);
  case AB_CELL_GRU: return ab_gru(x, w->W, w->U, w->b, w->d, h, lengths, reverse);
  case AB_CELL_ELMAN: return ab_elman(x, w->W, w->U, w->b, h, lengths, AB_TANH, reverse);
  default: return ab_elman(x, w->W, w->U, w->b, h, lengths, AB_RELU, reverse);
  }
}

/* Last states [n, units] of `count` directions as [count, n, units]. */
static AbTensor *together(AbTensor *all, AbTensor *state, bool first) {
  AbTensor *one = ab_reshape(state, AB_SHAPE(1, ab_dim(state, 0), ab_dim(state, 1)));
  return first ? one : ab_concat((AbTensor *[]){all, one}, 2, 0);
}

static bool states_fit(const AbRecurrentLayers *l, const AbTensor *x, const AbTensor *states,
                       const char *name) {
  int64_t count = l->options.layers * l->directions;
  if (!states) return false;
  if (states == AB_NONE) return true;
  bool wanted = l->options.cell == AB_CELL_LSTM || name[0] == 'h';
  if (wanted && x->rank == 3 && states->rank == 3 && states->shape[0] == count &&
      states->shape[1] == x->shape[1] && states->shape[2] == l->units)
    return true;
  char text[220];
  ab_error(x->ctx, AB_CONFIG, "recurrent layers: %s of %s; wanted is %s [%lld, n, %lld]", name,
           ab_tensor_text(states, text, sizeof text), wanted ? "a state" : "none for this cell, h0",
           (long long)count, (long long)l->units);
  return false;
}

AbRecurrence ab_recurrent_apply(const AbRecurrentLayers *l, AbTensor *x, AbTensor *h0, AbTensor *c0,
                                AbTensor *lengths) {
  AbRecurrence none = {0}, all = {.c = AB_NONE};
  if (!x || x == AB_NONE || !l->weights || !states_fit(l, x, h0, "h0") ||
      !states_fit(l, x, c0, "c0"))
    return none;
  int64_t count = l->options.layers * l->directions;
  for (int64_t i = 0; i < count; i += l->directions) {
    AbTensor *outputs[2] = {0};
    if (i > 0) x = ab_dropout(x, l->options.dropout);
    for (int64_t k = 0; k < l->directions; k++) {
      AbRecurrence r = apply_direction(l, i + k, x, h0, c0, lengths);
      if (!r.outputs) return none;
      outputs[k] = r.outputs;
      all.h = together(all.h, r.h, i + k == 0);
      if (l->options.cell == AB_CELL_LSTM) all.c = together(all.c, r.c, i + k == 0);
    }
    x = l->directions == 1 ? outputs[0] : ab_concat(outputs, 2, -1);
  }
  all.outputs = x;
  return all.outputs && all.h && all.c ? all : none;
}
