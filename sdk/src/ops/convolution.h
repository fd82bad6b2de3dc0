/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of convolution share: options that were checked, and sizes. */
#ifndef SDK_OPS_CONVOLUTION_H
#define SDK_OPS_CONVOLUTION_H

#include "../device/convolution.h"
#include "../internal.h"

/* Of one, two or three axes, the last ones of three: those before are 1 position wide. */
typedef struct {
  int64_t stride[CONVOLUTION_AXES], dilation[CONVOLUTION_AXES];
  int64_t before[CONVOLUTION_AXES], after[CONVOLUTION_AXES], more[CONVOLUTION_AXES];
  int64_t groups;
  AbActivation f;
} Settings;

/* Options as settings, with their defaults; false and an error naming x where they are no options
 * for that many spatial axes.                                                                    */
bool ab_convolution_settings(const char *operation, const AbTensor *x, int32_t axes,
                             const AbConvolutionOptions *options, Settings *settings);
/* The last `axes` of `from` as three axes. */
void ab_convolution_axes(int64_t to[CONVOLUTION_AXES], const int64_t *from, int32_t axes);
/* Positions of the result on each axis; false if the kernel does not fit into the padded input (or
 * numbers overflow).                                                                             */
bool ab_convolution_sizes(const Settings *s, const int64_t *x, const int64_t *k, int64_t *y);
bool ab_convolution_transposed_sizes(const Settings *s, const int64_t *y, const int64_t *k,
                                     int64_t *x);
void ab_convolution_keep(AbTensor *y, const Settings *settings); /* in y->ints, and back */
Settings ab_convolution_kept(const AbTensor *y);

#endif
