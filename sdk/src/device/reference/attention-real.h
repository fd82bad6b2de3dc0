/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of attention.c over REAL, included once for float and once for double. */

/* Row i of a head; `at` is the head's number. */
static REAL *NAME(row)(const AbAttention *job, const AbHeads *x, int64_t at, int64_t i) {
  return (REAL *)x->data + at / job->heads * x->example + at % job->heads * x->head + i * x->row;
}

static double NAME(dot)(int64_t n, const REAL *a, const REAL *b) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
  return sum;
}

static double NAME(mask_at)(const AbAttention *job, int64_t at, int64_t i, int64_t j) {
  if (job->causal && j > i) return -INFINITY;
  if (!job->mask) return 0;
  const int64_t *stride = job->mask_stride;
  int64_t place =
      at / job->heads * stride[0] + at % job->heads * stride[1] + i * stride[2] + j * stride[3];
  if (job->mask_type == AB_BOOL) return ((const uint8_t *)job->mask)[place] ? 0 : -INFINITY;
  return (double)((const REAL *)job->mask)[place];
}

/* x_ij; -inf wins over whatever the product is */
static double NAME(score)(const AbAttention *job, int64_t at, int64_t i, int64_t j) {
  double mask = NAME(mask_at)(job, at, i, j);
  if (mask == -INFINITY) return mask;
  return job->scale *
             NAME(dot)(job->width, NAME(row)(job, &job->q, at, i), NAME(row)(job, &job->k, at, j)) +
         mask;
}

static double NAME(log_sum_exp)(const AbAttention *job, int64_t at, int64_t i) {
  double top = -INFINITY, sum = 0;
  for (int64_t j = 0; j < job->keys; j++) {
    double x = NAME(score)(job, at, i, j);
    if (x > top) top = x;
  }
  if (top == -INFINITY) top = 0;
  for (int64_t j = 0; j < job->keys; j++) sum += exp(NAME(score)(job, at, i, j) - top);
  return sum == 0 ? INFINITY : top + log(sum);
}

static double NAME(probability)(const AbAttention *job, int64_t at, int64_t i, int64_t j,
                                double lse) {
  double x = NAME(score)(job, at, i, j);
  return x == -INFINITY ? 0 : exp(x - lse);
}

static double NAME(lse_at)(const AbAttention *job, int64_t at, int64_t i) {
  return (double)((const REAL *)job->lse)[at * job->rows + i];
}

/* CHUNK columns at a time, so that sums are in double and the probabilities are not kept. */
static void NAME(attend_row)(const AbAttention *job, int64_t at, int64_t i) {
  double lse = NAME(log_sum_exp)(job, at, i);
  ((REAL *)job->lse)[at * job->rows + i] = (REAL)lse;
  REAL *y = NAME(row)(job, &job->y, at, i);
  for (int64_t from = 0; from < job->depth; from += CHUNK) {
    double sum[CHUNK] = {0};
    int64_t n = job->depth - from < CHUNK ? job->depth - from : CHUNK;
    for (int64_t j = 0; j < job->keys; j++) {
      double p = NAME(probability)(job, at, i, j, lse);
      const REAL *v = NAME(row)(job, &job->v, at, j) + from;
      for (int64_t c = 0; c < n && p != 0; c++) sum[c] += p * (double)v[c];
    }
    for (int64_t c = 0; c < n; c++) y[from + c] = (REAL)sum[c];
  }
}

static void NAME(attend)(const AbAttention *job) {
  for (int64_t at = 0; at < job->examples * job->heads; at++)
    for (int64_t i = 0; i < job->rows; i++) NAME(attend_row)(job, at, i);
}

/* dx_ij */
static double NAME(slope)(const AbAttention *job, const AbHeads *dy, int64_t at, int64_t i,
                          int64_t j) {
  double p = NAME(probability)(job, at, i, j, NAME(lse_at)(job, at, i));
  if (p == 0) return 0;
  const REAL *g = NAME(row)(job, dy, at, i);
  return p * (NAME(dot)(job->depth, g, NAME(row)(job, &job->v, at, j)) -
              NAME(dot)(job->depth, g, NAME(row)(job, &job->y, at, i)));
}

/* Row `to` of a gradient: over the keys for dq, over the rows for dk and dv. */
static void NAME(gradient_row)(const AbAttention *job, const AbHeads *dy, Part part, int64_t at,
                               int64_t to, int64_t width, REAL *y) {
  const AbHeads *other = part == DQ ? &job->k : part == DK ? &job->q : dy;
  for (int64_t from = 0; from < width; from += CHUNK) {
    double sum[CHUNK] = {0};
    int64_t n = width - from < CHUNK ? width - from : CHUNK;
    for (int64_t l = 0; l < (part == DQ ? job->keys : job->rows); l++) {
      int64_t i = part == DQ ? to : l, j = part == DQ ? l : to;
      double factor = part == DV ? NAME(probability)(job, at, i, j, NAME(lse_at)(job, at, i))
                                 : job->scale * NAME(slope)(job, dy, at, i, j);
      const REAL *x = NAME(row)(job, other, at, l) + from;
      for (int64_t c = 0; c < n && factor != 0; c++) sum[c] += factor * (double)x[c];
    }
    for (int64_t c = 0; c < n; c++) y[from + c] = (REAL)sum[c];
  }
}

static void NAME(attend_grad)(const AbAttention *job, const AbHeads *dy, const AbHeads *dq,
                              const AbHeads *dk, const AbHeads *dv) {
  for (int64_t at = 0; at < job->examples * job->heads; at++) {
    for (int64_t i = 0; i < job->rows; i++)
      NAME(gradient_row)(job, dy, DQ, at, i, job->width, NAME(row)(job, dq, at, i));
    for (int64_t j = 0; j < job->keys; j++) {
      NAME(gradient_row)(job, dy, DK, at, j, job->width, NAME(row)(job, dk, at, j));
      NAME(gradient_row)(job, dy, DV, at, j, job->depth, NAME(row)(job, dv, at, j));
    }
  }
}

static void NAME(embed)(int64_t count, int64_t width, const int64_t *index, int64_t padding,
                        const REAL *table, REAL *y) {
  for (int64_t i = 0; i < count; i++)
    for (int64_t j = 0; j < width; j++)
      y[i * width + j] = index[i] == padding ? 0 : table[index[i] * width + j];
}

static void NAME(embed_grad)(int64_t count, int64_t width, const int64_t *index, int64_t padding,
                             const REAL *g, REAL *table) {
  for (int64_t i = 0; i < count; i++)
    for (int64_t j = 0; j < width && index[i] != padding; j++)
      table[index[i] * width + j] += g[i * width + j];
}
