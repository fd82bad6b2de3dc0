/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of convolution over REAL, included once for each type by convolution.c. */

/* Position r of x for positions q of y and p of the kernel; false if it is outside. */
#ifndef CONVOLUTION_POSITION
#define CONVOLUTION_POSITION
static bool position(const AbConvolutionShape *s, const int64_t *q, const int64_t *p, int64_t *at) {
  *at = 0;
  for (int a = 0; a < CONVOLUTION_AXES; a++) {
    int64_t r = q[a] * s->stride[a] - s->before[a] + p[a] * s->dilation[a];
    if (r < 0 || r >= s->x[a]) return false;
    *at = *at * s->x[a] + r;
  }
  return true;
}

static int64_t volume(const int64_t *sizes) {
  return sizes[0] * sizes[1] * sizes[2];
}

/* Every position of a space in its order. */
#define EACH_POSITION(q, sizes)               \
  for (q[0] = 0; q[0] < (sizes)[0]; q[0]++)   \
    for (q[1] = 0; q[1] < (sizes)[1]; q[1]++) \
      for (q[2] = 0; q[2] < (sizes)[2]; q[2]++)

static int64_t index_of(const int64_t *q, const int64_t *sizes) {
  return (q[0] * sizes[1] + q[1]) * sizes[2] + q[2];
}
#endif

static double NAME(at_output)(const AbConvolutionShape *s, int64_t n, int64_t o, const int64_t *q,
                              const REAL *x, const REAL *W) {
  int64_t in = s->in / s->groups, first = o / (s->out / s->groups) * in;
  int64_t taps = volume(s->k), p[CONVOLUTION_AXES], at;
  double sum = 0;
  EACH_POSITION(p, s->k) {
    if (!position(s, q, p, &at)) continue;
    for (int64_t i = 0; i < in; i++)
      sum += (double)W[(o * in + i) * taps + index_of(p, s->k)] *
             (double)x[(n * volume(s->x) + at) * s->in + first + i];
  }
  return sum;
}

static void NAME(forward)(const AbConvolutionShape *s, REAL *y, const REAL *x, const REAL *W) {
  int64_t q[CONVOLUTION_AXES];
  for (int64_t n = 0; n < s->n; n++) EACH_POSITION(q, s->y)
  for (int64_t o = 0; o < s->out; o++)
    y[(n * volume(s->y) + index_of(q, s->y)) * s->out + o] =
        (REAL)NAME(at_output)(s, n, o, q, x, W);
}

/* Position q of y such that r = q stride - before + p dilation; false if there is none. */
static double NAME(at_input)(const AbConvolutionShape *s, int64_t n, int64_t c, const int64_t *r,
                             const REAL *y, const REAL *W) {
  int64_t in = s->in / s->groups, out = s->out / s->groups, first = c / in * out, i = c % in;
  int64_t taps = volume(s->k), p[CONVOLUTION_AXES], q[CONVOLUTION_AXES];
  double sum = 0;
  EACH_POSITION(p, s->k) {
    bool inside = true;
    for (int a = 0; a < CONVOLUTION_AXES; a++) {
      int64_t from = r[a] + s->before[a] - p[a] * s->dilation[a];
      q[a] = from / s->stride[a];
      inside &= from >= 0 && from % s->stride[a] == 0 && q[a] < s->y[a];
    }
    if (!inside) continue;
    for (int64_t o = first; o < first + out; o++)
      sum += (double)W[(o * in + i) * taps + index_of(p, s->k)] *
             (double)y[(n * volume(s->y) + index_of(q, s->y)) * s->out + o];
  }
  return sum;
}

static void NAME(data)(const AbConvolutionShape *s, REAL *x, const REAL *y, const REAL *W) {
  int64_t r[CONVOLUTION_AXES];
  for (int64_t n = 0; n < s->n; n++) EACH_POSITION(r, s->x)
  for (int64_t c = 0; c < s->in; c++)
    x[(n * volume(s->x) + index_of(r, s->x)) * s->in + c] = (REAL)NAME(at_input)(s, n, c, r, y, W);
}

static void NAME(weights)(const AbConvolutionShape *s, REAL *W, const REAL *x, const REAL *y,
                          bool add) {
  int64_t in = s->in / s->groups, out = s->out / s->groups;
  int64_t taps = volume(s->k), p[CONVOLUTION_AXES], q[CONVOLUTION_AXES], at;
  for (int64_t o = 0; o < s->out; o++) {
    for (int64_t i = 0; i < in; i++) {
      EACH_POSITION(p, s->k) {
        double sum = 0;
        for (int64_t n = 0; n < s->n; n++) EACH_POSITION(q, s->y)
        if (position(s, q, p, &at))
          sum += (double)x[(n * volume(s->x) + at) * s->in + o / out * in + i] *
                 (double)y[(n * volume(s->y) + index_of(q, s->y)) * s->out + o];
        REAL *to = &W[(o * in + i) * taps + index_of(p, s->k)];
        *to = (REAL)(add ? sum + (double)*to : sum);
      }
    }
  }
}

static void NAME(column_sums)(int64_t rows, int64_t cols, REAL *db, const REAL *h, bool add) {
  for (int64_t j = 0; j < cols; j++) {
    double sum = 0;
    for (int64_t i = 0; i < rows; i++) sum += (double)h[i * cols + j];
    db[j] = (REAL)(add ? sum + (double)db[j] : sum);
  }
}

static void NAME(unfold)(const AbConvolutionShape *s, REAL *cols, const REAL *x) {
  int64_t p[CONVOLUTION_AXES], q[CONVOLUTION_AXES], at;
  for (int64_t row = 0; row < s->n * s->in; row++, x += volume(s->x)) EACH_POSITION(p, s->k)
  EACH_POSITION(q, s->y)
  *cols++ = position(s, q, p, &at) ? x[at] : 0;
}

static void NAME(fold)(const AbConvolutionShape *s, REAL *x, const REAL *cols) {
  int64_t p[CONVOLUTION_AXES], q[CONVOLUTION_AXES], at;
  for (int64_t i = 0; i < s->n * s->in * volume(s->x); i++) x[i] = 0;
  for (int64_t row = 0; row < s->n * s->in; row++, x += volume(s->x)) EACH_POSITION(p, s->k)
  EACH_POSITION(q, s->y) {
    if (position(s, q, p, &at)) x[at] += *cols;
    cols++;
  }
}
