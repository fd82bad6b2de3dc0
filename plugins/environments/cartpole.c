/* SPDX-License-Identifier: Apache-2.0
 *
 * A pole that is balanced on a cart (Barto, Sutton, Anderson 1983), with the equations as Florian
 * 2007 corrects them, without friction:
 *
 *   a   = (F + m l w^2 sin p) / (M + m)
 *   w'  = (g sin p - a cos p) / (l (4/3 - m cos^2 p / (M + m)))
 *   v'  = a - m l w' cos p / (M + m)
 *
 * x, v are place and speed of the cart, p, w angle and angular speed of the pole; the state is
 * (x, v, p, w), advanced by Euler steps of 0.02 s: all four by the derivatives before the step. The
 * force F is -10 N (action 0) or 10 N (action 1). Each step is worth 1; the episode ends where the
 * cart is more than 2.4 m from the middle or the pole more than 12 degrees from upright. It begins
 * with each of the four uniform in +-0.05.                                                       */
#include <absdk/absdk.h>
#include <math.h>

#define GRAVITY 9.8 /* m / s^2 */
#define CART    1.0 /* M, kg   */
#define POLE    0.1 /* m, kg   */
#define HALF    0.5 /* l, m: half the length of the pole */
#define FORCE   10.0
#define TIME    0.02
#define EDGE    2.4
#define TILT    (12 * 3.14159265358979323846 / 180)

typedef struct {
  AbEnvironment base;
  int64_t limit;
  bool scaled;
  AbTensor *state; /* x, v, p, w */
} Cartpole;

static const AbParam params[] = {
    AB_PARAM_INT(Cartpole, limit, 200, 1, 1 << 30, "steps",
                 "After how many an episode is broken off."),
    AB_PARAM_BOOL(Cartpole, scaled, false,
                  "Show place and angle, and their speeds, over the bounds."),
};

static void build(AbEnvironment *self) {
  Cartpole *c = (Cartpole *)self;
  AbSpec observation = {.rank = 1, .dtype = ab_real_dtype(ab_context(self)), .shape = {4}};
  ab_environment_declare(self, &observation, 2, c->limit);
  c->state = ab_buffer(self, "state", AB_F64, AB_SHAPE(4), "x");
}

static void reset(AbEnvironment *self) {
  Cartpole *c = (Cartpole *)self;
  ab_assign(c->state, ab_uniform(ab_context(self), AB_SHAPE(4), -0.05, 0.05));
}

static AbTensor *observe(AbEnvironment *self) {
  Cartpole *c = (Cartpole *)self;
  AbContext *ctx = ab_context(self);
  const double *s = ab_map(c->state, false);
  if (!s) return NULL;
  double x = c->scaled ? EDGE : 1, p = c->scaled ? TILT : 1;
  double seen[] = {s[0] / x, s[1] / x, s[2] / p, s[3] / p};
  ab_unmap(c->state);
  return ab_cast(ab_from(ctx, AB_F64, AB_SHAPE(4), seen), ab_real_dtype(ctx));
}

static double step(AbEnvironment *self, int64_t action, bool *terminal) {
  Cartpole *c = (Cartpole *)self;
  double *s = ab_map(c->state, true);
  if (!s) return 0;
  double v = s[1], p = s[2], w = s[3], total = CART + POLE, cosine = cos(p);
  double a = ((action ? FORCE : -FORCE) + POLE * HALF * w * w * sin(p)) / total;
  double turning =
      (GRAVITY * sin(p) - a * cosine) / (HALF * (4.0 / 3 - POLE * cosine * cosine / total));
  double speeding = a - POLE * HALF * turning * cosine / total;
  s[0] += TIME * v;
  s[1] += TIME * speeding;
  s[2] += TIME * w;
  s[3] += TIME * turning;
  *terminal = fabs(s[0]) > EDGE || fabs(s[2]) > TILT;
  ab_unmap(c->state);
  return 1;
}

static const AbEnvironmentVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .reset = reset,
    .observe = observe,
    .step = step,
};

static const AbComponent cartpole = {
    .struct_size = sizeof cartpole,
    .kind = AB_KIND_ENVIRONMENT,
    .name = "cartpole",
    .doc = "A pole to be balanced on a cart that is pushed to the left or to the right.",
    .citation = "Barto, Sutton, Anderson: Neuronlike adaptive elements that can solve difficult "
                "learning control problems. IEEE Transactions on Systems, Man, and Cybernetics 13, "
                "1983.",
    .instance_size = sizeof(Cartpole),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.environment.cartpole", "0.1.0", "Apache-2.0", &cartpole)
