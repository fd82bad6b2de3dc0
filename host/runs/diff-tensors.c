/* SPDX-License-Identifier: Apache-2.0
 *
 * The tensors of two checkpoints, side by side, a block of each at a time. */
#include "diff.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 1 << 20 }; /* numbers of a block, unless a row is longer */

typedef struct {
  StoreFile *a, *b;
  const char *name;
  StoreInfo info; /* of both */
  gboolean one_type;
  gint64 row, rows, block; /* numbers of a row; rows of all and of a block */
  void *left, *right;      /* room for a block as f64 */
} Pair;

/* ---- one tensor ------------------------------------------------------------------------------ */

static char *type_text(const StoreInfo *info) {
  char buffer[200];
  AbShape shape = {.rank = info->rank};
  for (int i = 0; i < info->rank; i++) shape.dims[i] = info->shape[i];
  return g_strdup_printf("%s %s", ab_dtype_name(info->dtype),
                         ab_shape_text(shape, buffer, sizeof buffer));
}

static gboolean same_shape(const StoreInfo *a, const StoreInfo *b) {
  if (a->rank != b->rank) return FALSE;
  for (int i = 0; i < a->rank; i++)
    if (a->shape[i] != b->shape[i]) return FALSE;
  return TRUE;
}

static gboolean prepare(Pair *self, GError **error) {
  self->row = 1;
  self->rows = self->info.rank ? self->info.shape[0] : 1;
  gboolean fits = TRUE;
  for (int i = 1; i < self->info.rank; i++)
    fits = fits && !__builtin_mul_overflow(self->row, self->info.shape[i], &self->row);
  self->block = MIN(self->rows, MAX(1, BLOCK / MAX(self->row, 1)));
  if (self->row == 0) self->rows = 0;
  gsize count = 0;
  if (fits && g_size_checked_mul(&count, (gsize)self->row, (gsize)self->block)) {
    self->left = g_try_malloc_n(MAX(count, 1), sizeof(double));
    self->right = g_try_malloc_n(MAX(count, 1), sizeof(double));
  }
  return (self->left && self->right) ||
         host_fail(error, AB_DATA, "%s of %s and of %s does not fit into memory", self->name,
                   store_path(self->a), store_path(self->b));
}

static gboolean read_block(Pair *self, AbDtype dtype, gint64 first, gint64 *count, GError **error) {
  gint64 rows = MIN(self->block, self->rows - first);
  *count = rows * self->row;
  return store_read(self->a, self->name, dtype, first, rows, self->left, error) &&
         store_read(self->b, self->name, dtype, first, rows, self->right, error);
}

static gboolean same_bits(Pair *self, gboolean *same, GError **error) {
  gsize size = ab_dtype_size(self->info.dtype);
  *same = self->one_type;
  for (gint64 first = 0; *same && first < self->rows; first += self->block) {
    gint64 count;
    if (!read_block(self, self->info.dtype, first, &count, error)) return FALSE;
    *same = memcmp(self->left, self->right, (gsize)count * size) == 0;
  }
  return TRUE;
}

/* A NaN anywhere stays visible: both figures are NaN then. */
static gboolean measure(Pair *self, DiffTensor *tensor, GError **error) {
  double largest = 0, difference = 0, norm = 0;
  for (gint64 first = 0; first < self->rows; first += self->block) {
    gint64 count;
    if (!read_block(self, AB_F64, first, &count, error)) return FALSE;
    const double *a = self->left, *b = self->right;
    for (gint64 i = 0; i < count; i++) {
      double change = b[i] == a[i] ? 0 : fabs(b[i] - a[i]); /* infinities that are equal */
      if (change > largest || isnan(change)) largest = change;
      difference += change * change;
      norm += a[i] * a[i];
    }
  }
  tensor->largest = isnan(difference) ? NAN : largest;
  tensor->relative = difference == 0 ? 0 : sqrt(difference) / sqrt(norm);
  return TRUE;
}

static gboolean compare_values(Pair *self, DiffTensor *tensor, GError **error) {
  gboolean same = FALSE;
  if (!prepare(self, error) || !same_bits(self, &same, error)) return FALSE;
  tensor->how = same ? TENSOR_SAME : TENSOR_CHANGED;
  return same || measure(self, tensor, error);
}

static gboolean compare(StoreFile *a, StoreFile *b, const StoreInfo *in_a, const StoreInfo *in_b,
                        DiffTensor *tensor, GError **error) {
  g_autofree char *dataset = g_strconcat("/", tensor->name, NULL);
  Pair pair = {
      .a = a, .b = b, .name = dataset, .info = *in_a, .one_type = in_a->dtype == in_b->dtype};
  tensor->how = TENSOR_SHAPE;
  if (!same_shape(in_a, in_b)) return TRUE;
  gboolean done = compare_values(&pair, tensor, error);
  g_free(pair.left);
  g_free(pair.right);
  return done;
}

/* ---- all ------------------------------------------------------------------------------------- */

/* Texts, and what a model was built for, are no tensors: the manifest says it. */
static gboolean is_tensor(const char *dataset, const StoreInfo *info) {
  return info->dtype != 0 && !g_str_has_prefix(dataset, "/signature/");
}

/* Whether a dataset lies below a group that an optimizer updates: /optimizer/first_moment/... */
static gboolean is_state(StoreFile *file, const char *dataset) {
  if (g_str_has_prefix(dataset, "/transform/")) return TRUE;
  for (const char *at = strchr(dataset + 1, '/'); at; at = strchr(at + 1, '/')) {
    g_autofree char *group = g_strndup(dataset, (gsize)(at - dataset));
    gint64 updates;
    if (store_read_attr_int(file, group, "updates", &updates, NULL)) return TRUE;
  }
  return FALSE;
}

static gboolean add_tensor(StoreFile *a, StoreFile *b, const char *dataset, GPtrArray *weights,
                           GPtrArray *states, GError **error) {
  StoreInfo in_a = {0}, in_b = {0};
  if ((a && !store_info(a, dataset, &in_a, error)) || (b && !store_info(b, dataset, &in_b, error)))
    return FALSE;
  gboolean for_a = a && is_tensor(dataset, &in_a), for_b = b && is_tensor(dataset, &in_b);
  if (!for_a && !for_b) return TRUE;
  DiffTensor *tensor = g_new0(DiffTensor, 1);
  tensor->name = g_strdup(dataset + 1);
  if (for_a) tensor->type_a = type_text(&in_a);
  if (for_b) tensor->type_b = type_text(&in_b);
  g_ptr_array_add(is_state(for_a ? a : b, dataset) ? states : weights, tensor);
  if (for_a && for_b) return compare(a, b, &in_a, &in_b, tensor, error);
  tensor->how = for_a ? TENSOR_ONLY_A : TENSOR_ONLY_B;
  return TRUE;
}

gboolean run_diff_compare_tensors(StoreFile *a, StoreFile *b, GPtrArray *weights, GPtrArray *states,
                                  GError **error) {
  g_autoptr(GPtrArray) in_a = store_list(a, "/", error);
  g_autoptr(GPtrArray) in_b = in_a ? store_list(b, "/", error) : NULL;
  if (!in_b) return FALSE;
  gboolean done = TRUE; /* both are sorted */
  for (guint i = 0, j = 0; done && (i < in_a->len || j < in_b->len);) {
    const char *left = i < in_a->len ? in_a->pdata[i] : NULL;
    const char *right = j < in_b->len ? in_b->pdata[j] : NULL;
    int order = !left ? 1 : !right ? -1 : strcmp(left, right);
    done = add_tensor(order <= 0 ? a : NULL, order >= 0 ? b : NULL, order <= 0 ? left : right,
                      weights, states, error);
    i += order <= 0;
    j += order >= 0;
  }
  return done;
}
