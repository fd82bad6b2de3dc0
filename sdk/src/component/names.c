/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of kinds, roles and splits; small questions about specs. */
#include "../internal.h"
#include <stdlib.h>
#include <string.h>

static const char *const kinds[AB_KIND_COUNT] = {
    [AB_KIND_DATA] = "data",
    [AB_KIND_NOISE] = "noise",
    [AB_KIND_MODEL] = "model",
    [AB_KIND_LOSS] = "loss",
    [AB_KIND_REGULARIZER] = "regularizer",
    [AB_KIND_CONTROLLER] = "controller",
    [AB_KIND_OPTIMIZER] = "optimizer",
    [AB_KIND_SCHEDULE] = "schedule",
    [AB_KIND_METRIC] = "metric",
    [AB_KIND_ENVIRONMENT] = "environment",
};

const char *ab_kind_name(AbKind kind) {
  return kind > 0 && kind < AB_KIND_COUNT ? kinds[kind] : NULL;
}

static const char *const roles[AB_ROLE_COUNT] = {
    [AB_ROLE_RECONSTRUCT] = "reconstruct",
    [AB_ROLE_ENCODE] = "encode",
    [AB_ROLE_DECODE] = "decode",
    [AB_ROLE_GENERATE] = "generate",
    [AB_ROLE_CLASSIFY] = "classify",
    [AB_ROLE_PREDICT] = "predict",
    [AB_ROLE_SCORE] = "score",
    [AB_ROLE_ACT] = "act",
    [AB_ROLE_CLUSTER] = "cluster",
};

const char *ab_role_name(AbRole role) {
  return role > 0 && role < AB_ROLE_COUNT ? roles[role] : NULL;
}

const char *ab_split_name(AbSplit split) {
  static const char *const names[] = {"train", "validation", "test"};
  return split >= 0 && split < AB_SPLIT_COUNT ? names[split] : "?";
}

int64_t ab_spec_count(const AbSpec *spec) {
  AbShape shape = {.rank = spec->rank};
  if (spec->rank < 0 || spec->rank > AB_MAX_RANK) return -1;
  memcpy(shape.dims, spec->shape, sizeof shape.dims);
  return ab_shape_count(shape);
}

AbShape ab_spec_shape(const AbSpec *spec) {
  AbShape shape = {.rank = spec->rank > 0 ? spec->rank : 0};
  memcpy(shape.dims, spec->shape, (size_t)shape.rank * sizeof *shape.dims);
  return shape;
}

bool ab_spec_is_unit(const AbSpec *spec) {
  return spec->range == AB_RANGE_UNIT || spec->range == AB_RANGE_BINARY;
}

char *ab_text_copy(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = malloc(size);
  return copy ? memcpy(copy, text, size) : NULL;
}
