/* SPDX-License-Identifier: Apache-2.0
 *
 * Golden values: golden-test.h says what is compared. */
#include "golden-test.h"
#include <hdf5.h>
#include <math.h>

#define F64_ERROR 1e-9
#define F32_ERROR 1e-5

typedef struct {
  AbShape shape;
  bool integer;
  double *values;
} Array;

/* False if there is no such dataset. */
static bool read_array(hid_t group, const char *name, Array *array) {
  if (H5Lexists(group, name, H5P_DEFAULT) <= 0) return false;
  hid_t dataset = H5Dopen(group, name, H5P_DEFAULT), space = H5Dget_space(dataset);
  hid_t type = H5Dget_type(dataset);
  hsize_t dims[AB_MAX_RANK];
  array->shape = (AbShape){.rank = H5Sget_simple_extent_dims(space, dims, NULL)};
  for (int32_t i = 0; i < array->shape.rank; i++) array->shape.dims[i] = (int64_t)dims[i];
  array->integer = H5Tget_class(type) == H5T_INTEGER;
  array->values = g_new(double, ab_shape_count(array->shape) + 1);
  g_assert_cmpint(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->values),
                  >=, 0);
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(dataset);
  return true;
}

static void assert_close(const char *what, const char *device, AbTensor *given, const Array *wanted,
                         double error) {
  AbShape shape = ab_shape(given);
  g_assert_cmpmem(&shape, sizeof shape, &wanted->shape, sizeof shape);
  g_autofree double *values = sdk_values(given);
  double scale = 1e-30;
  for (int64_t i = 0; i < ab_count(given); i++) scale = fmax(scale, fabs(wanted->values[i]));
  for (int64_t i = 0; i < ab_count(given); i++)
    if (!(fabs(values[i] - wanted->values[i]) <= error * scale) && values[i] != wanted->values[i])
      g_error("%s on %s, number %d: %.12g, not %.12g (within %g of the largest, %g)", what, device,
              (int)i, values[i], wanted->values[i], error, scale);
}

static void check(hid_t file, const SdkGoldenCase *c, const char *device, AbDtype real) {
  hid_t group = H5Gopen(file, c->name, H5P_DEFAULT);
  g_assert_cmpint(group, >=, 0);
  AbContext *ctx = sdk_context(device, real);
  double error = real == AB_F64 ? F64_ERROR : c->error > 0 ? c->error : F32_ERROR;
  AbTensor *x[SDK_INPUTS];
  Array array;
  int32_t count = 0;
  for (;; count++) {
    g_autofree char *name = g_strdup_printf("x%d", count);
    if (!read_array(group, name, &array)) break;
    g_assert_cmpint(count, <, SDK_INPUTS);
    x[count] = sdk_tensor_of(ctx, array.integer ? AB_I64 : real, array.shape, array.values);
    if (!array.integer) ab_require_grad(x[count]);
    g_free(array.values);
  }
  AbTensor *y = c->f(x);
  sdk_assert_ok(ctx);
  g_assert_true(read_array(group, "y", &array));
  assert_close(c->name, device, y, &array, error);
  g_free(array.values);
  if (read_array(group, "c", &array)) {
    ab_backward(ab_sum(ab_mul(y, sdk_tensor(ctx, array.shape, array.values))));
    g_free(array.values);
    sdk_assert_ok(ctx);
  }
  for (int32_t i = 0; i < count; i++) {
    g_autofree char *name = g_strdup_printf("g%d", i);
    g_autofree char *what = g_strdup_printf("%s, gradient of input %d", c->name, i);
    if (!read_array(group, name, &array)) continue;
    assert_close(what, device, ab_gradient(x[i]), &array, error);
    g_free(array.values);
  }
  sdk_finish(ctx);
  H5Gclose(group);
}

static herr_t assert_known(hid_t file, const char *name, const H5L_info_t *info, void *data) {
  (void)file, (void)info;
  if (!g_hash_table_contains(data, name)) g_error("no case for the golden values of %s", name);
  return 0;
}

void sdk_check_golden(const char *family, const SdkGoldenCase *cases, size_t count) {
  g_autofree char *path =
      g_strdup_printf("%s/tests/golden/%s.h5", g_getenv("ABHOST_SOURCE_ROOT"), family);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) g_error("%s cannot be read", path);
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  for (size_t i = 0; i < count; i++) {
    g_hash_table_add(names, (gpointer)cases[i].name);
    for (const char *const *device = ab_device_names(); *device; device++) {
      check(file, &cases[i], *device, AB_F64);
      check(file, &cases[i], *device, AB_F32);
    }
  }
  H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, assert_known, names);
  H5Fclose(file);
}
