/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of normalisation over REAL (float or double), included once for each by
 * normalization.c. Everything is computed in double.                                             */

static double NAME(gain)(const REAL *gain, int64_t i) {
  return gain ? (double)gain[i] : 1;
}

/* ---- channels ------------------------------------------------------------------------------- */

/* x of an image, row and channel */
static int64_t NAME(at)(const AbChannelNorm *norm, int64_t image, int64_t row, int64_t channel) {
  return (image * norm->rows + row) * norm->channels + channel;
}

static void NAME(statistics)(const AbChannelNorm *norm, double *mean, double *variance,
                             const REAL *x) {
  int64_t width = norm->channels / norm->groups, count = norm->rows * width;
  for (int64_t k = 0; k < norm->images * norm->groups; k++) {
    int64_t image = k / norm->groups, first = k % norm->groups * width;
    double sum = 0, squares = 0;
    for (int64_t row = 0; row < norm->rows; row++)
      for (int64_t c = first; c < first + width; c++)
        sum += (double)x[NAME(at)(norm, image, row, c)];
    mean[k] = sum / (double)count;
    for (int64_t row = 0; row < norm->rows; row++)
      for (int64_t c = first; c < first + width; c++) {
        double d = (double)x[NAME(at)(norm, image, row, c)] - mean[k];
        squares += d * d;
      }
    variance[k] = squares / (double)count;
  }
}

static void NAME(channels)(const AbChannelNorm *norm, REAL *y, double *mean, double *variance,
                           const REAL *x, const REAL *gain, const REAL *bias) {
  if (!norm->given) NAME(statistics)(norm, mean, variance, x);
  int64_t width = norm->channels / norm->groups;
  for (int64_t i = 0; i < norm->images * norm->rows * norm->channels; i++) {
    int64_t c = i % norm->channels, k = i / norm->channels / norm->rows * norm->groups + c / width;
    double scale = NAME(gain)(gain, c) / sqrt(variance[k] + norm->epsilon);
    double z = ((double)x[i] - mean[k]) * scale + (bias ? (double)bias[c] : 0);
    y[i] = (REAL)activated(norm->activation, z);
  }
}

/* The gradient of z, and (x - mean) / sqrt(variance + epsilon). */
static double NAME(inner)(const AbChannelNorm *norm, int64_t i, double *normal, const REAL *g,
                          const double *mean, const double *variance, const REAL *x,
                          const REAL *gain, const REAL *bias) {
  int64_t width = norm->channels / norm->groups, c = i % norm->channels;
  int64_t k = i / norm->channels / norm->rows * norm->groups + c / width;
  *normal = ((double)x[i] - mean[k]) / sqrt(variance[k] + norm->epsilon);
  double scale = NAME(gain)(gain, c) / sqrt(variance[k] + norm->epsilon);
  double z = ((double)x[i] - mean[k]) * scale + (bias ? (double)bias[c] : 0);
  return passes(norm->activation, z) ? (double)g[i] : 0;
}

/* With h the gradient of z, m the numbers of a group, x^ = (x - mean) / sqrt(variance + epsilon):
 *   dgain = sum h x^,   dbias = sum h,
 *   dx = (gain h - sum(gain h) / m - x^ sum(gain h x^) / m) / sqrt(variance + epsilon),
 * the sums of dx over the group; without them where the statistics are given.                    */
static void NAME(channels_grad)(const AbChannelNorm *norm, REAL *dx, REAL *dgain, REAL *dbias,
                                const REAL *g, const double *mean, const double *variance,
                                const REAL *x, const REAL *gain, const REAL *bias) {
  int64_t width = norm->channels / norm->groups, count = norm->rows * width;
  double normal;
  for (int64_t c = 0; c < norm->channels; c++) {
    double sum = 0, product = 0;
    for (int64_t row = 0; row < norm->images * norm->rows; row++) {
      double h =
          NAME(inner)(norm, row * norm->channels + c, &normal, g, mean, variance, x, gain, bias);
      sum += h;
      product += h * normal;
    }
    if (dgain) dgain[c] = (REAL)product;
    if (dbias) dbias[c] = (REAL)sum;
  }
  for (int64_t k = 0; dx && k < norm->images * norm->groups; k++) {
    int64_t image = k / norm->groups, first = k % norm->groups * width;
    double sum = 0, product = 0;
    for (int64_t e = 0; e < count && !norm->given; e++) {
      int64_t c = first + e % width, i = NAME(at)(norm, image, e / width, c);
      double h = NAME(inner)(norm, i, &normal, g, mean, variance, x, gain, bias);
      sum += NAME(gain)(gain, c) * h;
      product += NAME(gain)(gain, c) * h * normal;
    }
    for (int64_t e = 0; e < count; e++) {
      int64_t c = first + e % width, i = NAME(at)(norm, image, e / width, c);
      double h = NAME(inner)(norm, i, &normal, g, mean, variance, x, gain, bias);
      dx[i] = (REAL)((NAME(gain)(gain, c) * h - (sum + normal * product) / (double)count) /
                     sqrt(variance[k] + norm->epsilon));
    }
  }
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void NAME(rows)(const AbRowNorm *norm, REAL *y, double *mean, double *variance,
                       const REAL *x, const REAL *gain, const REAL *bias) {
  for (int64_t row = 0; row < norm->rows; row++, x += norm->cols, y += norm->cols) {
    double sum = 0, squares = 0;
    for (int64_t j = 0; j < norm->cols; j++) sum += (double)x[j];
    mean[row] = norm->centred ? sum / (double)norm->cols : 0;
    for (int64_t j = 0; j < norm->cols; j++)
      squares += ((double)x[j] - mean[row]) * ((double)x[j] - mean[row]);
    variance[row] = squares / (double)norm->cols;
    double inverse = 1 / sqrt(variance[row] + norm->epsilon);
    for (int64_t j = 0; j < norm->cols; j++)
      y[j] = (REAL)(((double)x[j] - mean[row]) * inverse * NAME(gain)(gain, j) +
                    (bias ? (double)bias[j] : 0));
  }
}

/* As above, with a group for each row and a gain for each of its numbers. */
static void NAME(rows_grad)(const AbRowNorm *norm, REAL *dx, REAL *dgain, REAL *dbias,
                            const REAL *g, const double *mean, const double *variance,
                            const REAL *x, const REAL *gain) {
  int64_t cols = norm->cols;
  for (int64_t j = 0; j < cols; j++) {
    double sum = 0, product = 0;
    for (int64_t row = 0; row < norm->rows; row++) {
      double normal = ((double)x[row * cols + j] - mean[row]) / sqrt(variance[row] + norm->epsilon);
      sum += (double)g[row * cols + j];
      product += (double)g[row * cols + j] * normal;
    }
    if (dgain) dgain[j] = (REAL)product;
    if (dbias) dbias[j] = (REAL)sum;
  }
  for (int64_t row = 0; dx && row < norm->rows; row++) {
    const REAL *a = x + row * cols, *h = g + row * cols;
    double inverse = 1 / sqrt(variance[row] + norm->epsilon), sum = 0, product = 0;
    for (int64_t j = 0; j < cols; j++) {
      sum += NAME(gain)(gain, j) * (double)h[j];
      product += NAME(gain)(gain, j) * (double)h[j] * ((double)a[j] - mean[row]) * inverse;
    }
    if (!norm->centred) sum = 0;
    for (int64_t j = 0; j < cols; j++) {
      double normal = ((double)a[j] - mean[row]) * inverse;
      dx[row * cols + j] = (REAL)(inverse * (NAME(gain)(gain, j) * (double)h[j] -
                                             (sum + normal * product) / (double)cols));
    }
  }
}
