/* SPDX-License-Identifier: Apache-2.0
 *
 * Closes what vector.h opened. */
#if AVX2
#pragma GCC pop_options
#endif
#undef AVX2
