/* SPDX-License-Identifier: Apache-2.0
 *
 * The in-place steps of the optimizers: arguments are checked, and what depends on the number of
 * the step alone is worked out in double. The loops are in device/<device>/optimizers.c. */
#include "../device/optimizers.h"
#include "../internal.h"
#include <math.h>

/* ---- checks ---------------------------------------------------------------------------------- */

static bool alike(const char *operation, const AbTensor *w, const AbTensor *x) {
  if (!ab_belong_together(operation, w, x)) return false;
  if (w->dtype == x->dtype && ab_same_shape(w, x) && ab_tensor_dense(w) && ab_tensor_dense(x))
    return w->storage && x->storage;
  char a[220], b[220];
  ab_error(w->ctx, AB_INTERNAL, "%s: weights of %s and a state or gradient of %s differ", operation,
           ab_tensor_text(w, a, sizeof a), ab_tensor_text(x, b, sizeof b));
  return false;
}

/* A job on w; `states` of it, NULL to AB_NONE where a rule can do without. */
static bool begin(const char *operation, AbOptimizerJob *job, AbTensor *w, AbTensor *g,
                  AbTensor *const *states) {
  if (!ab_is_real(w, operation) || !alike(operation, w, g)) return false;
  void **place[] = {&job->a, &job->b, &job->c};
  *job = (AbOptimizerJob){.n = ab_tensor_count(w), .scale = 1, .limit = INFINITY, .keep = 1};
  for (int i = 0; i < 3; i++) {
    if (states[i] == AB_NONE) continue;
    if (!alike(operation, w, states[i])) return false;
    *place[i] = ab_data_of(states[i]);
  }
  job->w = ab_data_of(w);
  job->g = ab_data_of(g);
  if (g->ints[AB_CLIP_PENDING] && !g->op) { /* of ab_update_unclipped */
    job->scale = g->reals[0];
    job->limit = g->reals[1];
  }
  return true;
}

static void run(AbTensor *w, AbOptimizerRule rule, const AbOptimizerJob *job) {
  w->ctx->device->optimizers->step(rule, w->dtype, job);
  w->storage->version++;
}

static bool counted(const char *operation, const AbTensor *w, int64_t t) {
  if (t >= 1) return true;
  ab_error(w->ctx, AB_INTERNAL, "%s: steps count from 1, not %lld", operation, (long long)t);
  return false;
}

/* ---- one velocity or one sum ----------------------------------------------------------------- */

static bool kept(const char *operation, const AbTensor *w, const AbTensor *v, double momentum) {
  if (v != AB_NONE || momentum == 0) return true;
  ab_error(w->ctx, AB_INTERNAL, "%s: a momentum of %g wants a velocity", operation, momentum);
  return false;
}

void ab_step_sgd(AbTensor *w, AbTensor *g, AbTensor *v, double lr, double momentum, bool nesterov) {
  AbOptimizerJob job;
  if (!begin("step_sgd", &job, w, g, (AbTensor *[]){v, AB_NONE, AB_NONE}) ||
      !kept("step_sgd", w, v, momentum))
    return;
  job.lr = lr;
  job.b1 = momentum;
  run(w, v == AB_NONE ? K_STEP_SGD : nesterov ? K_STEP_NESTEROV : K_STEP_MOMENTUM, &job);
}

void ab_step_adagrad(AbTensor *w, AbTensor *g, AbTensor *s, double lr, double epsilon) {
  AbOptimizerJob job;
  if (s == AB_NONE) s = NULL;
  if (!begin("step_adagrad", &job, w, g, (AbTensor *[]){s, AB_NONE, AB_NONE})) return;
  job.lr = lr;
  job.epsilon = epsilon;
  run(w, K_STEP_ADAGRAD, &job);
}

void ab_step_rmsprop(AbTensor *w, AbTensor *g, AbTensor *s, AbTensor *v, AbTensor *mean, double lr,
                     double alpha, double epsilon, double momentum) {
  AbOptimizerJob job;
  if (s == AB_NONE) s = NULL;
  if (!begin("step_rmsprop", &job, w, g, (AbTensor *[]){s, v, mean}) ||
      !kept("step_rmsprop", w, v, momentum))
    return;
  job.lr = lr;
  job.b1 = alpha;
  job.b2 = momentum;
  job.epsilon = epsilon;
  run(w, K_STEP_RMSPROP, &job);
}

void ab_step_lion(AbTensor *w, AbTensor *g, AbTensor *m, double lr, double b1, double b2,
                  double decay) {
  AbOptimizerJob job;
  if (m == AB_NONE) m = NULL;
  if (!begin("step_lion", &job, w, g, (AbTensor *[]){m, AB_NONE, AB_NONE})) return;
  job.lr = lr;
  job.b1 = b1;
  job.b2 = b2;
  job.keep = 1 - lr * decay;
  run(w, K_STEP_LION, &job);
}

/* ---- two moments ----------------------------------------------------------------------------- */

/* A job with two states that there must be. */
static bool begin_two(const char *operation, AbOptimizerJob *job, AbTensor *w, AbTensor *g,
                      AbTensor *a, AbTensor *b, double b1, double b2, double epsilon) {
  if (a == AB_NONE) a = NULL;
  if (b == AB_NONE) b = NULL;
  if (!begin(operation, job, w, g, (AbTensor *[]){a, b, AB_NONE})) return false;
  job->b1 = b1;
  job->b2 = b2;
  job->epsilon = epsilon;
  return true;
}

void ab_step_adadelta(AbTensor *w, AbTensor *g, AbTensor *s, AbTensor *u, double lr, double rho,
                      double epsilon) {
  AbOptimizerJob job;
  if (!begin_two("step_adadelta", &job, w, g, s, u, rho, 0, epsilon)) return;
  job.lr = lr;
  run(w, K_STEP_ADADELTA, &job);
}

static void adam(const char *operation, AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s,
                 double lr, double b1, double b2, double epsilon, double decay, int64_t t) {
  AbOptimizerJob job;
  if (!begin_two(operation, &job, w, g, m, s, b1, b2, epsilon) || !counted(operation, w, t)) return;
  job.lr = lr / (1 - pow(b1, (double)t));
  job.root = 1 / sqrt(1 - pow(b2, (double)t));
  job.keep = 1 - lr * decay;
  run(w, K_STEP_ADAM, &job);
}

void ab_step_adam(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr, double b1,
                  double b2, double epsilon, int64_t t) {
  adam("step_adam", w, g, m, s, lr, b1, b2, epsilon, 0, t);
}

void ab_step_adamw(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr, double b1,
                   double b2, double epsilon, double decay, int64_t t) {
  adam("step_adamw", w, g, m, s, lr, b1, b2, epsilon, decay, t);
}

void ab_step_adamax(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *u, double lr, double b1,
                    double b2, double epsilon, int64_t t) {
  AbOptimizerJob job;
  if (!begin_two("step_adamax", &job, w, g, m, u, b1, b2, epsilon) || !counted("step_adamax", w, t))
    return;
  job.lr = lr / (1 - pow(b1, (double)t));
  run(w, K_STEP_ADAMAX, &job);
}

/* c_t, c_(t+1) and the product C_t of ab_step_nadam. A product below 1e-20 is as good as 0 to
 * 1 - C, so the loop ends early whatever t is. */
static double nadam_product(double b1, int64_t t, double *now, double *next) {
  const double q = pow(0.96, 0.004);
  double product = 1, power = 1;
  for (int64_t i = 1; i <= t && product > 1e-20; i++) {
    power *= q;
    product *= b1 * (1 - 0.5 * power);
  }
  *now = b1 * (1 - 0.5 * pow(q, (double)t));
  *next = b1 * (1 - 0.5 * pow(q, (double)t + 1));
  return product;
}

void ab_step_nadam(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr, double b1,
                   double b2, double epsilon, int64_t t) {
  AbOptimizerJob job;
  double now, next;
  if (!begin_two("step_nadam", &job, w, g, m, s, b1, b2, epsilon) || !counted("step_nadam", w, t))
    return;
  double product = nadam_product(b1, t, &now, &next);
  job.lr = lr * next / (1 - product * next);
  job.ahead = lr * (1 - now) / (1 - product);
  job.root = 1 / sqrt(1 - pow(b2, (double)t));
  run(w, K_STEP_NADAM, &job);
}

/* Without the second moment the root counts for nothing, and 1 stands in for epsilon. */
void ab_step_radam(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr, double b1,
                   double b2, double epsilon, int64_t t) {
  AbOptimizerJob job;
  if (!begin_two("step_radam", &job, w, g, m, s, b1, b2, epsilon) || !counted("step_radam", w, t))
    return;
  double power = pow(b2, (double)t), most = 2 / (1 - b2) - 1;
  double length = most - 2 * (double)t * power / (1 - power);
  job.lr = lr / (1 - pow(b1, (double)t));
  if (length > 5) {
    double rectified = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length);
    job.lr *= sqrt(rectified * (1 - power));
    job.root = 1;
  } else {
    job.epsilon = 1;
  }
  run(w, K_STEP_ADAM, &job);
}

/* ---- layer-wise ------------------------------------------------------------------------------ */

/* The second moment of a weight's gradient as a whole: one number, kept in s. */
static bool layer_moment(AbTensor *s, const AbTensor *w, double squares, double b2, int64_t t,
                         double *moment) {
  char text[220];
  if (!ab_belong_together("step_novograd", w, s) || !counted("step_novograd", w, t)) return false;
  if (s->dtype != w->dtype || ab_tensor_count(s) != 1) {
    ab_error(w->ctx, AB_INTERNAL, "step_novograd: its second moment is one number, not %s",
             ab_tensor_text(s, text, sizeof text));
    return false;
  }
  double before = ab_item(s);
  *moment = t == 1 ? squares : b2 * before + (1 - b2) * squares;
  w->ctx->device->fill(s->dtype, 1, ab_data_of(s), *moment);
  s->storage->version++;
  return ab_ok(w->ctx);
}

void ab_step_novograd(AbTensor *w, AbTensor *g, AbTensor *m, AbTensor *s, double lr, double b1,
                      double b2, double epsilon, double decay, int64_t t) {
  AbOptimizerJob job;
  double moment;
  if (m == AB_NONE) m = NULL;
  if (!begin("step_novograd", &job, w, g, (AbTensor *[]){m, AB_NONE, AB_NONE})) return;
  double squares = w->ctx->device->sum_squares(w->dtype, job.n, job.g);
  if (!layer_moment(s, w, squares * job.scale * job.scale, b2, t, &moment)) return;
  double length = sqrt(moment) + epsilon;
  job.lr = lr;
  job.b1 = b1;
  job.root = length > 0 ? 1 / length : 0;
  job.decay = decay;
  run(w, K_STEP_NOVOGRAD, &job);
}
