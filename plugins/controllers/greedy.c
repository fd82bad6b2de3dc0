/* SPDX-License-Identifier: Apache-2.0
 *
 * Greedy layer-wise pre-training (Hinton, Osindero, Teh 2006; Bengio et al. 2007), for every model
 * with a slot `layers` of models that encode and reconstruct.
 *
 *   h_0 = x,   h_l = encode_l(h_{l-1})                     not recorded
 *   first e_1 epochs:  layer 1 learns h_0
 *   next  e_2 epochs:  layer 2 learns h_1, and so on; the others stay as they are
 *   the rest:          the whole model learns, as with the controller trainer
 *
 * A layer learns by its own objective or, where it has none, by loss(reconstruct_l(h_{l-1}),
 * h_{l-1}). With `corrupt` it is given noise(h_{l-1}), and learns to give h_{l-1} back (Vincent et
 * al. 2010). The noise of the manifest is a part of x all the time.
 *
 * The loss that is reported is that of what is at work. Schedules of learning rates see the epochs
 * of the run; early stopping should be more patient than the pre-training is long.               */
#include <absdk/absdk.h>
#include <stdio.h>

typedef struct {
  AbController base;
  AbInts epochs;
  AbOptimizer *optimizer;
  AbLoss *loss;
  AbNoise *corrupt;
  AbChildren layers; /* of the model */
  AbGroup **groups;  /* one for each */
} Greedy;

static const AbParam params[] = {
    AB_PARAM_INTS(Greedy, epochs, "[10]", 0, 1 << 30, "epochs",
                  "e_1, e_2, ..., from the data upwards; the last counts for all further layers."),
};
static const AbSlot slots[] = {
    AB_SLOT(Greedy, optimizer, AB_KIND_OPTIMIZER, AB_ROLE_NONE, AB_OPTIONAL,
            "Of the layers; the manifest's where there is none."),
    AB_SLOT(Greedy, loss, AB_KIND_LOSS, AB_ROLE_NONE, AB_OPTIONAL,
            "Of layers without an objective of their own; mean squared error where there is none."),
    AB_SLOT(Greedy, corrupt, AB_KIND_NOISE, AB_ROLE_NONE, AB_OPTIONAL,
            "Noise on what a layer is given."),
};

static int64_t epochs_of(const Greedy *g, int64_t layer) {
  int64_t last = g->epochs.count - 1;
  return g->epochs.items[layer < last ? layer : last];
}

/* ---- layers and their groups ----------------------------------------------------------------- */

static void check_layer(AbModel *layer) {
  const AbRole roles[] = {AB_ROLE_ENCODE, AB_ROLE_RECONSTRUCT};
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
    if (!(ab_component_roles(layer->component) & AB_ROLE_BIT(roles[i])))
      ab_fail(layer, AB_CONFIG,
              "greedy pre-training needs layers that encode and reconstruct, and this one does not "
              "offer %s",
              ab_role_name(roles[i]));
}

static void check(Greedy *g, AbModel *model) {
  if (g->epochs.count == 0) {
    ab_fail(&g->base, AB_CONFIG, "epochs: there must be at least one number");
    return;
  }
  if (g->layers.count == 0) {
    ab_fail(&g->base, AB_CONFIG,
            "greedy pre-training needs a model with layers in a slot `layers`; %s has none",
            model->component->name);
    return;
  }
  for (int64_t l = 0; l < g->layers.count; l++) check_layer(g->layers.items[l]);
}

static void build(AbController *self, AbStep *step) {
  Greedy *g = (Greedy *)self;
  g->layers = ab_children(ab_step_model(step), "layers");
  check(g, ab_step_model(step));
  if (!ab_ok(ab_context(self))) return;
  AbOptimizer *optimizer = g->optimizer ? g->optimizer : ab_step_optimizer(step);
  g->groups = ab_alloc(self, (size_t)g->layers.count * sizeof *g->groups);
  for (int64_t l = 0; g->groups && l < g->layers.count; l++) {
    char name[32];
    snprintf(name, sizeof name, "layer%lld", (long long)l + 1);
    g->groups[l] = ab_group(step, name, g->layers.items[l], optimizer);
  }
}

/* ---- whose turn it is ------------------------------------------------------------------------ */

static int64_t all_epochs(const Greedy *g) {
  int64_t sum = 0;
  for (int64_t l = 0; l < g->layers.count; l++) sum += epochs_of(g, l);
  return sum;
}

/* The layer that learns in an epoch; their number, where the whole does. */
static int64_t layer_at(const Greedy *g, int64_t epoch) {
  int64_t layer = 0, end = 0;
  while (layer < g->layers.count && epoch >= (end += epochs_of(g, layer))) layer++;
  return layer;
}

/* Whether there is something that the whole model can learn by. */
static bool tunable(AbStep *step) {
  return ab_model_has_objective(ab_step_model(step), ab_step_role(step)) ||
         ab_batch_has(ab_step_batch(step), "target");
}

static void check_epochs(Greedy *g, AbStep *step) {
  int64_t layers = all_epochs(g), run = ab_step_progress(step)->epochs;
  const char *role = ab_role_name(ab_step_role(step));
  if (tunable(step) ? layers < run : layers == run) return;
  if (tunable(step))
    ab_fail(&g->base, AB_CONFIG,
            "pre-training of %lld layers takes %lld epochs and leaves none of the run's %lld to "
            "train the whole model in; set epochs to more than %lld, or controller.epochs to less",
            (long long)g->layers.count, (long long)layers, (long long)run, (long long)layers);
  else
    ab_fail(&g->base, AB_CONFIG,
            "pre-training of %lld layers takes %lld epochs and the run has %lld; for the problem "
            "%s this model has no objective to be trained by as a whole, so set epochs to %lld, or "
            "controller.epochs to what adds up to %lld",
            (long long)g->layers.count, (long long)layers, (long long)run, role, (long long)layers,
            (long long)run);
}

/* ---- a step of a layer ----------------------------------------------------------------------- */

/* h_l; lengths of sequences come with it. */
static AbBatch *codes(Greedy *g, const AbBatch *batch, int64_t layer) {
  AbContext *ctx = ab_context(&g->base);
  bool recording = ab_set_recording(ctx, false);
  AbTensor *h = ab_batch_get(batch, "x");
  for (int64_t l = 0; l < layer; l++) h = ab_encode(g->layers.items[l], h);
  AbBatch *own = h ? ab_batch_new(ctx, ab_batch_count(batch)) : NULL;
  if (own) {
    ab_batch_put(own, "x", g->corrupt ? ab_noise_corrupt(g->corrupt, h) : h);
    ab_batch_put(own, "target", h);
    if (ab_batch_has(batch, "length")) ab_batch_put(own, "length", ab_batch_get(batch, "length"));
  }
  ab_set_recording(ctx, recording);
  return own;
}

static AbTensor *loss_of(Greedy *g, AbModel *layer, const AbBatch *batch) {
  AbTensor *y = ab_reconstruct(layer, ab_batch_get(batch, "x"));
  AbTensor *target = ab_batch_get(batch, "target");
  return g->loss ? ab_loss_value(g->loss, y, target) : ab_squared_error(y, target, AB_LOSS_MEAN);
}

static AbTensor *pre_train(Greedy *g, AbStep *step, int64_t l) {
  AbModel *layer = g->layers.items[l];
  AbBatch *batch = codes(g, ab_step_batch(step), l);
  if (!batch) return NULL;
  AbTensor *loss = NULL;
  if (ab_model_has_objective(layer, AB_ROLE_RECONSTRUCT)) {
    loss = ab_learn(step, layer, AB_ROLE_RECONSTRUCT, batch, g->groups[l]);
  } else {
    loss = loss_of(g, layer, batch);
    ab_update(step, loss, g->groups[l]);
  }
  ab_batch_free(batch);
  ab_part(layer, "loss", loss);
  return loss;
}

static AbTensor *step(AbController *self, AbStep *s) {
  Greedy *g = (Greedy *)self;
  check_epochs(g, s);
  if (!ab_ok(ab_context(self))) return NULL;
  int64_t layer = layer_at(g, ab_step_progress(s)->epoch);
  return layer < g->layers.count ? pre_train(g, s, layer) : ab_step_learn(s);
}

static const AbControllerVtable vtable = {
    .struct_size = sizeof vtable,
    .build = build,
    .step = step,
};

static const AbComponent greedy = {
    .struct_size = sizeof greedy,
    .kind = AB_KIND_CONTROLLER,
    .name = "greedy",
    .doc = "Greedy layer-wise pre-training of a model's layers, then training of the whole.",
    .citation = "Bengio, Lamblin, Popovici, Larochelle: Greedy layer-wise training of deep "
                "networks. NIPS 2007.",
    .instance_size = sizeof(Greedy),
    AB_PARAMS(params),
    AB_SLOTS(slots),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.controller.greedy", "0.1.0", "Apache-2.0", &greedy)
