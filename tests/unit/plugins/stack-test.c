/* SPDX-License-Identifier: Apache-2.0
 *
 * Stacked models; see stack-test.h.                                                             */
#include "stack-test.h"
#include <math.h>
#include <string.h>

void stack_begin(Stack *stack, AbContext *ctx, const char *model) {
  memset(stack, 0, sizeof *stack);
  stack->ctx = ctx;
  stack->parts = g_ptr_array_new_with_free_func((GDestroyNotify)ab_instance_free);
  stack->model = plugin_test_new(ctx, AB_KIND_MODEL, model);
  g_ptr_array_add(stack->parts, stack->model);
}

AbInstance *stack_part(Stack *stack, AbKind kind, const char *name, const char *path) {
  AbInstance *part = plugin_test_new_at(stack->ctx, kind, name, path);

  g_ptr_array_add(stack->parts, part);
  return part;
}

AbModel *stack_add(Stack *stack, const char *name) {
  g_autofree char *path = g_strdup_printf("model/layers/%d", (int)stack->count);
  AbModel *layer = stack_part(stack, AB_KIND_MODEL, name, g_intern_string(path));

  g_assert_cmpint(stack->count, <, STACK_LAYERS);
  stack->layers[stack->count++] = layer;
  return layer;
}

AbModel *stack_add_rbm(Stack *stack, gint64 hidden) {
  AbModel *layer = stack_add(stack, "rbm");

  plugin_test_set_int(layer, "hidden", hidden);
  return layer;
}

static AbModel *half(Stack *stack, AbModel *layer, const char *slot, gint64 count, gint64 units) {
  g_autofree char *path = g_strdup_printf("%s/%s", ab_path(layer), slot);
  AbModel *net = stack_part(stack, AB_KIND_MODEL, "mlp", g_intern_string(path));

  plugin_test_set_ints(net, "units", count, &units);
  plugin_test_slot(layer, slot, net);
  return net;
}

AbModel *stack_add_auto_encoder(Stack *stack, gint64 units, const char *activation) {
  AbModel *layer = stack_add(stack, "auto-encoder");

  plugin_test_set_choice(half(stack, layer, "encoder", 1, units), "activation", activation);
  half(stack, layer, "decoder", 0, 0);
  return layer;
}

static AbModel *half_of(Stack *stack, gint64 layer, const char *slot) {
  AbChildren children = ab_children(stack->layers[layer], slot);

  g_assert_cmpint(children.count, ==, 1);
  return children.items[0];
}

AbModel *stack_encoder(Stack *stack, gint64 layer) {
  return half_of(stack, layer, "encoder");
}

AbModel *stack_decoder(Stack *stack, gint64 layer) {
  return half_of(stack, layer, "decoder");
}

AbSpec stack_make(Stack *stack, AbRole role, AbSpec in, const AbSpec *out) {
  AbSignature wanted = ab_signature(role, &in, out);

  plugin_test_slot_many(stack->model, "layers", stack->count, stack->layers);
  return ab_build(stack->model, &wanted);
}

void stack_train(Stack *stack, AbRole role, AbController *controller, AbLoss *loss, double rate) {
  AbStepParts parts = {.role = role, .model = stack->model, .loss = loss, .controller = controller};

  parts.optimizer = stack_part(stack, AB_KIND_OPTIMIZER, "sgd", "optimizer");
  plugin_test_set_real(parts.optimizer, "lr", rate);
  stack->controller = controller;
  stack->step = ab_step_new(stack->ctx, &parts);
  ab_step_build(stack->step);
}

double stack_step(Stack *stack, AbTensor *x, AbTensor *target, gint64 epoch, gint64 epochs) {
  AbProgress progress = {epoch, epochs, stack->steps, 1};
  AbScope scope = ab_scope_begin(stack->ctx);
  AbBatch *batch = plugin_test_batch(stack->ctx, x, target);
  AbTensor *loss;
  double value;

  ab_begin(stack->ctx, AB_PURPOSE_TRAIN, stack->steps++);
  loss = ab_step_run(stack->step, batch, &progress);
  g_assert_cmpint(loss != NULL, ==, ab_ok(stack->ctx));
  value = loss != NULL ? ab_item(loss) : NAN;
  ab_batch_free(batch);
  ab_scope_end(stack->ctx, scope, NULL, 0);
  return value;
}

void stack_end(Stack *stack) {
  ab_step_free(stack->step);
  g_ptr_array_unref(stack->parts);
  plugin_test_finish(stack->ctx);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void each_instance(AbInstance *self, void (*act)(AbInstance *self, gpointer data),
                          gpointer data) {
  const AbComponent *component = self->component;

  act(self, data);
  for (uint32_t i = 0; i < component->slot_count; i++) {
    const AbSlot *slot =
        (const void *)((const char *)component->slots + i * component->slot_stride);
    AbChildren children = ab_children(self, slot->key);

    for (gint64 j = 0; j < children.count; j++) each_instance(children.items[j], act, data);
  }
}

static void collect(AbInstance *self, gpointer data) {
  for (gint64 i = 0; i < ab_state_count(self); i++) {
    AbTensor *tensor = ab_state(self, i).tensor;
    g_autofree double *values = plugin_test_values(tensor);

    g_array_append_vals(data, values, (guint)ab_count(tensor));
  }
}

double *stack_numbers(AbInstance *self, gint64 *count) {
  GArray *all = g_array_new(FALSE, FALSE, sizeof(double));

  each_instance(self, collect, all);
  *count = all->len;
  return (double *)(void *)g_array_free(all, FALSE);
}

static void shake(AbInstance *self, gpointer data) {
  guint64 *seed = data;

  for (gint64 i = 0; i < ab_state_count(self); i++) {
    AbTensor *tensor = ab_state(self, i).tensor;
    g_autofree double *values = plugin_test_numbers(ab_count(tensor), -1, 1, (*seed)++);

    plugin_test_fill(tensor, values);
  }
}

void stack_shake(AbInstance *self, guint64 seed) {
  each_instance(self, shake, &seed);
}
