/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of pooling over REAL (float or double), included once for each by pooling.c. */

static void NAME(max)(const AbPoolGeometry *at, REAL *y, int32_t *index, const REAL *x) {
  Window w;
  for (bool more = first_window(at, &w); more; more = next_window(at, &w)) {
    REAL best = -INFINITY;
    int32_t where = -1;
    for (int64_t t = 0; t < taps(&w); t++) {
      int64_t i = tap(at, &w, t);
      REAL value = x[(w.image * plane(at->in) + i) * at->c + w.channel];
      if (where < 0 || value > best || value != value) {
        best = value;
        where = (int32_t)i;
      }
    }
    y[w.number] = best;
    index[w.number] = where;
  }
}

/* The first tap at which the running sum of what is above 0 reaches `uniform` of the whole sum. */
static void NAME(sample)(const AbPoolGeometry *at, REAL *y, int32_t *index, const REAL *x,
                         const float *uniform) {
  Window w;
  for (bool more = first_window(at, &w); more; more = next_window(at, &w)) {
    const REAL *of = x + w.image * plane(at->in) * at->c + w.channel;
    double total = 0, sum = 0;
    for (int64_t t = 0; t < taps(&w); t++) {
      double value = (double)of[tap(at, &w, t) * at->c];
      if (!(value <= 0)) total += value;
    }
    REAL chosen = 0;
    int32_t where = -1;
    for (int64_t t = 0; t < taps(&w); t++) {
      int64_t i = tap(at, &w, t);
      REAL value = of[i * at->c];
      if (value <= 0) continue;
      chosen = value;
      where = (int32_t)i;
      sum += (double)value;
      if (value != value || sum >= (double)uniform[w.number] * total) break;
    }
    y[w.number] = total != total ? (REAL)NAN : chosen;
    index[w.number] = where;
  }
}

static void NAME(sum)(const AbPoolGeometry *at, AbPoolDivisor by, REAL *y, const REAL *x) {
  Window w;
  for (bool more = first_window(at, &w); more; more = next_window(at, &w)) {
    double sum = 0;
    for (int64_t t = 0; t < taps(&w); t++)
      sum += (double)x[(w.image * plane(at->in) + tap(at, &w, t)) * at->c + w.channel];
    y[w.number] = (REAL)(sum * ab_pool_factor(at, by, w.span));
  }
}

static void NAME(spread)(const AbPoolGeometry *at, AbPoolDivisor by, REAL *x, const REAL *y) {
  memset(x, 0, (size_t)(at->n * plane(at->in) * at->c) * sizeof *x);
  Window w;
  for (bool more = first_window(at, &w); more; more = next_window(at, &w)) {
    REAL share = (REAL)((double)y[w.number] * ab_pool_factor(at, by, w.span));
    for (int64_t t = 0; t < taps(&w); t++)
      x[(w.image * plane(at->in) + tap(at, &w, t)) * at->c + w.channel] += share;
  }
}

static void NAME(pick)(int64_t n, int64_t few, int64_t many, int64_t c, REAL *y, const REAL *x,
                       const int32_t *index) {
  for (int64_t i = 0; i < n * few * c; i++) {
    int64_t image = i / (few * c), channel = i % c;
    y[i] = index[i] < 0 ? 0 : x[(image * many + index[i]) * c + channel];
  }
}

static void NAME(place)(int64_t n, int64_t few, int64_t many, int64_t c, REAL *x, const REAL *y,
                        const int32_t *index) {
  memset(x, 0, (size_t)(n * many * c) * sizeof *x);
  for (int64_t i = 0; i < n * few * c; i++) {
    int64_t image = i / (few * c), channel = i % c;
    if (index[i] >= 0) x[(image * many + index[i]) * c + channel] += y[i];
  }
}

/* Each output is the sum of the eight corners around it, by their weights; the adjoint gives each
 * corner its share. */
static void NAME(resize)(const AbResizeGeometry *at, REAL *y, const REAL *x) {
  int64_t many = plane(at->in), outputs = plane(at->out);
  for (int64_t i = 0; i < at->n * outputs * at->c; i++) {
    int64_t image = i / (outputs * at->c), channel = i % at->c;
    Corner corner[8];
    corners(at, i / at->c % outputs, corner);
    double sum = 0;
    for (int k = 0; k < 8; k++)
      if (corner[k].weight != 0)
        sum += corner[k].weight * (double)x[(image * many + corner[k].place) * at->c + channel];
    y[i] = (REAL)sum;
  }
}

static void NAME(resize_adjoint)(const AbResizeGeometry *at, REAL *x, const REAL *y) {
  int64_t many = plane(at->in), outputs = plane(at->out);
  memset(x, 0, (size_t)(at->n * many * at->c) * sizeof *x);
  for (int64_t i = 0; i < at->n * outputs * at->c; i++) {
    int64_t image = i / (outputs * at->c), channel = i % at->c;
    Corner corner[8];
    corners(at, i / at->c % outputs, corner);
    for (int k = 0; k < 8; k++)
      if (corner[k].weight != 0)
        x[(image * many + corner[k].place) * at->c + channel] +=
            (REAL)(corner[k].weight * (double)y[i]);
  }
}
