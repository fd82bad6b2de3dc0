/* SPDX-License-Identifier: Apache-2.0
 *
 * The inner loops of convolution, for AVX2 and for whatever vectors there are. */
#include "convolution-tile.h"
#include "product.h"

#define AVX2 0
#include "vector.h"

#include "convolution-body.h"
#include "end-vector.h"

#ifdef __x86_64__
#define AVX2 1
#include "vector.h"

#include "convolution-body.h"
#include "end-vector.h"
#endif

const CpuTileKernels *cpu_tile_kernels(void) {
#ifdef __x86_64__
  if (cpu_has_avx2()) return &tile_kernels_avx2;
#endif
  return &tile_kernels_portable;
}
