/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that a plugin needs. */
#ifndef ABSDK_ABSDK_H
#define ABSDK_ABSDK_H

#include "autograd.h"
#include "base.h"
#include "component.h"
#include "context.h"
#include "data.h"
#include "environment.h"
#include "kinds.h"
#include "layers.h"
#include "model.h"
#include "ops.h"
#include "random.h"
#include "tensor.h"
#include "training.h"

#endif
