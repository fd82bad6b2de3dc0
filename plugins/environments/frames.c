/* SPDX-License-Identifier: Apache-2.0
 *
 * The last observations of another environment, together (Mnih et al. 2015): what one picture does
 * not show, a velocity for example, is in several.
 *
 *   an observation [d]            is seen as the sequence [frames, d], the newest last
 *   an observation [c, h, w]      is seen as [frames * c, h, w], the newest last
 *
 * At the beginning of an episode all are the first. With `visible` only these numbers of a vector
 * are seen: a cart-pole without its velocities,
 *   {plugin: frames, of: cartpole, visible: [0, 2]}
 * can be balanced by nobody who has no memory (a classical test of recurrent agents: Wierstra et
 * al. 2010). Actions, rewards and the end of an episode are those of the other environment.      */
#include <absdk/absdk.h>
#include <string.h>

typedef struct {
  AbEnvironment base;
  AbEnvironment *of;
  int64_t frames;
  AbInts visible;
  AbTensor *window; /* [frames, observation ...] */
} Frames;

static const AbParam params[] = {
    AB_PARAM_INT(Frames, frames, 4, 1, 1 << 16, "observations", "How many are seen together."),
    AB_PARAM_INTS(Frames, visible, "[]", 0, INT64_MAX, "",
                  "Which numbers of an observation are seen, from 0; [] means all."),
};
static const AbSlot slots[] = {
    AB_SLOT_LIKE(Frames, of, AB_KIND_ENVIRONMENT, AB_ROLE_NONE, AB_REQUIRED, "cartpole",
                 "What is observed."),
};

/* What is kept of one observation; rank -1 after an error. */
static AbSpec frame_of(Frames *f) {
  AbSpec spec = ab_environment_observation(f->of);
  int64_t shown = f->visible.count;
  if (spec.rank != 1 && spec.rank != 3)
    ab_fail(&f->base, AB_CONFIG,
            "observations of %s have %d axes; frames takes vectors and planes [c, h, w]",
            f->of->component->name, (int)spec.rank);
  else if (shown > 0 && spec.rank != 1)
    ab_fail(&f->base, AB_CONFIG, "visible is for observations that are vectors; %s gives planes",
            f->of->component->name);
  for (int64_t i = 0; i < shown && spec.rank == 1; i++)
    if (f->visible.items[i] >= spec.shape[0])
      ab_fail(&f->base, AB_CONFIG,
              "visible has %lld; an observation of %s has %lld numbers, from 0",
              (long long)f->visible.items[i], f->of->component->name, (long long)spec.shape[0]);
  if (shown > 0) spec.shape[0] = shown;
  if (!ab_ok(ab_context(&f->base))) spec.rank = -1;
  return spec;
}

static AbShape window_shape(const Frames *f, const AbSpec *frame) {
  AbShape shape = {.rank = frame->rank + 1, .dims = {f->frames}};
  memcpy(shape.dims + 1, frame->shape, (size_t)frame->rank * sizeof *frame->shape);
  return shape;
}

static void build(AbEnvironment *self) {
  Frames *f = (Frames *)self;
  ab_environment_build(f->of);
  AbSpec frame = frame_of(f);
  if (frame.rank < 0) return;
  AbShape shape = window_shape(f, &frame);
  f->window = ab_buffer(self, "window", ab_real_dtype(ab_context(self)), shape, "");
  AbSpec seen = frame;
  if (frame.rank == 1) {
    seen.rank = 2;
    memcpy(seen.shape, shape.dims, 2 * sizeof *seen.shape);
  } else {
    seen.shape[0] *= f->frames;
  }
  ab_environment_declare(self, &seen, ab_environment_actions(f->of), ab_environment_limit(f->of));
}

/* The observation now, [1, ...]. */
static AbTensor *frame(Frames *f) {
  AbTensor *x = ab_environment_observe(f->of);
  int64_t shown = f->visible.count;
  if (shown > 0)
    x = ab_index_select(x, 0,
                        ab_from(ab_context(&f->base), AB_I64, AB_SHAPE(shown), f->visible.items));
  return ab_unsqueeze(x, 0);
}

static void reset(AbEnvironment *self) {
  Frames *f = (Frames *)self;
  ab_environment_reset(f->of);
  ab_assign(f->window, ab_broadcast_to(frame(f), ab_shape(f->window)));
}

static AbTensor *observe(AbEnvironment *self) {
  Frames *f = (Frames *)self;
  AbSpec seen = ab_environment_observation(self);
  return ab_reshape(f->window, ab_spec_shape(&seen));
}

static double step(AbEnvironment *self, int64_t action, bool *terminal) {
  Frames *f = (Frames *)self;
  AbOutcome outcome = ab_environment_step(f->of, action);
  AbTensor *parts[] = {ab_slice(f->window, 0, 1, f->frames), frame(f)};
  ab_assign(f->window, f->frames > 1 ? ab_concat(parts, 2, 0) : parts[1]);
  *terminal = outcome.terminal;
  return outcome.reward;
}

static const AbEnvironmentVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .reset = reset,
    .observe = observe,
    .step = step,
};

static const AbComponent frames = {
    .struct_size = sizeof frames,
    .kind = AB_KIND_ENVIRONMENT,
    .name = "frames",
    .doc = "The last observations of another environment, seen together.",
    .citation = "Mnih et al.: Human-level control through deep reinforcement learning. Nature 518, "
                "2015.",
    .instance_size = sizeof(Frames),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.environment.frames", "0.1.0", "Apache-2.0", &frames)
