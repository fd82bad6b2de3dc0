/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of the optimizers over REAL (float or double), included once for each by optimizers.c.
 * NAME(f) is the function's name, M(f) the library's function for the type.                     */

/* What one weight is moved by, beyond decay: its states are brought up to date on the way. */
static REAL NAME(move)(AbOptimizerRule rule, const NAME(Job) * j, REAL g, REAL w, REAL *a, REAL *b,
                       REAL *c) {
  REAL d;
  switch (rule) {
  case K_STEP_SGD: return j->lr * g;
  case K_STEP_MOMENTUM: return j->lr * (*a = j->b1 * *a + g);
  case K_STEP_NESTEROV: *a = j->b1 * *a + g; return j->lr * (g + j->b1 * *a);
  case K_STEP_ADAGRAD: *a += g * g; return j->lr * g / (M(sqrt)(*a) + j->epsilon);
  case K_STEP_RMSPROP:
    *a = j->b1 * *a + j->a1 * g * g;
    *c = j->centred ? j->b1 * *c + j->a1 * g : 0;
    d = *a - *c * *c;
    d = g / (M(sqrt)(d > 0 ? d : 0) + j->epsilon);
    return j->lr * (*b = j->b2 * *b + d);
  case K_STEP_ADADELTA:
    *a = j->b1 * *a + j->a1 * g * g;
    d = g * M(sqrt)((*b + j->epsilon) / (*a + j->epsilon));
    *b = j->b1 * *b + j->a1 * d * d;
    return j->lr * d;
  case K_STEP_ADAM:
  case K_STEP_NADAM:
    *a = j->b1 * *a + j->a1 * g;
    *b = j->b2 * *b + j->a2 * g * g;
    return (j->lr * *a + j->ahead * g) / (M(sqrt)(*b) * j->root + j->epsilon);
  case K_STEP_ADAMAX:
    *a = j->b1 * *a + j->a1 * g;
    d = M(fabs)(g) + j->epsilon;
    *b = j->b2 * *b > d ? j->b2 * *b : d;
    return j->lr * *a / *b;
  case K_STEP_LION:
    d = j->b1 * *a + j->a1 * g;
    *a = j->b2 * *a + j->a2 * g;
    return j->lr * (REAL)((d > 0) - (d < 0));
  case K_STEP_NOVOGRAD: *a = j->b1 * *a + j->root * g + j->decay * w; return j->lr * *a;
  }
  return 0;
}

static void NAME(step)(AbOptimizerRule rule, const AbOptimizerJob *job) {
  NAME(Job)
  j = {(REAL)job->lr,       (REAL)job->b1,      (REAL)job->b2,   (REAL)(1 - job->b1),
       (REAL)(1 - job->b2), (REAL)job->epsilon, (REAL)job->root, (REAL)job->ahead,
       (REAL)job->decay,    job->c != NULL};
  REAL *w = job->w, *a = job->a, *b = job->b, *c = job->c;
  const REAL *given = job->g;
  REAL scale = (REAL)job->scale, limit = (REAL)job->limit, keep = (REAL)job->keep;
  if (rule != K_STEP_NADAM) j.ahead = 0;
  if (rule == K_STEP_RMSPROP && !b) j.b2 = 0;
  for (int64_t i = 0; i < job->n; i++) {
    REAL g = given[i] * scale, none[3] = {0};
    g = g > limit ? limit : g < -limit ? -limit : g;
    REAL by = NAME(move)(rule, &j, g, w[i], a ? &a[i] : &none[0], b ? &b[i] : &none[1],
                         c ? &c[i] : &none[2]);
    w[i] = keep * w[i] - by;
  }
}
