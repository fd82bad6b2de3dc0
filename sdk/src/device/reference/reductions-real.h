/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions over REAL (float or double), included once for each by reductions.c. NAME(f) is the
 * function's name, M(f) the library's function for the type. LANES goes through the lanes of x:
 * number m of one is at[m * e.inner].                                                            */
#ifndef LANES
#define LANES(at)                         \
  for (int64_t o = 0; o < e.outer; o++)   \
    for (int64_t i = 0; i < e.inner; i++) \
      for (const REAL *at = x + o * e.middle * e.inner + i, *once_ = at; once_; once_ = NULL)
#define EACH for (int64_t m = 0; m < e.middle; m++)
#endif

static void NAME(extreme)(bool largest, AbExtent e, REAL *y, int64_t *index, const REAL *x) {
  LANES(at) {
    int64_t best = 0;
    EACH {
      REAL value = at[m * e.inner], top = at[best * e.inner];
      bool better = largest ? value > top : value < top;
      if (better || (value != value && top == top)) best = m;
    }
    if (y) y[o * e.inner + i] = at[best * e.inner];
    if (index) index[o * e.inner + i] = best;
  }
}

static void NAME(norm)(double p, AbExtent e, REAL *y, const REAL *x) {
  LANES(at) {
    double sum = 0;
    EACH {
      double size = fabs((double)at[m * e.inner]);
      sum += p == 1 ? size : p == 2 ? size * size : pow(size, p);
    }
    y[o * e.inner + i] = (REAL)(p == 1 ? sum : p == 2 ? sqrt(sum) : pow(sum, 1 / p));
  }
}

static void NAME(variance)(double correction, AbExtent e, REAL *y, REAL *mean, const REAL *x) {
  LANES(at) {
    double sum = 0, squares = 0;
    EACH sum += (double)at[m * e.inner];
    sum /= (double)e.middle;
    EACH squares += ((double)at[m * e.inner] - sum) * ((double)at[m * e.inner] - sum);
    y[o * e.inner + i] = (REAL)(squares / ((double)e.middle - correction));
    if (mean) mean[o * e.inner + i] = (REAL)sum;
  }
}

/* sum_m exp(x_m - top), top the maximum where that is finite, else 0 */
static double NAME(exp_sum)(AbExtent e, const REAL *at, double *top) {
  double sum = 0;
  *top = (double)at[0];
  EACH if ((double)at[m * e.inner] > *top) *top = (double)at[m * e.inner];
  if (isinf(*top)) *top = 0;
  EACH sum += exp((double)at[m * e.inner] - *top);
  return sum;
}

static void NAME(log_sum_exp)(AbExtent e, REAL *y, const REAL *x) {
  LANES(at) {
    double top, sum = NAME(exp_sum)(e, at, &top);
    y[o * e.inner + i] = (REAL)(top + log(sum));
  }
}

static void NAME(softmax)(bool log_of, AbExtent e, REAL *y, const REAL *x) {
  LANES(at) {
    REAL *to = y + (at - x);
    double top, sum = NAME(exp_sum)(e, at, &top);
    EACH {
      double value = (double)at[m * e.inner] - top;
      to[m * e.inner] = (REAL)(log_of ? value - log(sum) : exp(value) / sum);
    }
  }
}

static void NAME(softmax_grad)(bool log, AbExtent e, REAL *dx, const REAL *g, const REAL *x) {
  LANES(y) { /* x: the result */
    const REAL *from = g + (y - x);
    REAL *to = dx + (y - x);
    double sum = 0;
    EACH {
      double slope = (double)from[m * e.inner];
      sum += log ? slope : slope * (double)y[m * e.inner];
    }
    EACH {
      double slope = (double)from[m * e.inner], value = (double)y[m * e.inner];
      to[m * e.inner] = (REAL)(log ? slope - exp(value) * sum : value * (slope - sum));
    }
  }
}

static void NAME(cumulative_sum)(bool reverse, AbExtent e, REAL *y, const REAL *x) {
  LANES(at) {
    double sum = 0;
    EACH {
      int64_t j = (reverse ? e.middle - 1 - m : m) * e.inner;
      sum += (double)at[j];
      y[at - x + j] = (REAL)sum;
    }
  }
}
