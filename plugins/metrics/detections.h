/* SPDX-License-Identifier: Apache-2.0
 *
 * Scores of samples and whether they are anomalies, collected over the batches of an evaluation:
 * what the metrics of anomaly detection compute from. Included by each of them.                 */
#ifndef DETECTIONS_H
#define DETECTIONS_H

#include <absdk/absdk.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  double score;
  bool anomaly;
} Detection;

typedef struct {
  Detection *items; /* of the instance */
  int64_t count, capacity;
} Detections;

static bool detections_is_normal(const AbInts *normal, int64_t label) {
  for (int64_t i = 0; i < normal->count; i++)
    if (normal->items[i] == label) return true;
  return false;
}

/* Of a score [], or the logits of two classes [2]. */
static void detections_check(AbMetric *self, const AbInts *normal, const AbSpec *output,
                             const AbSpec *target) {
  int64_t others = target->classes;
  if (target->range != AB_RANGE_CLASS || target->rank != 0) {
    ab_fail(self, AB_CONFIG, "the target is not one class per sample: y must say what is normal");
    return;
  }
  for (int64_t i = 0; i < target->classes; i++) others -= detections_is_normal(normal, i);
  for (int64_t i = 0; i < normal->count; i++)
    if (normal->items[i] >= target->classes) {
      ab_fail(self, AB_CONFIG, "normal names class %lld, and y has the classes 0 to %lld",
              (long long)normal->items[i], (long long)target->classes - 1);
      return;
    }
  if (others == 0 || others == target->classes)
    ab_fail(self, AB_CONFIG, "normal names %s class of y; some must be normal and some not",
            others == 0 ? "every" : "no");
  else if (output->rank != 0 &&
           !(output->rank == 1 && output->shape[0] == 2 && target->classes == 2))
    ab_fail(self, AB_CONFIG,
            "it takes one score per sample, or the logits of two classes; the model gives %lld "
            "numbers for %lld classes",
            (long long)ab_spec_count(output), (long long)target->classes);
}

static bool detections_grow(AbMetric *self, Detections *all, int64_t more) {
  int64_t wanted = all->count + more, capacity = all->capacity > 0 ? all->capacity : 1024;
  if (wanted <= all->capacity) return true;
  while (capacity < wanted) capacity *= 2;
  Detection *items = ab_alloc(self, (size_t)capacity * sizeof *items);
  if (!items) return false;
  if (all->count > 0) memcpy(items, all->items, (size_t)all->count * sizeof *items);
  all->items = items;
  all->capacity = capacity;
  return true;
}

/* One number per sample in the context's real type; of two logits that of the class that is not
 * normal less the other.                                                                        */
static AbTensor *detections_scores(const AbInts *normal, AbTensor *output) {
  if (!output || ab_rank(output) != 2) return output;
  int64_t n = ab_dim(output, 0), other = detections_is_normal(normal, 0);
  AbTensor *first = ab_slice(output, 1, other, other + 1);
  return ab_reshape(ab_sub(first, ab_slice(output, 1, 1 - other, 2 - other)), AB_SHAPE(n));
}

static void detections_add(AbMetric *self, Detections *all, const AbInts *normal, AbTensor *output,
                           AbTensor *target) {
  AbTensor *scores = ab_cast(detections_scores(normal, output), AB_F64);
  if (!scores || !target) return;
  int64_t n = ab_count(target);
  if (ab_count(scores) != n || ab_dtype(target) != AB_I64) {
    ab_fail(self, AB_CONFIG, "%lld scores cannot be compared with %lld targets of %s",
            (long long)ab_count(scores), (long long)n, ab_dtype_name(ab_dtype(target)));
    return;
  }
  const double *s = ab_map(scores, false);
  const int64_t *labels = ab_map(target, false);
  if (!s || !labels || !detections_grow(self, all, n)) return;
  for (int64_t i = 0; i < n; i++) {
    if (isnan(s[i]))
      ab_fail(self, AB_DATA, "the score of sample %lld is not a number", (long long)all->count);
    all->items[all->count++] = (Detection){s[i], !detections_is_normal(normal, labels[i])};
  }
  ab_unmap(scores);
  ab_unmap(target);
}

static int detections_compare(const void *a, const void *b) {
  double x = ((const Detection *)a)->score, y = ((const Detection *)b)->score;
  return (x > y) - (x < y);
}

/* Sorts them by score, lowest first; the number of anomalies. */
static int64_t detections_sort(Detections *all) {
  int64_t anomalies = 0;
  if (all->count > 0) qsort(all->items, (size_t)all->count, sizeof *all->items, detections_compare);
  for (int64_t i = 0; i < all->count; i++) anomalies += all->items[i].anomaly;
  return anomalies;
}

#endif
