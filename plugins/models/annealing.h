/* SPDX-License-Identifier: Apache-2.0
 *
 * The temperatures of annealed importance sampling (Salakhutdinov & Murray 2008), as the Boltzmann
 * machines take them. */
#ifndef PLUGINS_MODELS_ANNEALING_H
#define PLUGINS_MODELS_ANNEALING_H

#include <stdint.h>

/* Temperature `step` of `steps`, from 0 to 1: of those of the paper 1/29 lie from 0 to 0.5, 8/29 up
 * to 0.9, and 20/29 up to 1.                                                                     */
static inline double temperature(int64_t step, int64_t steps) {
  double part = 29 * (double)step / (double)steps;
  if (part < 1) return 0.5 * part;
  return part < 9 ? 0.5 + 0.4 * (part - 1) / 8 : 0.9 + 0.1 * (part - 9) / 20;
}

#endif
