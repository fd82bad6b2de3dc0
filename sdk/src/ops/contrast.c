/* SPDX-License-Identifier: Apache-2.0
 *
 * The statistic of contrastive divergence: the difference of two mean energies,
 *   s = <W, G>,   G = v' h / n - vk' hk / m,   ds/dW = G
 * G is made once, in the forward pass, by two products into one matrix. */
#include "../internal.h"

static void contrast_backward(AbTensor *y, AbTensor *g) {
  AbTensor *W = y->inputs[0], *G = y->saved[0];
  if (y->ctx->differentiable) {
    ab_accumulate(y, 0, ab_mul(G, g));
    return;
  }
  bool add;
  AbTensor *target = ab_gradient_target(y, 0, &add);
  if (!target) return;
  if (add)
    ab_accumulate(y, 0, ab_mul(G, g));
  else
    W->ctx->device->affine(W->dtype, ab_tensor_count(W), ab_data_of(target), ab_data_of(G),
                           ab_item(g), 0);
  if (!add) ab_accumulated(y, 0, target);
}
static const AbOp contrast_op = {"contrast", contrast_backward};

static bool fits(const AbTensor *W, const AbTensor *v, const AbTensor *h) {
  if (W->rank == 2 && v->rank == 2 && h->rank == 2 && v->shape[0] == h->shape[0] &&
      v->shape[1] == W->shape[0] && h->shape[1] == W->shape[1] && v->shape[0] > 0)
    return true;
  char a[220], b[220], c[220];
  ab_error(
      W->ctx, AB_CONFIG,
      "contrast: W of %s, v of %s and h of %s do not fit; wanted are W [v, h], v [n, v], h [n, "
      "h], n at least 1",
      ab_tensor_text(W, a, sizeof a), ab_tensor_text(v, b, sizeof b),
      ab_tensor_text(h, c, sizeof c));
  return false;
}

/* G := scale v' h + beta G. The narrower of the two is scaled. */
static void statistic(AbTensor *G, AbTensor *v, AbTensor *h, double scale, double beta) {
  if (v->shape[1] < h->shape[1])
    v = ab_affine(v, scale, 0);
  else
    h = ab_affine(h, scale, 0);
  if (v && h) ab_multiply(G, ab_transpose(v, 0, 1), h, beta);
}

AbTensor *ab_contrast(AbTensor *W, AbTensor *v, AbTensor *h, AbTensor *vk, AbTensor *hk) {
  AbTensor *all[] = {v, h, vk, hk};
  for (int i = 0; i < 4; i++)
    if (!ab_fit("contrast", W, all[i])) return NULL;
  if (!fits(W, v, h) || !fits(W, vk, hk)) return NULL;
  AbContext *ctx = W->ctx;
  bool shape_only = !W->storage || !v->storage || !h->storage || !vk->storage || !hk->storage;
  bool recording = ab_set_recording(ctx, false);
  AbScope scope = ab_scope_begin(ctx);
  AbTensor *G = ab_tensor_new(ctx, W->dtype, 2, W->shape, shape_only);
  if (G) statistic(G, v, h, 1.0 / (double)v->shape[0], 0);
  if (G) statistic(G, vk, hk, -1.0 / (double)vk->shape[0], 1);
  AbTensor *s = ab_sum(ab_mul(W, G));
  AbTensor *kept[] = {G, s};
  ab_scope_end(ctx, scope, kept, 2);
  ab_set_recording(ctx, recording);
  if (!s || !ab_ok(ctx)) return NULL;
  ab_record(s, &contrast_op, &W, 1);
  ab_save(s, 0, G);
  return s;
}
