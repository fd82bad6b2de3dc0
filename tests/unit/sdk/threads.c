/* SPDX-License-Identifier: Apache-2.0
 *
 * One pool of threads: OpenBLAS must be the flavour that uses OpenMP, as its own pool would fight
 * with ours for the cores.                                                                      */
#include <absdk/host.h>
#include <dlfcn.h>
#include <glib.h>

#define WITH_OPENMP 2 /* what openblas_get_parallel says of that flavour */

static void openblas_uses_openmp(void) {
  g_assert_cmpstr(ab_version(), ==, ABSDK_VERSION); /* so that libabsdk is needed here */
  int (*parallel)(void) = NULL;
  *(void **)&parallel = dlsym(RTLD_DEFAULT, "openblas_get_parallel");
  g_assert_nonnull(parallel);
  g_assert_cmpint(parallel(), ==, WITH_OPENMP);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/threads/openblas", openblas_uses_openmp);
  return g_test_run();
}
