/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution and its transpose: derivatives, devices, PyTorch's values. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"

#define CONV(name, ...) \
  FUNCTION(name, ab_convolution(x[0], x[1], x[2], (AbConvolutionOptions){__VA_ARGS__}))
#define BACK(name, ...) \
  FUNCTION(name, ab_transposed_convolution(x[0], x[1], x[2], (AbConvolutionOptions){__VA_ARGS__}))

/* ---- the cases: options that belong to the shapes below ------------------------------------- */

CONV(plain, 0)
CONV(same, .padding = {1, 1})
CONV(sigmoid, .padding = {1, 1}, .activation = AB_SIGMOID)
CONV(tanh, .padding = {2, 0}, .activation = AB_TANH)
CONV(relu, .padding = {1, 2}, .activation = AB_RELU)
CONV(softplus, .padding = {1, 1}, .activation = AB_SOFTPLUS)
CONV(strided, .stride = {2, 3}, .padding = {1, 2})
CONV(strided_two, .stride = {2, 2}, .padding = {1, 1})
CONV(dilated, .padding = {2, 3}, .dilation = {2, 3})
CONV(uneven, .padding = {1, 0}, .more_after = {-1, 2}, .stride = {1, 2})
CONV(grouped, .padding = {1, 1}, .groups = 2)
CONV(grouped_strided, .padding = {1, 1}, .stride = {2, 1}, .groups = 3)
CONV(depthwise, .padding = {1, 1}, .groups = 4)
CONV(depthwise_two, .padding = {1, 1}, .stride = {2, 2}, .groups = 4)
CONV(line, .padding = {2}, .stride = {2}, .dilation = {2})
CONV(volume, .padding = {1, 0, 1}, .stride = {1, 2, 1})
BACK(back_plain, 0)
BACK(back_same, .padding = {1, 1}, .activation = AB_SIGMOID)
BACK(back_strided, .stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2})
BACK(back_two, .stride = {2, 2}, .padding = {1, 1}, .output_padding = {1, 1}, .activation = AB_TANH)
BACK(back_dilated, .dilation = {2, 3}, .padding = {1, 2}, .output_padding = {1, 0})
BACK(back_uneven, .padding = {1, 0}, .more_after = {-1, 2})
BACK(back_grouped, .groups = 2, .stride = {2, 1})
BACK(back_depthwise, .groups = 4, .stride = {2, 2}, .padding = {1, 1})
BACK(back_line, .padding = {1}, .stride = {3})
BACK(back_volume, .padding = {1, 0, 1}, .stride = {1, 2, 1})

/* Weights that a convolution and its transpose share. */
static AbTensor *tied_of(AbTensor *const *x) {
  AbConvolutionOptions options = {.padding = {1, 1}, .activation = AB_SIGMOID};
  AbTensor *h = ab_convolution(x[0], x[1], x[2], options);
  return ab_transposed_convolution(h, x[1], AB_NONE, options);
}

FUNCTION(unbiased, ab_convolution(x[0], x[1], AB_NONE, (AbConvolutionOptions){.padding = {1, 1}}))
FUNCTION(unbiased_tanh,
         ab_convolution(x[0], x[1], AB_NONE, (AbConvolutionOptions){.activation = AB_TANH}))
FUNCTION(self_weighted, ab_convolution(x[0], ab_square(x[0]), AB_NONE, (AbConvolutionOptions){0}))

/* ---- derivatives ----------------------------------------------------------------------------- */

#define CASE(name, x, W, b) \
  { #name, name##_of, 3, {x, W, b }, -1, 1 }
static const SdkGradientCase gradient_cases[] = {
    CASE(plain, DIMS(2, 2, 3, 4), DIMS(3, 2, 2, 3), DIMS(3)),
    CASE(sigmoid, DIMS(1, 2, 3, 2), DIMS(2, 2, 3, 3), DIMS(2)),
    CASE(tanh, DIMS(2, 1, 2, 3), DIMS(2, 1, 3, 2), DIMS(2)),
    CASE(relu, DIMS(1, 2, 2, 3), DIMS(3, 2, 3, 2), DIMS(3)),
    CASE(softplus, DIMS(1, 2, 2, 3), DIMS(2, 2, 3, 3), DIMS(2)),
    CASE(strided, DIMS(1, 2, 5, 4), DIMS(2, 2, 3, 2), DIMS(2)),
    CASE(dilated, DIMS(1, 2, 3, 4), DIMS(2, 2, 3, 2), DIMS(2)),
    CASE(uneven, DIMS(1, 2, 3, 3), DIMS(2, 2, 3, 2), DIMS(2)),
    CASE(grouped, DIMS(1, 4, 3, 2), DIMS(2, 2, 3, 2), DIMS(2)),
    CASE(depthwise, DIMS(1, 4, 3, 2), DIMS(4, 1, 3, 3), DIMS(4)),
    CASE(line, DIMS(2, 2, 7), DIMS(3, 2, 3), DIMS(3)),
    CASE(volume, DIMS(1, 2, 2, 3, 2), DIMS(2, 2, 2, 2, 3), DIMS(2)),
    CASE(back_plain, DIMS(1, 2, 3, 2), DIMS(2, 3, 2, 3), DIMS(3)),
    CASE(back_same, DIMS(1, 2, 3, 2), DIMS(2, 2, 3, 3), DIMS(2)),
    CASE(back_strided, DIMS(1, 2, 2, 3), DIMS(2, 2, 3, 2), DIMS(2)),
    CASE(back_dilated, DIMS(1, 2, 3, 2), DIMS(2, 2, 2, 3), DIMS(2)),
    CASE(back_uneven, DIMS(1, 2, 3, 3), DIMS(2, 2, 3, 3), DIMS(2)),
    CASE(back_grouped, DIMS(1, 4, 2, 2), DIMS(4, 1, 3, 2), DIMS(2)),
    CASE(back_line, DIMS(2, 2, 3), DIMS(2, 3, 4), DIMS(3)),
    CASE(back_volume, DIMS(1, 2, 2, 2, 2), DIMS(2, 2, 2, 3, 3), DIMS(2)),
    CASE(tied, DIMS(1, 2, 3, 3), DIMS(3, 2, 3, 3), DIMS(3)),
    {"unbiased", unbiased_of, 2, {DIMS(2, 2, 3, 2), DIMS(2, 2, 3, 3)}, -1, 1},
    {"unbiased-tanh", unbiased_tanh_of, 2, {DIMS(1, 2, 3, 2), DIMS(2, 2, 2, 2)}, -1, 1},
    {"self-weighted", self_weighted_of, 1, {DIMS(2, 2, 2, 2)}, -1, 1},
};

static void test_gradients(const void *device) {
  sdk_check_gradients(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static void test_second(const void *device) {
  sdk_check_second(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

/* ---- devices: shapes for every way that the cpu has ------------------------------------------
 * Errors in 2^-23 of the sums' size: numbers are in [-1, 1), so the floors are square roots of the
 * numbers of products, about.                                                                    */
typedef struct {
  SdkDeviceCase c;
  AbShape shapes[3];
} Comparison;

#define COMPARE(name, forward, backward, x, W, b)            \
  {                                                          \
    {#name, name##_of, 3, -1, 1, forward, 1, backward, 1}, { \
      x, W, b                                                \
    }                                                        \
  }

static const Comparison comparisons[] = {
    /* minimal filtering: odd and even sizes, channels of whole vectors and not */
    COMPARE(sigmoid, 8, 80, DIMS(3, 20, 28, 28), DIMS(20, 20, 3, 3), DIMS(20)),
    COMPARE(same, 30, 60, DIMS(2, 9, 7, 5), DIMS(13, 9, 3, 3), DIMS(13)),
    COMPARE(plain, 40, 60, DIMS(2, 32, 9, 6), DIMS(40, 32, 3, 3), DIMS(40)),
    COMPARE(relu, 30, 60, DIMS(5, 8, 3, 4), DIMS(8, 8, 3, 3), DIMS(8)),
    COMPARE(same, 30, 60, DIMS(31, 10, 2, 2), DIMS(11, 10, 3, 3), DIMS(11)),
    COMPARE(back_same, 8, 60, DIMS(3, 20, 11, 14), DIMS(20, 25, 3, 3), DIMS(25)),
    /* sums: few channels, any kernel */
    COMPARE(sigmoid, 8, 80, DIMS(3, 1, 28, 28), DIMS(20, 1, 3, 3), DIMS(20)),
    COMPARE(back_same, 8, 80, DIMS(3, 20, 28, 28), DIMS(20, 1, 3, 3), DIMS(1)),
    COMPARE(tanh, 8, 60, DIMS(2, 20, 9, 11), DIMS(1, 20, 3, 3), DIMS(1)),
    COMPARE(same, 30, 60, DIMS(2, 21, 6, 7), DIMS(2, 21, 3, 3), DIMS(2)),
    COMPARE(strided, 30, 60, DIMS(2, 12, 13, 17), DIMS(30, 12, 5, 4), DIMS(30)),
    COMPARE(strided_two, 30, 60, DIMS(2, 3, 16, 15), DIMS(32, 3, 3, 3), DIMS(32)),
    COMPARE(strided_two, 30, 60, DIMS(3, 10, 8, 9), DIMS(70, 10, 1, 1), DIMS(70)),
    COMPARE(dilated, 30, 60, DIMS(2, 9, 11, 10), DIMS(17, 9, 3, 3), DIMS(17)),
    COMPARE(uneven, 30, 60, DIMS(2, 9, 6, 7), DIMS(50, 9, 4, 3), DIMS(50)),
    COMPARE(plain, 90, 200, DIMS(2, 5, 33, 31), DIMS(6, 5, 7, 9), DIMS(6)),
    COMPARE(grouped, 30, 60, DIMS(2, 18, 9, 8), DIMS(26, 9, 3, 3), DIMS(26)),
    COMPARE(grouped_strided, 30, 60, DIMS(2, 9, 7, 8), DIMS(6, 3, 3, 3), DIMS(6)),
    COMPARE(line, 30, 60, DIMS(3, 9, 50), DIMS(20, 9, 5), DIMS(20)),
    COMPARE(volume, 30, 60, DIMS(2, 9, 5, 6, 7), DIMS(10, 9, 3, 2, 3), DIMS(10)),
    COMPARE(back_strided, 30, 60, DIMS(2, 12, 6, 7), DIMS(12, 25, 3, 4), DIMS(25)),
    COMPARE(back_two, 30, 60, DIMS(2, 12, 6, 7), DIMS(12, 1, 3, 3), DIMS(1)),
    COMPARE(back_two, 30, 60, DIMS(2, 12, 6, 7), DIMS(12, 9, 1, 1), DIMS(9)),
    COMPARE(back_dilated, 30, 60, DIMS(2, 9, 8, 7), DIMS(9, 10, 3, 3), DIMS(10)),
    COMPARE(back_grouped, 30, 60, DIMS(2, 10, 5, 6), DIMS(10, 7, 3, 2), DIMS(14)),
    COMPARE(back_line, 30, 60, DIMS(2, 9, 20), DIMS(9, 10, 7), DIMS(10)),
    COMPARE(back_volume, 30, 60, DIMS(2, 9, 3, 4, 5), DIMS(9, 10, 3, 3, 3), DIMS(10)),
    /* channel by channel */
    COMPARE(depthwise, 8, 60, DIMS(3, 4, 9, 14), DIMS(4, 1, 3, 3), DIMS(4)),
    COMPARE(depthwise_two, 8, 60, DIMS(3, 4, 9, 14), DIMS(4, 1, 3, 3), DIMS(4)),
    COMPARE(back_depthwise, 8, 60, DIMS(3, 4, 9, 6), DIMS(4, 1, 3, 3), DIMS(4)),
    /* products of matrices */
    COMPARE(plain, 30, 80, DIMS(3, 33, 9, 7), DIMS(21, 33, 1, 1), DIMS(21)),
    COMPARE(back_plain, 30, 80, DIMS(3, 33, 9, 7), DIMS(33, 21, 1, 1), DIMS(21)),
    COMPARE(tied, 60, 100, DIMS(2, 12, 9, 10), DIMS(20, 12, 3, 3), DIMS(20)),
};

static void test_devices(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(comparisons); i++)
    sdk_compare_devices(&comparisons[i].c, comparisons[i].shapes);
}

/* Large enough for threads. */
static const Comparison large[] = {
    COMPARE(plain, 0, 0, DIMS(16, 40, 24, 25), DIMS(64, 40, 1, 1), DIMS(64)),
    COMPARE(sigmoid, 0, 0, DIMS(20, 20, 28, 28), DIMS(20, 20, 3, 3), DIMS(20)),
    COMPARE(back_same, 0, 0, DIMS(20, 20, 28, 28), DIMS(20, 1, 3, 3), DIMS(1)),
    COMPARE(strided_two, 0, 0, DIMS(9, 16, 28, 28), DIMS(40, 16, 5, 5), DIMS(40)),
};

static void test_threads(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(large); i++)
    sdk_check_threads(&large[i].c, 1, large[i].shapes);
  for (size_t i = 0; i < G_N_ELEMENTS(comparisons); i++)
    sdk_check_threads(&comparisons[i].c, 1, comparisons[i].shapes);
}

/* ---- PyTorch's values ------------------------------------------------------------------------ */

CONV(golden_line, .stride = {2}, .padding = {2}, .dilation = {2})
CONV(golden_plane, .stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2})
CONV(golden_same, .padding = {1, 1}, .activation = AB_SIGMOID)
CONV(golden_first, .padding = {1, 1}, .activation = AB_TANH)
CONV(golden_groups, .stride = {2, 2}, .padding = {1, 1}, .groups = 2, .activation = AB_RELU)
CONV(golden_depthwise, .stride = {2, 2}, .padding = {1, 1}, .groups = 6)
CONV(golden_gelu, .activation = AB_GELU)
FUNCTION(golden_uneven,
         ab_convolution(x[0], x[1], AB_NONE,
                        (AbConvolutionOptions){.padding = {0, 1}, .more_after = {1, 1}}))
BACK(golden_back_line, .stride = {3}, .padding = {1})
BACK(golden_back_plane, .stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2},
     .dilation = {1, 2})
BACK(golden_back_groups, .stride = {2, 1}, .groups = 2)
static AbTensor *golden_tied_of(AbTensor *const *x) {
  AbConvolutionOptions options = {.padding = {1, 1}, .activation = AB_SIGMOID};
  AbTensor *h = ab_convolution(x[0], x[1], x[2], options);
  return ab_transposed_convolution(h, x[1], x[3], options);
}
#define WINDOWS                                               \
  (AbConvolutionOptions) {                                    \
    .stride = {2, 1}, .padding = {1, 2}, .dilation = { 1, 2 } \
  }
FUNCTION(golden_unfold, ab_im2col(x[0], AB_SHAPE(3, 2), WINDOWS))
FUNCTION(golden_fold, ab_col2im(x[0], AB_SHAPE(5, 4), AB_SHAPE(3, 2), WINDOWS))

static const SdkGoldenCase golden_cases[] = {
    {"line", golden_line_of},
    {"plane", golden_plane_of},
    {"same", golden_same_of},
    {"first", golden_first_of},
    {"groups", golden_groups_of},
    {"depthwise", golden_depthwise_of},
    {"volume", volume_of},
    {"uneven", golden_uneven_of},
    {"gelu", golden_gelu_of},
    {"transposed-line", golden_back_line_of},
    {"transposed-plane", golden_back_plane_of},
    {"transposed-same", back_same_of},
    {"transposed-last", back_same_of},
    {"transposed-groups", golden_back_groups_of},
    {"transposed-volume", back_volume_of},
    {"tied", golden_tied_of},
    {"unfold", golden_unfold_of},
    {"fold", golden_fold_of},
};

static void test_golden(void) {
  sdk_check_golden("convolution", golden_cases, G_N_ELEMENTS(golden_cases));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/convolution/gradients", test_gradients);
  sdk_add("/convolution/second-derivatives", test_second);
  g_test_add_func("/convolution/devices", test_devices);
  g_test_add_func("/convolution/threads", test_threads);
  g_test_add_func("/convolution/golden", test_golden);
  return g_test_run();
}
