/* SPDX-License-Identifier: Apache-2.0
 *
 * Assembly: from a manifest to components that are wired, with shapes that fit.
 *
 *   assembly_new    names, types, slots and roles: every mistake at once; no file is touched
 *   assembly_build  opens the data (headers only), builds the model for its shapes
 *   assembly_load   brings the data into memory and computes its statistics                     */
#ifndef HOST_ASSEMBLY_H
#define HOST_ASSEMBLY_H

#include "../feed/feed.h"
#include "../manifest/bind.h"
#include "../manifest/settings.h"

typedef struct {
  AbMetric *metric;
  char *name; /* that of the component; with its number where there are several */
} NamedMetric;

typedef struct {
  Settings *settings;
  AbContext *ctx;
  Binder binder;
  Node *resolved; /* the manifest with everything filled in */
  AbRole role;
  AbRole taught; /* that a loss is of: for a score which follows from it, reconstruct */

  AbData *data;               /* NULL where the problem has an environment instead */
  AbEnvironment *environment; /* or NULL */
  AbNoise *noise;             /* or NULL */
  AbModel *model;
  AbLoss *loss; /* NULL where the model has its own objective */
  AbOptimizer *optimizer;
  AbController *controller;
  GPtrArray *regularizers; /* AbRegularizer * */
  GPtrArray *metrics;      /* NamedMetric * */
  gboolean metrics_given;  /* by the manifest, else they are the default */

  Feed *feed;
  AbStep *step;
  gboolean own_objective; /* of the model: a loss that is given is not used */
} Assembly;

/* Takes nothing; `root` may be freed after. NULL after a mistake, all of which are in `error`. With
 * `dry` weights have shapes and no memory.                                                      */
Assembly *assembly_new(const Registry *registry, const Node *root, gboolean dry,
                       Diagnostics *diagnostics, GError **error);
void assembly_free(Assembly *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Assembly, assembly_free)

gboolean assembly_build(Assembly *self, GError **error);
/* Builds the model alone, for what a checkpoint says that its data was. */
gboolean assembly_build_model(Assembly *self, const AbSignature *signature, GError **error);
gboolean assembly_load(Assembly *self, GError **error);

/* Turns the context's error, if there is one, into a GError; TRUE if there is none. */
gboolean assembly_check(Assembly *self, GError **error);

/* The field that a loss compares the role's output with: "x", "y", or NULL for a role without. */
const char *assembly_target(AbRole role);
/* The field that the metrics compare it with: that of the loss; for generate the samples
 * themselves, for score the class, where the data has one. NULL: nothing, or an environment. */
const char *assembly_compared(const Assembly *self);
/* The roles that the built model can be called in, as a mask of AB_ROLE_BIT: one that is built for
 * one role (AB_ONE_ROLE) has that, and the code that it finds on the way (encode). */
guint32 assembly_roles(const Assembly *self);
NamedMetric *assembly_metric(const Assembly *self, const char *name); /* NULL if there is none */

#endif
