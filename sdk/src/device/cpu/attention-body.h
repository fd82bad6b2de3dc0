/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention of one head over vectors of LANES numbers; included once for each level of the machine,
 * after vector.h and product-body.h.
 *
 * Scores are made for ROWS rows and KEYS keys at a time and never leave the second cache; the
 * maximum and the sum of a row are carried from block to block (Dao et al., "FlashAttention",
 * 2022). A row of a block is `span` numbers that are allowed, and zeros up to `keys`. */

#define PRODUCT NAME(product)
#define SOFTEN  NAME(soften)
#define SLOPES  NAME(slopes)

/* exp(x) for x <= 0 as vector_exp of vector-math.h, but 0 below -87. NaN stays NaN. */
static inline __attribute__((always_inline)) Vector NAME(exp_negative)(Vector x) {
  Vector low = SPREAD(-87.f), magic = SPREAD(12582912.f);
  Integers under = x < low;
  Vector n = FMA(x, SPREAD(1.44269504088896341f), magic);
  Integers power = (Integers)n << 23; /* the low bits of n hold the integer */
  n -= magic;
  Vector r = FMA(n, SPREAD(-0.693359375f), x);
  r = FMA(n, SPREAD(2.12194440e-4f), r);
  Vector p = SPREAD(1.9875691500e-4f);
  p = FMA(p, r, SPREAD(1.3981999507e-3f));
  p = FMA(p, r, SPREAD(8.3334519073e-3f));
  p = FMA(p, r, SPREAD(4.1665795894e-2f));
  p = FMA(p, r, SPREAD(1.6666665459e-1f));
  p = FMA(p, r, SPREAD(5.0000001201e-1f));
  p = FMA(p, r * r, r) + SPREAD(1.f);
  Vector scale = (Vector)(power + ((Integers){0} + (127 << 23)));
  return (Vector)((Integers)(p * scale) & ~under);
}

static inline __attribute__((always_inline)) float NAME(total)(Vector x) {
  float sum = 0;
  for (int i = 0; i < LANES; i++) sum += x[i];
  return sum;
}

/* The tail of a row up to whole vectors becomes `value`. */
static inline void NAME(pad)(float *x, int64_t from, float value) {
  for (; from % LANES; from++) x[from] = value;
}

/* The largest; a NaN is left out, as it comes back by the exponential. */
static float NAME(maximum)(const float *x, int64_t n) {
  Vector top = SPREAD(-INFINITY), other = top;
  int64_t j = 0;
  for (; j + LANES < n; j += 2 * LANES) {
    top = MAXIMUM(LOAD(x + j), top);
    other = MAXIMUM(LOAD(x + j + LANES), other);
  }
  if (j < n) top = MAXIMUM(LOAD(x + j), top);
  top = MAXIMUM(other, top);
  float most = top[0];
  for (int i = 1; i < LANES; i++) most = top[i] > most ? top[i] : most;
  return most;
}

static float NAME(exponentials)(float *x, int64_t n, float scale, float top) {
  Vector sum = SPREAD(0), other = sum;
  int64_t j = 0;
  for (; j + LANES < n; j += 2 * LANES) {
    Vector p = NAME(exp_negative)(FMA(LOAD(x + j), SPREAD(scale), SPREAD(-top)));
    Vector q = NAME(exp_negative)(FMA(LOAD(x + j + LANES), SPREAD(scale), SPREAD(-top)));
    STORE(x + j, p);
    STORE(x + j + LANES, q);
    sum += p;
    other += q;
  }
  if (j < n) {
    Vector p = NAME(exp_negative)(FMA(LOAD(x + j), SPREAD(scale), SPREAD(-top)));
    STORE(x + j, p);
    sum += p;
  }
  return NAME(total)(sum + other);
}

static inline void NAME(multiply_row)(float *y, int64_t n, float factor) {
  for (int64_t c = 0; c < n; c++) y[c] *= factor;
}

/* Scores to exp(score - maximum so far); what was summed before follows a new maximum. */
static void NAME(soften)(float *x, int64_t span, int64_t keys, float scale, RowState *state,
                         float *y, int64_t depth, bool first) {
  NAME(pad)(x, span, -INFINITY);
  float most = NAME(maximum)(x, span) * scale, top = state->top;
  if (most > top) {
    if (!first) {
      float factor = expf(top - most);
      state->sum *= factor;
      NAME(multiply_row)(y, depth, factor);
    }
    state->top = top = most;
  }
  state->sum += NAME(exponentials)(x, span, scale, top == -INFINITY ? 0 : top);
  for (int64_t j = span; j < keys; j++) x[j] = 0;
}

static void NAME(finish_row)(float *y, int64_t depth, const RowState *state, float *lse) {
  bool nothing = state->sum == 0;
  *lse = nothing ? INFINITY : state->top + logf(state->sum);
  NAME(multiply_row)(y, depth, nothing ? 0 : 1 / state->sum);
}

static void NAME(attend_rows)(const AbAttention *job, const Head *head, int64_t from,
                              int64_t rows) {
  float block[ROWS * WIDTH] __attribute__((aligned(64)));
  RowState state[ROWS];
  float *y = head->y + from * job->y.row;
  for (int64_t r = 0; r < rows; r++) state[r] = (RowState){-INFINITY, 0};
  int64_t limit = keys_seen(job, from + rows);
  for (int64_t at = 0; at < limit; at += KEYS) {
    int64_t keys = limit - at < KEYS ? limit - at : KEYS;
    PRODUCT(false, true, rows, keys, job->width, head->q + from * job->q.row, job->q.row,
            head->k + at * job->k.row, job->k.row, false, block, WIDTH);
    if (job->width == 0) memset(block, 0, sizeof block);
    for (int64_t r = 0; r < rows; r++) {
      float *x = block + r * WIDTH, scale = (float)job->scale;
      if (job->mask) scale = add_mask(job, head, from + r, at, keys, x);
      SOFTEN(x, span_of(job, from + r, at, keys), keys, scale, &state[r], y + r * job->y.row,
             job->depth, at == 0);
    }
    PRODUCT(false, false, rows, job->depth, keys, block, WIDTH, head->v + at * job->v.row,
            job->v.row, at > 0, y, job->y.row);
  }
  for (int64_t r = 0; r < rows; r++) {
    if (limit == 0) memset(y + r * job->y.row, 0, (size_t)job->depth * sizeof *y);
    NAME(finish_row)(y + r * job->y.row, job->depth, &state[r], head->lse + from + r);
  }
}

static void NAME(attend_head)(const AbAttention *job, const Head *head) {
  int64_t step = row_step(job);
  for (int64_t i = 0; i < job->rows; i += step)
    NAME(attend_rows)(job, head, i, job->rows - i < step ? job->rows - i : step);
}

/* x: scores to probabilities; dp: to scale p (dp - dot) */
static void NAME(slopes)(float *x, float *dp, int64_t span, int64_t keys, float scale, float lse,
                         float factor, float dot) {
  NAME(pad)(x, span, -INFINITY);
  for (int64_t j = 0; j < span; j += LANES) {
    Vector p = NAME(exp_negative)(FMA(LOAD(x + j), SPREAD(scale), SPREAD(-lse)));
    STORE(x + j, p);
    STORE(dp + j, p * ((LOAD(dp + j) - SPREAD(dot)) * SPREAD(factor)));
  }
  for (int64_t j = span; j < keys; j++) x[j] = dp[j] = 0;
}

static float NAME(dot)(const float *a, const float *b, int64_t n) {
  Vector sum = SPREAD(0);
  int64_t c = 0;
  for (; c + LANES <= n; c += LANES) sum = FMA(LOAD(a + c), LOAD(b + c), sum);
  float total = NAME(total)(sum);
  for (; c < n; c++) total += a[c] * b[c];
  return total;
}

static void NAME(grad_block)(const AbAttention *job, const Head *head, const HeadGrad *grad,
                             int64_t from, int64_t rows, int64_t at, int64_t keys,
                             const float *dots) {
  float block[ROWS * WIDTH] __attribute__((aligned(64)));
  float slope[ROWS * WIDTH] __attribute__((aligned(64)));
  const float *q = head->q + from * job->q.row, *k = head->k + at * job->k.row;
  const float *dy = grad->dy + from * grad->dy_row;
  PRODUCT(false, true, rows, keys, job->width, q, job->q.row, k, job->k.row, false, block, WIDTH);
  if (job->width == 0) memset(block, 0, sizeof block);
  PRODUCT(false, true, rows, keys, job->depth, dy, grad->dy_row, head->v + at * job->v.row,
          job->v.row, false, slope, WIDTH);
  if (job->depth == 0) memset(slope, 0, sizeof slope);
  for (int64_t r = 0; r < rows; r++) {
    float *x = block + r * WIDTH, scale = (float)job->scale;
    if (job->mask) scale = add_mask(job, head, from + r, at, keys, x);
    SLOPES(x, slope + r * WIDTH, span_of(job, from + r, at, keys), keys, scale, head->lse[from + r],
           (float)job->scale, dots[r]);
  }
  bool add = job->causal || from > 0;
  PRODUCT(true, false, keys, job->depth, rows, block, WIDTH, dy, grad->dy_row, add,
          grad->dv + at * grad->dv_row, grad->dv_row);
  PRODUCT(false, false, rows, job->width, keys, slope, WIDTH, k, job->k.row, at > 0,
          grad->dq + from * grad->dq_row, grad->dq_row);
  PRODUCT(true, false, keys, job->width, rows, slope, WIDTH, q, job->q.row, add,
          grad->dk + at * grad->dk_row, grad->dk_row);
}

static void NAME(grad_head)(const AbAttention *job, const Head *head, const HeadGrad *grad) {
  if (job->causal || job->rows == 0) { /* else the first rows write all of it */
    clear_rows(job->keys, job->width, grad->dk, grad->dk_row);
    clear_rows(job->keys, job->depth, grad->dv, grad->dv_row);
  }
  if (job->keys == 0) clear_rows(job->rows, job->width, grad->dq, grad->dq_row);
  int64_t step = row_step(job);
  for (int64_t i = 0; i < job->rows; i += step) {
    int64_t rows = job->rows - i < step ? job->rows - i : step, limit = keys_seen(job, i + rows);
    float dots[ROWS];
    for (int64_t r = 0; r < rows; r++)
      dots[r] =
          NAME(dot)(grad->dy + (i + r) * grad->dy_row, head->y + (i + r) * job->y.row, job->depth);
    for (int64_t at = 0; at < limit; at += KEYS)
      NAME(grad_block)(job, head, grad, i, rows, at, limit - at < KEYS ? limit - at : KEYS, dots);
  }
}

#undef PRODUCT
#undef SOFTEN
#undef SLOPES
