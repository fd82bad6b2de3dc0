/* SPDX-License-Identifier: Apache-2.0
 *
 * A trained model, made from its checkpoint alone: the data that it learned from need not be there.
 */
#ifndef HOST_APPLY_TRAINED_H
#define HOST_APPLY_TRAINED_H

#include "../run/checkpoint.h"

typedef struct {
  const Checkpoint *checkpoint; /* borrowed */
  Assembly *assembly;           /* borrowed */
  AbSignature signature;        /* what the model was built for */
  AbSpec data;                  /* x as the training data declared it, before the transforms */
} Trained;

/* Builds the model of `assembly` (assembly_new from what the checkpoint resolved to; its data is
 * left alone) and gives it the weights of the checkpoint. Both must outlive `self`.              */
gboolean trained_restore(Trained *self, const Checkpoint *checkpoint, Assembly *assembly,
                         GError **error);

/* FALSE, and AB_CONFIG with those that it has, if the model has no such role. A model that is built
 * for one role (AB_ONE_ROLE) has that, and the code that it finds on the way (encode).           */
gboolean trained_check_role(const Trained *self, AbRole role, GError **error);

/* What one sample of a role's input is: for most what the model was built for, for decode a code,
 * which a sample of zeros that is encoded shows. `rank` -1: only the model knows.                */
gboolean trained_input(const Trained *self, AbRole role, AbSpec *wanted, GError **error);

/* Runs a role, or generates `count` samples where x is NULL. What lies in data space has the shape
 * of the data's samples. The result belongs to the scope; NULL and an error.                     */
AbTensor *trained_call(const Trained *self, AbRole role, AbTensor *x, gint64 count, GError **error);

#endif
