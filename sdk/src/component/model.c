/* SPDX-License-Identifier: Apache-2.0
 *
 * Models: building for a role, calling roles, deriving those that follow from others. */
#include "../internal.h"
#include <string.h>

static const AbModelVtable *table(const AbModel *self) {
  return self->component->vtable;
}

typedef AbTensor *(*RoleFunction)(AbModel *self, AbTensor *x);

/* The function that a table has for a role; NULL if none. Generate has another signature. */
static RoleFunction function_of(const AbModelVtable *t, AbRole role) {
  switch (role) {
#define ROLE(constant, field) \
  case constant: return AB_OFFERS(t, AbModelVtable, field) ? t->field : NULL
    ROLE(AB_ROLE_RECONSTRUCT, reconstruct);
    ROLE(AB_ROLE_ENCODE, encode);
    ROLE(AB_ROLE_DECODE, decode);
    ROLE(AB_ROLE_CLASSIFY, classify);
    ROLE(AB_ROLE_PREDICT, predict);
    ROLE(AB_ROLE_SCORE, score);
    ROLE(AB_ROLE_ACT, act);
    ROLE(AB_ROLE_CLUSTER, cluster);
#undef ROLE
  default: return NULL;
  }
}

uint32_t ab_component_roles(const AbComponent *component) {
  if (component->kind != AB_KIND_MODEL) return 0;
  const AbModelVtable *t = component->vtable;
  uint32_t roles = 0;
  for (AbRole role = 1; role < AB_ROLE_COUNT; role++)
    if (function_of(t, role)) roles |= AB_ROLE_BIT(role);
  if (AB_OFFERS(t, AbModelVtable, generate)) roles |= AB_ROLE_BIT(AB_ROLE_GENERATE);
  if (t->flags & AB_ONE_ROLE) return roles;
  uint32_t both = AB_ROLE_BIT(AB_ROLE_ENCODE) | AB_ROLE_BIT(AB_ROLE_DECODE);
  if ((roles & both) == both) roles |= AB_ROLE_BIT(AB_ROLE_RECONSTRUCT);
  if (roles & AB_ROLE_BIT(AB_ROLE_RECONSTRUCT)) roles |= AB_ROLE_BIT(AB_ROLE_SCORE);
  return roles;
}

/* ---- calling --------------------------------------------------------------------------------- */

/* The roles that take what the data gives, as the role that a model was built for does. */
static bool takes_data(AbRole role) {
  return role != AB_ROLE_DECODE && role != AB_ROLE_GENERATE;
}

static bool input_fits(AbModel *self, AbRole role, const AbTensor *x) {
  const AbSignature *built = &self->state->signature;
  if (role != built->role && !(takes_data(role) && takes_data(built->role))) return true;
  const AbSpec *in = &built->in;
  if (x->rank == in->rank + 1 &&
      memcmp(x->shape + 1, in->shape, (size_t)in->rank * sizeof *in->shape) == 0)
    return true;
  AbShape wanted = {.rank = in->rank};
  memcpy(wanted.dims, in->shape, sizeof wanted.dims);
  char a[220], b[220];
  ab_fail(self, AB_CONFIG, "%s was given x of %s and was built for samples of %s",
          ab_role_name(role), ab_tensor_text(x, a, sizeof a), ab_shape_text(wanted, b, sizeof b));
  return false;
}

static AbTensor *derived(AbModel *self, AbRole role, AbTensor *x) {
  if (role == AB_ROLE_RECONSTRUCT)
    return ab_call(self, AB_ROLE_DECODE, ab_call(self, AB_ROLE_ENCODE, x));
  AbTensor *error = ab_sub(ab_call(self, AB_ROLE_RECONSTRUCT, x), x);
  return ab_mean_axes(ab_flatten(ab_square(error)), 2, false); /* score */
}

static bool offers(AbModel *self, AbRole role) {
  const char *name = ab_role_name(role);
  if (name && ab_component_roles(self->component) & AB_ROLE_BIT(role)) return true;
  ab_fail(self, AB_CONFIG, "it does not offer the role %s", name ? name : "(none)");
  return false;
}

static bool callable(AbModel *self, AbRole role) {
  if (!offers(self, role)) return false;
  AbRole built = self->state->signature.role;
  if (!self->state->built)
    ab_fail(self, AB_INTERNAL, "%s was called before the model was built", ab_role_name(role));
  else if (table(self)->flags & AB_ONE_ROLE && role != built && role != AB_ROLE_ENCODE)
    ab_fail(self, AB_CONFIG, "it was built for the role %s and does not offer %s as well",
            ab_role_name(built), ab_role_name(role));
  else
    return true;
  return false;
}

static AbTensor *checked(AbModel *self, AbRole role, AbTensor *y) {
  if (!y && ab_ok(self->state->ctx))
    ab_fail(self, AB_INTERNAL, "%s returned nothing, and no error", ab_role_name(role));
  return y;
}

AbTensor *ab_call(AbModel *self, AbRole role, AbTensor *x) {
  if (!x || !callable(self, role)) return NULL;
  if (role == AB_ROLE_GENERATE) {
    ab_fail(self, AB_INTERNAL, "generate takes a count, not a tensor; see ab_generate");
    return NULL;
  }
  if (!input_fits(self, role, x)) return NULL;
  RoleFunction function = function_of(table(self), role);
  AbInstance *before = ab_enter(self);
  AbTensor *y = checked(self, role, function ? function(self, x) : derived(self, role, x));
  ab_leave(self->state->ctx, before);
  return y;
}

AbTensor *ab_generate(AbModel *self, int64_t count) {
  if (!callable(self, AB_ROLE_GENERATE)) return NULL;
  AbInstance *before = ab_enter(self);
  AbTensor *y = checked(self, AB_ROLE_GENERATE, table(self)->generate(self, count));
  ab_leave(self->state->ctx, before);
  return y;
}

AbTensor *ab_encode(AbModel *model, AbTensor *x) {
  return ab_call(model, AB_ROLE_ENCODE, x);
}

AbTensor *ab_decode(AbModel *model, AbTensor *code) {
  return ab_call(model, AB_ROLE_DECODE, code);
}

AbTensor *ab_reconstruct(AbModel *model, AbTensor *x) {
  return ab_call(model, AB_ROLE_RECONSTRUCT, x);
}

AbTensor *ab_log_partition(AbModel *self, int64_t chains, int64_t steps) {
  const AbModelVtable *t = table(self);
  if (!AB_OFFERS(t, AbModelVtable, log_partition)) {
    ab_fail(self, AB_CONFIG, "it has no estimate of its partition function");
    return NULL;
  }
  AbInstance *before = ab_enter(self);
  AbTensor *value = t->log_partition(self, chains, steps);
  ab_leave(self->state->ctx, before);
  if (value && value->rank == 0) return value;
  if (ab_ok(self->state->ctx)) ab_fail(self, AB_INTERNAL, "its log partition is no scalar");
  return NULL;
}

/* ---- building -------------------------------------------------------------------------------- */

AbSignature ab_signature(AbRole role, const AbSpec *in, const AbSpec *out) {
  AbSignature wanted = {.role = role, .in = *in, .out = {.rank = -1}};
  if (out) wanted.out = *out;
  return wanted;
}

/* Two samples of shapes through a role. */
static AbTensor *shapes_through(AbModel *self, AbRole role, const AbSpec *in) {
  AbContext *ctx = self->state->ctx;
  int64_t shape[AB_MAX_RANK] = {2};
  if (role == AB_ROLE_GENERATE) return ab_generate(self, 2);
  if (in->rank < 0 || in->rank >= AB_MAX_RANK) {
    ab_fail(self, AB_CONFIG, "the role %s must be told what it is given", ab_role_name(role));
    return NULL;
  }
  memcpy(shape + 1, in->shape, (size_t)in->rank * sizeof *shape);
  AbDtype dtype = in->range == AB_RANGE_CLASS ? AB_I64 : ctx->real;
  return ab_call(self, role, ab_tensor_new(ctx, dtype, in->rank + 1, shape, true));
}

static AbSpec spec_of(const AbTensor *y) {
  AbSpec spec = {.rank = y->rank - 1, .dtype = y->dtype};
  memcpy(spec.shape, y->shape + 1, (size_t)spec.rank * sizeof *spec.shape);
  return spec;
}

/* Compares what comes out with what was asked for. */
static bool output_fits(AbModel *self, const AbTensor *y) {
  const AbSpec *out = &self->state->signature.out;
  const char *role = ab_role_name(self->state->signature.role);
  char a[220], b[220];
  if (y->rank < 1 || y->shape[0] != 2) {
    ab_fail(self, AB_INTERNAL, "%s of a batch of 2 gave %s; the first axis must be the batch", role,
            ab_tensor_text(y, a, sizeof a));
    return false;
  }
  if (out->rank < 0) return true;
  AbShape given = {.rank = y->rank - 1}, wanted = {.rank = out->rank};
  memcpy(given.dims, y->shape + 1, (size_t)given.rank * sizeof *given.dims);
  memcpy(wanted.dims, out->shape, sizeof wanted.dims);
  if (given.rank == wanted.rank &&
      memcmp(given.dims, wanted.dims, (size_t)given.rank * sizeof *given.dims) == 0)
    return true;
  ab_fail(self, AB_CONFIG, "%s gives samples of %s where %s is wanted", role,
          ab_shape_text(given, a, sizeof a), ab_shape_text(wanted, b, sizeof b));
  return false;
}

/* A tie that no weight took up would be a silent loss. */
static bool ties_used(AbModel *self) {
  for (int64_t i = 0; i < self->state->ties.count; i++) {
    const AbTie *tie = self->state->ties.items[i];
    if (ab_has_weight(self, tie->name)) continue;
    ab_fail(self, AB_CONFIG, "weight %s was to be tied, and there is none of that name", tie->name);
    return false;
  }
  return true;
}

void ab_output_range(AbModel *self, AbRole role, AbRange range) {
  if (role > 0 && role < AB_ROLE_COUNT) self->state->ranges[role] = range;
}

/* What a role gives for samples of `in`; nothing is recorded, watched, counted or drawn. */
static AbSpec gives(AbModel *self, AbRole role, const AbSpec *in) {
  AbContext *ctx = self->state->ctx;
  AbSpec given = {.rank = -1};
  AbScope scope = ab_scope_begin(ctx);
  bool recording = ab_set_recording(ctx, false);
  const AbBatch *batch = ab_set_batch(ctx, NULL);
  int64_t products = ctx->multiply_adds;
  void (*watch)(void *, const AbOperation *) = ctx->watch;
  ctx->watch = NULL;
  AbTensor *y = shapes_through(self, role, in);
  ctx->watch = watch;
  ctx->multiply_adds = products;
  if (y && (role != self->state->signature.role || output_fits(self, y))) {
    given = spec_of(y);
    given.range = self->state->ranges[role];
  }
  ab_set_batch(ctx, batch);
  ab_set_recording(ctx, recording);
  ab_scope_end(ctx, scope, NULL, 0);
  return given;
}

AbSpec ab_output(AbModel *self, AbRole role) {
  const AbSignature *built = &self->state->signature;
  if (!self->state->built || role == built->role) return built->out;
  if (takes_data(role) || built->role == AB_ROLE_DECODE) return gives(self, role, &built->in);
  AbSpec code = role == AB_ROLE_DECODE ? ab_output(self, AB_ROLE_ENCODE) : built->in;
  return gives(self, role, &code);
}

AbSpec ab_build(AbModel *self, const AbSignature *wanted) {
  AbContext *ctx = self->state->ctx;
  AbSpec nothing = {.rank = -1};
  if (!ab_ok(ctx)) return nothing;
  if (self->state->built) {
    ab_fail(self, AB_INTERNAL, "it was built twice");
    return nothing;
  }
  if (!offers(self, wanted->role)) return nothing;
  AbInstance *before = ab_enter(self);
  table(self)->build(self, wanted);
  ab_leave(ctx, before);
  if (!ab_ok(ctx) || !ties_used(self)) return nothing;
  self->state->built = true;
  self->state->signature = *wanted;
  AbSpec given = gives(self, wanted->role, &wanted->in);
  if (given.rank < 0) return nothing;
  if (wanted->out.rank >= 0) {
    given.range = wanted->out.range;
    given.classes = wanted->out.classes;
  }
  self->state->signature.out = given;
  return given;
}

AbSignature ab_model_signature(const AbModel *self) {
  return self->state->signature;
}

int64_t ab_model_multiply_adds(AbModel *self) {
  AbContext *ctx = self->state->ctx;
  AbScope scope = ab_scope_begin(ctx);
  bool recording = ab_set_recording(ctx, false), dry = ctx->shape_only;
  int64_t before = ctx->multiply_adds;
  ctx->shape_only = true; /* what is generated begins with numbers of its own */
  shapes_through(self, self->state->signature.role, &self->state->signature.in);
  int64_t products = (ctx->multiply_adds - before) / 2;
  ctx->shape_only = dry;
  ctx->multiply_adds = before;
  ab_set_recording(ctx, recording);
  ab_scope_end(ctx, scope, NULL, 0);
  return products;
}

bool ab_model_has_objective(const AbModel *self, AbRole role) {
  const AbModelVtable *t = table(self);
  if (!AB_OFFERS(t, AbModelVtable, objective) && !AB_OFFERS(t, AbModelVtable, learn)) return false;
  uint32_t roles = AB_OFFERS(t, AbModelVtable, objective_for) ? t->objective_for : 0;
  return roles == 0 || roles & AB_ROLE_BIT(role);
}
