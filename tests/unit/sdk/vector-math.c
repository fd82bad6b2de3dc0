/* SPDX-License-Identifier: Apache-2.0
 *
 * The elementary functions of f32 against libm in f64: errors in ulp over the whole range.
 *
 * An ulp is the distance of floats at the exact value (2^-149 where that is denormal). Run with
 * --verbose to see what is measured; the header states it.                                       */
#include "device/cpu/vector-math.h"
#include "sdk-test.h"
#include <float.h>

static double ulps(float given, double exact) {
  float rounded = (float)exact;
  if (given == rounded || (isnan(given) && isnan(exact))) return 0;
  if (isnan(given) || isnan(exact) || isinf(given) || isinf(rounded)) return INFINITY;
  int exponent;
  frexp(exact, &exponent);
  return fabs((double)given - exact) / ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
}

typedef struct {
  const char *name;
  float (*f)(float x);
  double (*exact)(double x);
} Case;

static double sigmoid(double x) {
  return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}
static double softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double normal_below(double x) {
  return erfc(-x * M_SQRT1_2) / 2;
}
static double gelu(double x) {
  return x * normal_below(x);
}
static double gelu_slope(double x) {
  return normal_below(x) + x * exp(-x * x / 2) / sqrt(2 * M_PI);
}
static double swish(double x) {
  return x * sigmoid(x);
}
static double mish(double x) {
  return x * tanh(softplus(x));
}
static double gaussian(double x) {
  return exp(-x * x);
}
static double power(double x) {
  return pow(x, (double)1.7f);
}
static float vector_power(float x) {
  return vector_pow(x, 1.7f);
}
static double steep_power(double x) {
  return pow(x, (double)-9.3f);
}
static float vector_steep_power(float x) {
  return vector_pow(x, -9.3f);
}

#define CASE(name, exact) static const Case v##name = {#name, vector_##name, exact}
CASE(exp, exp);
CASE(expm1, expm1);
CASE(log, log);
CASE(log1p, log1p);
CASE(log1p_unit, log1p);
CASE(sigmoid, sigmoid);
CASE(tanh, tanh);
CASE(softplus, softplus);
CASE(erf, erf);
CASE(gelu, gelu);
CASE(swish, swish);
CASE(mish, mish);
CASE(gaussian, gaussian);
CASE(sin, sin);
CASE(cos, cos);
CASE(sinh, sinh);
CASE(cosh, cosh);
CASE(power, power);
CASE(steep_power, steep_power);

typedef struct {
  double worst;
  float at;
} Worst;

static void note(Worst *worst, const Case *c, float x) {
  double error = ulps(c->f(x), c->exact((double)x));
  if (error > worst->worst) *worst = (Worst){error, x};
}

static void assert_worst(const Case *c, Worst worst, double bound) {
  g_test_message("%s: %.3f ulp at %.9g", c->name, worst.worst, (double)worst.at);
  if (!(worst.worst <= bound))
    g_error("%s: an error of %.3f ulp at %.9g, not within %g", c->name, worst.worst,
            (double)worst.at, bound);
}

/* `count` floats evenly spread over [low, high]. */
static void sweep(const Case *c, double low, double high, int count, double bound) {
  Worst worst = {0, 0};
  for (int i = 0; i <= count; i++) note(&worst, c, (float)(low + (high - low) * i / count));
  assert_worst(c, worst, bound);
}

/* Every `step`-th float of one sign with an absolute value in [low, high], by its bits: all
 * exponents, denormals among them. */
static void sweep_bits(const Case *c, bool negative, float low, float high, int32_t step,
                       double bound) {
  Worst worst = {0, 0};
  for (int32_t bits = float_to_bits(low); bits <= float_to_bits(high); bits += step)
    note(&worst, c, negative ? -bits_to_float(bits) : bits_to_float(bits));
  assert_worst(c, worst, bound);
}

#define STEP 2003 /* a prime: one million of the two thousand million floats of a sign */

static void test_exp(void) {
  sweep(&vexp, -87.3, 88.72, 1000000, 1.1);
  sweep(&vexp, -104, -87.3, 200000, 1.1); /* denormal results */
  sweep_bits(&vexp, false, 0, 88.72f, STEP, 1.1);
  sweep_bits(&vexp, true, 0, FLT_MAX, STEP, 1.1);
  sweep(&vexpm1, -20, 88.72, 1000000, 2);
  sweep_bits(&vexpm1, false, 0, 88.72f, STEP, 2);
  sweep_bits(&vexpm1, true, 0, FLT_MAX, STEP, 2);
}

static void test_log(void) {
  sweep(&vlog, 0.5, 2, 1000000, 1);
  sweep_bits(&vlog, false, 0x1p-149f, FLT_MAX, STEP, 1);
  sweep(&vlog1p, -0.999, 3, 1000000, 1.5);
  sweep_bits(&vlog1p, false, 0, FLT_MAX, STEP, 1.5);
  sweep_bits(&vlog1p, true, 0, 0.9999999f, STEP, 1.5);
  sweep(&vlog1p_unit, 0, 1, 500000, 2);
  sweep_bits(&vlog1p_unit, false, 0, 1, STEP, 2);
}

/* 1 / (1 + exp(-x)): below -88 the exponential overflows, and the result is 0 where it should be
 * denormal. */
static void test_sigmoid(void) {
  sweep(&vsigmoid, -87.3, 20, 1000000, 2.5);
  sweep_bits(&vsigmoid, false, 0, FLT_MAX, STEP, 2.5);
  sweep_bits(&vsigmoid, true, 0, 87.3f, STEP, 2.5);
  for (float x = -87.3f; x > -110; x -= 0.01f)
    g_assert_cmpfloat_with_epsilon(vector_sigmoid(x), sigmoid((double)x), 0x1p-125);
}

static void test_tanh(void) {
  sweep(&vtanh, -10, 10, 1000000, 2.5);
  sweep(&vtanh, 0.6, 0.65, 200000, 2.5);
  sweep_bits(&vtanh, false, 0, FLT_MAX, STEP, 2.5);
  sweep_bits(&vtanh, true, 0, FLT_MAX, STEP, 2.5);
}

static void test_softplus(void) {
  sweep(&vsoftplus, -87.3, 88.72, 1000000, 2.5);
  sweep(&vsoftplus, -104, -87.3, 200000, 2.5);
  sweep_bits(&vsoftplus, false, 0, FLT_MAX, STEP, 2.5);
  sweep_bits(&vsoftplus, true, 0, FLT_MAX, STEP, 2.5);
}

static void test_erf(void) {
  sweep(&verf, -5, 5, 1000000, 3);
  sweep_bits(&verf, false, 0, FLT_MAX, STEP, 3);
  sweep_bits(&verf, true, 0, FLT_MAX, STEP, 3);
}

/* Down to where the exponential is denormal and 0 is given. */
static void test_gaussian(void) {
  sweep(&vgaussian, -9.3, 9.3, 1000000, 2);
  sweep(&vgelu, -12.9, 20, 1000000, 6.5);
  sweep_bits(&vgelu, false, 0, FLT_MAX, STEP, 6.5);
  sweep_bits(&vgelu, true, 0, 12.9f, STEP, 6.5);
  double worst = 0;
  for (float x = -30; x < 30; x += 1e-4f)
    worst = fmax(worst, fabs((double)vector_gelu_slope(x) - gelu_slope((double)x)));
  g_test_message("slope of gelu: %.3g", worst);
  g_assert_cmpfloat(worst, <, 3e-7);
  for (float x = -200; x < -13; x += 0.01f)
    g_assert_cmpfloat_with_epsilon(vector_gelu(x), gelu((double)x), 0x1p-115);
}

static void test_gates(void) {
  sweep(&vswish, -87.3, 100, 1000000, 4);
  sweep_bits(&vswish, false, 0, FLT_MAX, STEP, 4);
  sweep(&vmish, -87.3, 100, 1000000, 5);
  sweep_bits(&vmish, false, 0, FLT_MAX, STEP, 5);
}

static void test_angles(void) {
  sweep(&vsin, -100, 100, 1000000, 1.5);
  sweep(&vcos, -100, 100, 1000000, 1.5);
  sweep_bits(&vsin, false, 0, VECTOR_ANGLE, STEP, 1.5);
  sweep_bits(&vsin, true, 0, VECTOR_ANGLE, STEP, 1.5);
  sweep_bits(&vcos, false, 0, VECTOR_ANGLE, STEP, 1.5);
  sweep(&vsinh, -89.4, 89.4, 1000000, 4);
  sweep_bits(&vsinh, false, 0, 89.4f, STEP, 4);
  sweep(&vcosh, -89.4, 89.4, 1000000, 4);
}

static void test_power(void) {
  sweep(&vpower, 1e-6, 100, 1000000, 0.51);
  sweep_bits(&vpower, false, FLT_MIN, FLT_MAX, STEP, 0.51);
  sweep_bits(&vsteep_power, false, FLT_MIN, FLT_MAX, STEP, 0.51);
}

static void assert_float(float given, float wanted) {
  if (isnan(wanted))
    g_assert_true(isnan(given));
  else if (wanted == 0) /* of either sign */
    g_assert_cmpfloat(given, ==, 0);
  else
    g_assert_cmphex((uint32_t)float_to_bits(given), ==, (uint32_t)float_to_bits(wanted));
}

static void test_special(void) {
  const float inf = INFINITY, tiny = 0x1p-149f;
  const struct {
    float x, exp, log, sigmoid, tanh, softplus;
  } rows[] = {
      {0, 1, -inf, 0.5f, 0, (float)M_LN2},
      {-0.f, 1, -inf, 0.5f, -0.f, (float)M_LN2},
      {inf, inf, inf, 1, 1, inf},
      {-inf, 0, NAN, 0, -1, 0},
      {NAN, NAN, NAN, NAN, NAN, NAN},
      {FLT_MAX, inf, (float)log((double)FLT_MAX), 1, 1, FLT_MAX},
      {-FLT_MAX, 0, NAN, 0, -1, 0},
      {tiny, 1, (float)log(0x1p-149), 0.5f, tiny, (float)M_LN2},
      {-tiny, 1, NAN, 0.5f, -tiny, (float)M_LN2},
      {FLT_MIN, 1, (float)log(0x1p-126), 0.5f, FLT_MIN, (float)M_LN2},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    assert_float(vector_exp(rows[i].x), rows[i].exp);
    assert_float(vector_log(rows[i].x), rows[i].log);
    assert_float(vector_sigmoid(rows[i].x), rows[i].sigmoid);
    assert_float(vector_tanh(rows[i].x), rows[i].tanh);
    assert_float(vector_softplus(rows[i].x), rows[i].softplus);
  }
  assert_float(vector_log(1), 0);
  /* the last that does not overflow and the first that does; likewise to 0 */
  g_assert_true(isfinite(vector_exp(88.72283f)));
  assert_float(vector_exp(nextafterf(88.72284f, 100)), inf);
  assert_float(vector_exp(-103.97208f), tiny);
  assert_float(vector_exp(-103.973f), 0);
}

/* cos and sin of 2 pi v for every v that a normal number is made of; absolute errors. */
static void test_turn(void) {
  double worst = 0;
  for (int i = 0; i < 1 << 24; i += 7) {
    float v = (float)i * 0x1p-24f, c, s;
    vector_cos_sin_turn(v, &c, &s);
    double angle = 2 * M_PI * (double)v;
    worst = fmax(worst, fmax(fabs((double)c - cos(angle)), fabs((double)s - sin(angle))));
  }
  g_test_message("cos, sin: %.3g", worst);
  g_assert_cmpfloat(worst, <, 1e-7);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/vector-math/exp", test_exp);
  g_test_add_func("/vector-math/log", test_log);
  g_test_add_func("/vector-math/sigmoid", test_sigmoid);
  g_test_add_func("/vector-math/tanh", test_tanh);
  g_test_add_func("/vector-math/softplus", test_softplus);
  g_test_add_func("/vector-math/erf", test_erf);
  g_test_add_func("/vector-math/gaussian", test_gaussian);
  g_test_add_func("/vector-math/gates", test_gates);
  g_test_add_func("/vector-math/angles", test_angles);
  g_test_add_func("/vector-math/power", test_power);
  g_test_add_func("/vector-math/special", test_special);
  g_test_add_func("/vector-math/turn", test_turn);
  return g_test_run();
}
