/* SPDX-License-Identifier: Apache-2.0
 *
 * What the SDK asks of the system's allocator: nothing in a steady state; and where it is refused,
 * at whatever point, a clear error, no crash and no leak. Calls of malloc and its like are taken by
 * this program; those that come from the code of libabsdk are counted, and refused on demand. */
#include "sdk-test.h"
#include <link.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TAKEN 0 /* by the sanitizer */
#else
#define TAKEN 1
#endif

/* ---- the allocator -------------------------------------------------------------------------- */

static struct {
  uintptr_t from, to; /* code of libabsdk */
  bool watching;
  int64_t calls, refused; /* which call is refused; 0: none */
} watch;

#define PLACES (1 << 16)
static void *live[PLACES]; /* blocks of libabsdk, by address */

#if TAKEN
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static size_t place_of(const void *block) {
  size_t i = (size_t)((uintptr_t)block >> 4) * 2654435761u % PLACES;
  while (live[i] && live[i] != block) i = (i + 1) % PLACES;
  return i;
}

static bool watched(const void *caller) {
  return watch.watching && (uintptr_t)caller >= watch.from && (uintptr_t)caller < watch.to;
}

static bool refuse(const void *caller) {
  return watched(caller) && ++watch.calls == watch.refused;
}

static void *note(const void *caller, void *block) {
  if (block && watched(caller)) live[place_of(block)] = block;
  return block;
}

static void forget(const void *block) {
  size_t i = place_of(block);
  if (!live[i]) return;
  live[i] = NULL;
  for (size_t j = (i + 1) % PLACES; live[j];
       j = (j + 1) % PLACES) { /* those that it had moved on */
    void *other = live[j];
    live[j] = NULL;
    live[place_of(other)] = other;
  }
}

void *malloc(size_t size) {
  const void *caller = __builtin_return_address(0);
  return refuse(caller) ? NULL : note(caller, __libc_malloc(size));
}

void *calloc(size_t count, size_t size) {
  const void *caller = __builtin_return_address(0);
  return refuse(caller) ? NULL : note(caller, __libc_calloc(count, size));
}

void *realloc(void *block, size_t size) {
  const void *caller = __builtin_return_address(0);
  if (refuse(caller)) return NULL;
  if (watch.watching && block) forget(block);
  return note(caller, __libc_realloc(block, size));
}

void *aligned_alloc(size_t alignment, size_t size) {
  const void *caller = __builtin_return_address(0);
  return refuse(caller) ? NULL : note(caller, __libc_memalign(alignment, size));
}

void free(void *block) {
  if (watch.watching && block) forget(block);
  __libc_free(block);
}
#endif

static int find_code(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size, (void)data;
  if (!strstr(info->dlpi_name, "libabsdk.so")) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    if (p->p_type != PT_LOAD || !(p->p_flags & PF_X)) continue;
    watch.from = info->dlpi_addr + p->p_vaddr;
    watch.to = watch.from + p->p_memsz;
  }
  return 1;
}

static int64_t alive(void) {
  int64_t count = 0;
  for (size_t i = 0; i < PLACES; i++) count += live[i] != NULL;
  return count;
}

/* ---- some of everything --------------------------------------------------------------------- */

typedef struct {
  AbTensor *W, *U, *b, *kernel, *table, *images, *sequence;
} Zoo;

static AbTensor *leaf(AbContext *ctx, AbShape shape) {
  AbTensor *x = ab_ref(ab_normal(ctx, shape, 0, 0.3));
  ab_require_grad(x);
  return x;
}

static Zoo zoo_new(AbContext *ctx) {
  return (Zoo){
      .W = leaf(ctx, AB_SHAPE(24, 24)),
      .U = leaf(ctx, AB_SHAPE(6, 24)),
      .b = leaf(ctx, AB_SHAPE(24)),
      .kernel = leaf(ctx, AB_SHAPE(8, 8, 3, 3)),
      .table = leaf(ctx, AB_SHAPE(11, 24)),
      .images = leaf(ctx, AB_SHAPE(3, 8, 7, 9)),
      .sequence = leaf(ctx, AB_SHAPE(5, 4, 24)),
  };
}

static void zoo_free(Zoo *z) {
  AbTensor *all[] = {z->W, z->U, z->b, z->kernel, z->table, z->images, z->sequence};
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++) ab_unref(all[i]);
}

static AbTensor *of_elements(const Zoo *z) {
  AbTensor *y = ab_linear(z->W, z->W, z->b, AB_TANH);
  y = ab_where(ab_greater(y, z->W), ab_exp(y),
               ab_pow(ab_abs(y), ab_full(ab_context_of(y), AB_F32, ab_scalar_shape(), 2)));
  return ab_mean(ab_activate(AB_GELU, ab_clamp(y, -1, 1)));
}

static AbTensor *of_movement(const Zoo *z) {
  AbTensor *many[6];
  for (int i = 0; i < 6; i++) many[i] = ab_slice(z->W, 0, 4 * i, 4 * i + 4);
  AbTensor *y = ab_concat(many, 6, 1);
  y = ab_flip(ab_pad(y, (int64_t[]){1, 2}, (int64_t[]){0, 1}, AB_PAD_REFLECT, 0), 3);
  return ab_add(ab_sum(ab_softmax_axis(y, 0)), ab_sum(ab_variance(y, 2, 1, false)));
}

static AbTensor *of_images(const Zoo *z) {
  AbConvolutionOptions same = {.padding = {1, 1}, .activation = AB_SIGMOID};
  AbTensor *gain = ab_slice(z->b, 0, 0, 8), *bias = ab_slice(z->b, 0, 8, 16);
  AbTensor *y = ab_convolution(z->images, z->kernel, bias, same);
  y = ab_batch_norm(y, gain, bias, AB_NONE, AB_NONE, 0.1, 1e-5, AB_RELU);
  y = ab_max_pool(y, (AbPool){.size = {2, 2}}, NULL);
  y = ab_transposed_convolution(y, z->kernel, AB_NONE, same);
  return ab_sum(ab_square(ab_upsample(y, 2, AB_RESIZE_NEAREST)));
}

static AbTensor *of_sequences(const Zoo *z) {
  AbContext *ctx = ab_context_of(z->W);
  AbRecurrence run =
      ab_lstm(z->sequence, z->W, z->U, z->b, AB_NONE, AB_NONE, AB_NONE, AB_NONE, false);
  AbTensor *index = ab_cast(ab_full(ctx, AB_F32, AB_SHAPE(4, 5), 3), AB_I64);
  AbTensor *h = ab_layer_norm(ab_embedding(z->table, index, AB_NO_PADDING), 1, z->b, z->b, 1e-5);
  AbTensor *y = ab_self_attention(h, 2, AB_NONE, true);
  return ab_add(ab_sum(run.outputs), ab_sum(ab_matmul(y, ab_transpose(y, 1, 2))));
}

static AbTensor *of_losses(const Zoo *z) {
  AbContext *ctx = ab_context_of(z->W);
  AbTensor *labels = ab_cast(ab_full(ctx, AB_F32, AB_SHAPE(24), 2), AB_I64);
  AbTensor *y = ab_dropout(z->W, 0.5);
  y = ab_add(ab_mean(ab_cross_entropy(y, labels)), ab_huber(y, ab_detach(z->W), 1, AB_LOSS_MEAN));
  return ab_add(y, ab_mean(ab_gather(z->W, 1, ab_reshape(labels, AB_SHAPE(24, 1)))));
}

static AbTensor *checkpointed(void *data, AbTensor *const *x, int32_t count) {
  (void)data, (void)count;
  return ab_square(ab_mul(x[0], ab_bernoulli(ab_sigmoid(x[0]))));
}

static void zoo_step(AbContext *ctx, const Zoo *z, int64_t step) {
  AbScope scope = ab_scope_begin(ctx);
  ab_begin(ctx, AB_PURPOSE_TRAIN, step);
  AbTensor *loss = ab_add(of_elements(z), of_movement(z));
  loss = ab_add(loss, ab_add(of_images(z), of_sequences(z)));
  loss = ab_add(loss, ab_add(of_losses(z), ab_sum(ab_checkpoint(checkpointed, NULL, &z->W, 1))));
  if (loss) ab_backward(loss);
  AbTensor *leaves[] = {z->W, z->U, z->b, z->kernel, z->table, z->images, z->sequence};
  for (size_t i = 0; i < G_N_ELEMENTS(leaves); i++) {
    if (ab_ok(ctx)) ab_step_sgd(leaves[i], ab_gradient(leaves[i]), AB_NONE, 1e-3, 0, false);
    ab_clear_gradient(leaves[i]);
  }
  ab_scope_end(ctx, scope, NULL, 0);
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* Under a sanitizer, which has the allocator, it looks at the steps alone. */
static void test_steady(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  Zoo z = zoo_new(ctx);
  for (int i = 0; i < 3; i++) zoo_step(ctx, &z, i);
  sdk_assert_ok(ctx);
  watch.calls = 0;
  watch.watching = TAKEN;
  for (int i = 3; i < 10; i++) zoo_step(ctx, &z, i);
  watch.watching = false;
  g_assert_cmpint(watch.calls, ==, 0);
  zoo_free(&z);
  sdk_finish(ctx);
}

/* A context, a step and their end, with call number `refused` refused. Whether it came to that. */
static bool run_refusing(const char *device, int64_t refused) {
  memset(live, 0, sizeof live);
  watch.calls = 0;
  watch.refused = refused;
  watch.watching = true;
  AbContext *ctx = ab_context_new(device, AB_F32, 1);
  if (ctx) {
    Zoo z = zoo_new(ctx);
    zoo_step(ctx, &z, 0);
    zoo_free(&z);
    bool came = watch.calls >= refused;
    if (came && ab_ok(ctx)) g_error("refusing call %d went unnoticed", (int)refused);
    if (came) g_assert_nonnull(strstr(ab_error_message(ctx), "out of memory"));
    if (!came) sdk_assert_ok(ctx);
    ab_context_free(ctx);
  }
  watch.watching = false;
  if (alive() > 0) g_error("refusing call %d: %d blocks leak", (int)refused, (int)alive());
  return watch.calls >= refused;
}

static void test_refused(const void *device) {
  /* a run for itself, in which a device makes what it keeps for good */
  run_refusing(device, INT64_MAX);
  int64_t n = 1;
  while (run_refusing(device, n)) n++;
  g_assert_cmpint(n, >, 200);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  dl_iterate_phdr(find_code, NULL);
  g_assert_cmpuint(watch.from, >, 0);
  sdk_add("/allocation/steady", test_steady);
  if (TAKEN) sdk_add("/allocation/refused", test_refused);
  return g_test_run();
}
