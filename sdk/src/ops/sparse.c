/* SPDX-License-Identifier: Apache-2.0
 *
 * Sparse matrices in rows (CSR), times dense ones:
 *   y = s x:  dx = s' dy;  ds_e = dy[row of e] . x[column of e], for the numbers e that s has.
 * The order of the transposed matrix is made once, so that its product too is summed row by row. */
#include "../device/linalg.h"
#include "../internal.h"
#include <stdlib.h>

struct AbSparse {
  AbContext *ctx;
  int32_t refs;
  int64_t rows, cols, count;
  AbTensor *values;
  AbTensor *starts, *columns;                /* of the matrix */
  AbTensor *turned, *turned_columns, *order; /* of its transpose */
};

/* ---- making ---------------------------------------------------------------------------------- */

static AbTensor *integers(AbContext *ctx, int64_t count) {
  return ab_tensor_new_unowned(ctx, AB_I64, 1, &count, false);
}

static bool sizes_fit(AbContext *ctx, int64_t rows, int64_t cols, const int64_t *starts) {
  if (rows < 0 || cols < 0) {
    ab_error(ctx, AB_CONFIG, "sparse: a matrix of %lld rows and %lld columns", (long long)rows,
             (long long)cols);
    return false;
  }
  if (starts[0] != 0) {
    ab_error(ctx, AB_DATA, "sparse: the rows start at number %lld, not at 0", (long long)starts[0]);
    return false;
  }
  for (int64_t r = 0; r < rows; r++) {
    if (starts[r + 1] >= starts[r]) continue;
    ab_error(ctx, AB_DATA, "sparse: row %lld starts at number %lld and ends at %lld", (long long)r,
             (long long)starts[r], (long long)starts[r + 1]);
    return false;
  }
  return true;
}

static bool columns_fit(AbContext *ctx, int64_t rows, int64_t cols, const int64_t *starts,
                        const int64_t *columns) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t e = starts[r]; e < starts[r + 1]; e++) {
      if (columns[e] >= 0 && columns[e] < cols) continue;
      ab_error(ctx, AB_DATA, "sparse: column %lld of row %lld is not within 0 to %lld",
               (long long)columns[e], (long long)r, (long long)cols - 1);
      return false;
    }
  }
  return true;
}

/* Counting sort by column: within a column in the order of the rows. */
static void turn(AbSparse *s) {
  const int64_t *starts = ab_data_of(s->starts), *columns = ab_data_of(s->columns);
  int64_t *first = ab_data_of(s->turned), *row = ab_data_of(s->turned_columns);
  int64_t *order = ab_data_of(s->order);
  for (int64_t c = 0; c <= s->cols; c++) first[c] = 0;
  for (int64_t e = 0; e < s->count; e++) first[columns[e] + 1]++;
  for (int64_t c = 0; c < s->cols; c++) first[c + 1] += first[c];
  for (int64_t r = 0; r < s->rows; r++) {
    for (int64_t e = starts[r]; e < starts[r + 1]; e++) {
      int64_t at = first[columns[e]]++;
      row[at] = r;
      order[at] = e;
    }
  }
  for (int64_t c = s->cols; c > 0; c--) first[c] = first[c - 1]; /* each had moved to its end */
  first[0] = 0;
}

/* Values of a pattern: real, [count], dense. */
static AbTensor *values_of(const AbSparse *s, const char *operation, AbTensor *values) {
  if (!values || values == AB_NONE || !ab_is_real(values, operation)) return NULL;
  if (values->ctx != s->ctx) {
    ab_error(s->ctx, AB_INTERNAL, "%s: its operands belong to two contexts", operation);
    return NULL;
  }
  if (values->rank == 1 && values->shape[0] == s->count) return ab_dense(values);
  char text[220];
  ab_error(s->ctx, AB_CONFIG, "%s: values of %s; wanted are [%lld], one per number of the matrix",
           operation, ab_tensor_text(values, text, sizeof text), (long long)s->count);
  return NULL;
}

static bool fill(AbSparse *s, const int64_t *starts, const int64_t *columns, AbTensor *values) {
  s->starts = integers(s->ctx, s->rows + 1);
  s->columns = integers(s->ctx, s->count);
  s->turned = integers(s->ctx, s->cols + 1);
  s->turned_columns = integers(s->ctx, s->count);
  s->order = integers(s->ctx, s->count);
  if (!s->starts || !s->columns || !s->turned || !s->turned_columns || !s->order) return false;
  int64_t *to = ab_data_of(s->starts), *column = ab_data_of(s->columns);
  for (int64_t r = 0; r <= s->rows; r++) to[r] = starts[r];
  for (int64_t e = 0; e < s->count; e++) column[e] = columns[e];
  turn(s);
  if (values == AB_NONE) values = ab_full(s->ctx, s->ctx->real, AB_SHAPE(s->count), 1);
  s->values = ab_ref(values_of(s, "sparse", values));
  return s->values;
}

AbSparse *ab_sparse_new(AbContext *ctx, int64_t rows, int64_t cols, const int64_t *starts,
                        const int64_t *columns, AbTensor *values) {
  if (!values) return NULL;
  if (!starts || (rows > 0 && starts[rows] > 0 && !columns)) {
    ab_error(ctx, AB_INTERNAL, "sparse: its starts or its columns are NULL");
    return NULL;
  }
  if (!sizes_fit(ctx, rows, cols, starts) || !columns_fit(ctx, rows, cols, starts, columns))
    return NULL;
  AbSparse *s = calloc(1, sizeof *s);
  if (!s) {
    ab_error(ctx, AB_INTERNAL, "out of memory");
    return NULL;
  }
  *s = (AbSparse){.ctx = ctx, .refs = 1, .rows = rows, .cols = cols, .count = starts[rows]};
  if (fill(s, starts, columns, values)) return s;
  ab_sparse_unref(s);
  return NULL;
}

AbSparse *ab_sparse_ref(AbSparse *s) {
  if (s) s->refs++;
  return s;
}

void ab_sparse_unref(AbSparse *s) {
  if (!s || --s->refs > 0) return;
  AbTensor *held[] = {s->values, s->starts, s->columns, s->turned, s->turned_columns, s->order};
  for (size_t i = 0; i < sizeof held / sizeof *held; i++) ab_unref(held[i]);
  free(s);
}

AbShape ab_sparse_shape(const AbSparse *s) {
  return s ? AB_SHAPE(s->rows, s->cols) : ab_scalar_shape();
}

AbTensor *ab_sparse_values(const AbSparse *s) {
  return s ? s->values : NULL;
}

/* ---- operations ------------------------------------------------------------------------------
 * The inputs of both are two tensors and the pattern, which the record keeps alive:
 *   product: values, x; dots: a, b; then starts, columns, turned, turned_columns, order.
 * ints[0]: product of the transposed matrix.                                                     */

enum { STARTS = 2, COLUMNS, TURNED, TURNED_COLUMNS, ORDER, INPUTS };

static AbPattern pattern_of(AbTensor *const *inputs, bool turned) {
  AbTensor *starts = inputs[turned ? TURNED : STARTS];
  return (AbPattern){
      .rows = starts->shape[0] - 1,
      .starts = ab_data_of(starts),
      .columns = ab_data_of(inputs[turned ? TURNED_COLUMNS : COLUMNS]),
      .order = turned ? ab_data_of(inputs[ORDER]) : NULL,
  };
}

static AbTensor *product(AbTensor *const *pattern, AbTensor *values, AbTensor *x, bool turned);
static AbTensor *dots(AbTensor *const *pattern, AbTensor *a, AbTensor *b);

static void product_backward(AbTensor *y, AbTensor *g) {
  AbTensor *values = y->inputs[0], *x = y->inputs[1];
  bool turned = y->ints[0];
  if (ab_wants(y, 0)) ab_accumulate(y, 0, turned ? dots(y->inputs, x, g) : dots(y->inputs, g, x));
  if (ab_wants(y, 1)) ab_accumulate(y, 1, product(y->inputs, values, g, !turned));
}
static const AbOp product_op = {"sparse_matmul", product_backward};

static void dots_backward(AbTensor *y, AbTensor *g) {
  if (ab_wants(y, 0)) ab_accumulate(y, 0, product(y->inputs, g, y->inputs[1], false));
  if (ab_wants(y, 1)) ab_accumulate(y, 1, product(y->inputs, g, y->inputs[0], true));
}
static const AbOp dots_op = {"sparse_matmul", dots_backward};

static AbTensor *record(AbTensor *y, const AbOp *op, AbTensor *const *pattern, AbTensor *first,
                        AbTensor *second) {
  AbTensor *inputs[INPUTS] = {first, second};
  for (int32_t i = STARTS; i < INPUTS; i++) inputs[i] = pattern[i];
  return ab_record(y, op, inputs, INPUTS);
}

/* y [rows, n], or of the transposed matrix [cols, n] */
static AbTensor *product(AbTensor *const *pattern, AbTensor *values, AbTensor *x, bool turned) {
  if (!(values = ab_dense(values)) || !(x = ab_dense(x))) return NULL;
  AbPattern s = pattern_of(pattern, turned);
  int64_t n = x->shape[1];
  bool shape_only = !x->storage || !values->storage;
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, 2, (int64_t[]){s.rows, n}, shape_only);
  if (!y) return NULL;
  if (shape_only)
    y->ctx->multiply_adds += pattern[COLUMNS]->shape[0] * n;
  else
    y->ctx->device->linalg->sparse(y->dtype, &s, n, ab_data_of(values), ab_data_of(x),
                                   ab_data_of(y));
  y->ints[0] = turned;
  return record(y, &product_op, pattern, values, x);
}

static AbTensor *dots(AbTensor *const *pattern, AbTensor *a, AbTensor *b) {
  if (!(a = ab_dense(a)) || !(b = ab_dense(b))) return NULL;
  AbPattern s = pattern_of(pattern, false);
  AbTensor *y = ab_tensor_new(a->ctx, a->dtype, 1, pattern[COLUMNS]->shape, false);
  if (!y) return NULL;
  y->ctx->device->linalg->sparse_dots(y->dtype, &s, a->shape[1], ab_data_of(a), ab_data_of(b),
                                      ab_data_of(y));
  return record(y, &dots_op, pattern, a, b);
}

AbTensor *ab_sparse_matmul_values(AbSparse *s, AbTensor *values, AbTensor *x) {
  if (!s || !values || !x || x == AB_NONE) return NULL;
  if (!(values = values_of(s, "sparse_matmul", values)) || !ab_fit("sparse_matmul", values, x))
    return NULL;
  if (x->rank != 2 || x->shape[0] != s->cols) {
    char text[220];
    ab_error(s->ctx, AB_CONFIG,
             "sparse_matmul: a matrix [%lld, %lld] and x of %s; wanted is [%lld, n]",
             (long long)s->rows, (long long)s->cols, ab_tensor_text(x, text, sizeof text),
             (long long)s->cols);
    return NULL;
  }
  AbTensor *pattern[INPUTS] = {NULL,    NULL, s->starts, s->columns, s->turned, s->turned_columns,
                               s->order};
  return product(pattern, values, x, false);
}

AbTensor *ab_sparse_matmul(AbSparse *s, AbTensor *x) {
  return s ? ab_sparse_matmul_values(s, s->values, x) : NULL;
}
