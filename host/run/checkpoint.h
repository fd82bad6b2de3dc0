/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoints: everything of a run in one HDF5 file, under names that a person understands.
 *
 *   /model/encoder/W1              weights and buffers, by component; attribute `axes`
 *   /optimizer/first_moment/...    the state of the optimizer, weight by weight
 *   /transform/mean ...            statistics of the data's transforms
 *   /signature/in, /signature/out  what the model was built for
 *   /signature/data                x as the data declares it, before the transforms
 *   /signature/names               how classes of its fields are called, as JSON
 *   /plugins/model ...             id, version and SHA-256 of every plugin that was used
 *   /run                           epoch, batch, step and sums: how far the run has come
 *   /manifest, /resolved           the manifest as written, and with everything filled in */
#ifndef HOST_RUN_CHECKPOINT_H
#define HOST_RUN_CHECKPOINT_H

#include "../assembly/assembly.h"
#include "../store/store.h"
#include "state.h"

/* Writes atomically: after FALSE what stood under `path` stands unchanged. */
gboolean checkpoint_save(const char *path, const Assembly *assembly, const RunState *state,
                         const char *manifest, GError **error);

/* A checkpoint that is open for reading. */
typedef struct {
  StoreFile *file;
  char *manifest; /* as written */
  char *resolved;
  char *model; /* name of the component */
} Checkpoint;

/* Opens, and checks that it is a checkpoint of a version that is known. */
Checkpoint *checkpoint_open(const char *path, GError **error);
void checkpoint_close(Checkpoint *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Checkpoint, checkpoint_close)

/* What the model was built for, as assembly_build_model takes it; real numbers are AB_F32 in it. */
gboolean checkpoint_signature(const Checkpoint *self, AbSignature *signature, GError **error);
/* x as the data declared it. */
gboolean checkpoint_data_spec(const Checkpoint *self, AbSpec *x, GError **error);
/* How the classes of a field of the data are called, NULL-terminated: g_strfreev. NULL without an
 * error where they have no names.                                                                */
char **checkpoint_class_names(const Checkpoint *self, const char *field, GError **error);
/* Statistics of the transforms, to the feed; before it is loaded. */
gboolean checkpoint_statistics(const Checkpoint *self, Feed *feed, GError **error);
/* Weights and buffers of all instances; any that is missing or of another shape is an error. */
gboolean checkpoint_weights(const Checkpoint *self, Assembly *assembly, GError **error);
/* Weights by name, for `init`: `map` has pairs of prefixes, here and there. What the file does not
 * have keeps its initial value; nothing found at all is an error. The number found.              */
gint64 checkpoint_init(const Checkpoint *self, Assembly *assembly, const GPtrArray *map,
                       GError **error);
/* States of the optimizers, and how far the run had come. */
gboolean checkpoint_progress(const Checkpoint *self, Assembly *assembly, RunState *state,
                             GError **error);
/* Lines that say which plugins are not those that made the checkpoint; "" if all are. */
char *checkpoint_differences(const Checkpoint *self, const Assembly *assembly);

#endif
