/* SPDX-License-Identifier: Apache-2.0
 *
 * Triangular solves and the Cholesky factor, with gradients as in Murray, "Differentiation of the
 * Cholesky decomposition", 2016 (Phi: the lower triangle, its diagonal halved):
 *   x = op(l)^-1 b:   db = op(l)^-T dx;   dl = -db x', transposed where op is, its triangle alone
 *   l l' = a:         s = l^-T Phi(l' dl) l^-1;   da = (s + s') / 2 */
#include "../device/linalg.h"
#include "../internal.h"

static bool square(const AbTensor *x) {
  return x->rank >= 2 && x->shape[x->rank - 1] == x->shape[x->rank - 2];
}

/* ones where a triangle is, `diagonal` on the diagonal */
static AbTensor *triangle(const AbTensor *like, bool lower, double diagonal) {
  int64_t n = like->shape[like->rank - 1];
  AbTensor *y = ab_empty(like->ctx, AB_F64, AB_SHAPE(n, n));
  double *to = ab_map(y, true);
  if (!to) return NULL;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) to[i * n + j] = i == j ? diagonal : (i > j) == lower;
  ab_unmap(y);
  return ab_cast(y, like->dtype);
}

/* A dense copy, to be changed in place. */
static AbTensor *copy_of(AbTensor *x) {
  AbTensor *y = ab_tensor_new(x->ctx, x->dtype, x->rank, x->shape, !x->storage);
  if (y && x->storage && ab_tensor_count(x) > 0) {
    AbLoop loop = ab_loop(y, x, NULL);
    x->ctx->device->copy(&loop, y->dtype, ab_data_of(y), x->dtype, ab_data_of(x));
  }
  return y;
}

/* ---- triangular solves ---------------------------------------------------------------------- */

static void solve_backward(AbTensor *y, AbTensor *g) {
  AbTensor *l = y->inputs[0];
  bool lower = y->ints[0], transposed = y->ints[1];
  AbTensor *db = ab_triangular_solve(l, g, lower, !transposed);
  if (ab_wants(y, 1)) ab_accumulate(y, 1, db);
  if (!ab_wants(y, 0)) return;
  AbTensor *left = transposed ? y : db, *right = transposed ? db : y;
  AbTensor *dl = ab_neg(ab_matmul(left, ab_transpose(right, -2, -1)));
  ab_accumulate(y, 0, ab_mul(dl, triangle(l, lower, 1)));
}
static const AbOp solve_op = {"triangular_solve", solve_backward};

/* l and b stretched to one batch. */
static bool same_batch(AbTensor **l, AbTensor **b) {
  AbShape left = ab_shape(*l), right = ab_shape(*b);
  int32_t rank = left.rank > right.rank ? left.rank : right.rank;
  AbShape to_l = {.rank = rank}, to_b = {.rank = rank};
  for (int32_t i = 1; i <= rank; i++) {
    int64_t m = i <= left.rank ? left.dims[left.rank - i] : 1;
    int64_t n = i <= right.rank ? right.dims[right.rank - i] : 1;
    if (i > 2 && m != n && m != 1 && n != 1) return false;
    to_l.dims[rank - i] = i > 2 && m == 1 ? n : m;
    to_b.dims[rank - i] = i > 2 && n == 1 ? m : n;
  }
  *l = ab_broadcast_to(*l, to_l);
  *b = ab_broadcast_to(*b, to_b);
  return true;
}

AbTensor *ab_triangular_solve(AbTensor *L, AbTensor *B, bool lower, bool transposed) {
  if (!ab_fit("triangular_solve", L, B)) return NULL;
  bool fits = square(L) && B->rank >= 2 && B->shape[B->rank - 2] == L->shape[L->rank - 1];
  AbTensor *l = L, *b = B;
  if (!fits || !same_batch(&l, &b)) {
    char left[220], right[220];
    ab_error(L->ctx, AB_CONFIG,
             "triangular_solve: L of %s and B of %s; wanted are [..., n, n] and [..., n, k]",
             ab_tensor_text(L, left, sizeof left), ab_tensor_text(B, right, sizeof right));
    return NULL;
  }
  if (!(l = ab_dense(l)) || !b) return NULL;
  bool shape_only = !l->storage || !b->storage;
  AbTensor *x = shape_only ? ab_tensor_new(b->ctx, b->dtype, b->rank, b->shape, true) : copy_of(b);
  if (!x) return NULL;
  int64_t n = x->shape[x->rank - 2], k = x->shape[x->rank - 1];
  if (!shape_only && ab_tensor_count(x) > 0)
    x->ctx->device->linalg->solve(x->dtype, lower, transposed, ab_tensor_count(x) / (n * k), n, k,
                                  ab_data_of(l), ab_data_of(x));
  x->ints[0] = lower;
  x->ints[1] = transposed;
  return ab_record(x, &solve_op, (AbTensor *[]){l, b}, 2);
}

/* ---- Cholesky ------------------------------------------------------------------------------- */

static void cholesky_backward(AbTensor *y, AbTensor *g) {
  AbTensor *phi = ab_mul(ab_matmul(ab_transpose(y, -2, -1), g), triangle(y, true, 0.5));
  AbTensor *half = ab_triangular_solve(y, phi, true, true);
  AbTensor *s = ab_triangular_solve(y, half ? ab_transpose(half, -2, -1) : NULL, true, true);
  if (s) ab_accumulate(y, 0, ab_affine(ab_add(s, ab_transpose(s, -2, -1)), 0.5, 0));
}
static const AbOp cholesky_op = {"cholesky", cholesky_backward};

static bool factorise(AbTensor *x) {
  int64_t n = x->shape[x->rank - 1], batch = ab_tensor_count(x) / (n * n);
  AbTensor *pivots = ab_tensor_new(x->ctx, AB_I64, 1, &batch, false);
  if (!pivots) return false;
  int64_t *pivot = ab_data_of(pivots);
  x->ctx->device->linalg->cholesky(x->dtype, batch, n, ab_data_of(x), pivot);
  for (int64_t i = 0; i < batch; i++) {
    if (pivot[i] < 0) continue;
    char text[220];
    ab_error(x->ctx, AB_DATA,
             "cholesky: matrix %lld of the batch of %s is not positive definite: its pivot %lld is "
             "not above 0",
             (long long)i, ab_tensor_text(x, text, sizeof text), (long long)pivot[i]);
    return false;
  }
  return true;
}

AbTensor *ab_cholesky(AbTensor *A) {
  if (!ab_is_real(A, "cholesky")) return NULL;
  if (!square(A)) {
    char text[220];
    ab_error(A->ctx, AB_CONFIG, "cholesky wants square matrices [..., n, n], not %s",
             ab_tensor_text(A, text, sizeof text));
    return NULL;
  }
  AbTensor *y = copy_of(A);
  if (!y || (y->storage && ab_tensor_count(y) > 0 && !factorise(y))) return NULL;
  return ab_record(y, &cholesky_op, &A, 1);
}

AbTensor *ab_cholesky_solve(AbTensor *L, AbTensor *B) {
  return ab_triangular_solve(L, ab_triangular_solve(L, B, true, false), true, true);
}
