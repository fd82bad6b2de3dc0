/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations. All are recorded for the backward pass unless said otherwise; all take and return
 * borrowed tensors (see "memory" in context.h); all check shapes and types and leave an error that
 * names the operation and the shapes. Real tensors are AB_F32 or AB_F64; two real operands have
 * one type. Shapes of two operands broadcast as in NumPy: aligned at the last axis, an axis of 1
 * stretches.                                                                                    */
#ifndef ABSDK_OPS_H
#define ABSDK_OPS_H

#include "attention.h"
#include "convolution.h"
#include "custom.h"
#include "elements.h"
#include "linalg.h"
#include "losses.h"
#include "movement.h"
#include "normalization.h"
#include "optimize.h"
#include "pooling.h"
#include "recurrent.h"
#include "reductions.h"

#endif
