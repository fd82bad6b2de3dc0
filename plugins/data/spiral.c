/* SPDX-License-Identifier: Apache-2.0
 *
 * Spirals: points in the plane on interleaved arms, one arm a class. No line separates them, a
 * small network does; made, not read.
 *
 *   x  [2]  real        y  class
 *
 * Sample i of a split belongs to class j = i mod K and is point p = i div K of its arm's n:
 *
 *   t = (p + 1/2) / n                                   the way along the arm, 0 to 1
 *   angle = 2 pi (j / K + turns t) + noise e            e a standard normal number
 *   x = (t sin(angle), t cos(angle))
 *
 * After A. Karpathy, "Putting it together: minimal neural network case study", notes of the course
 * CS231n (Stanford), https://cs231n.github.io/neural-networks-case-study/, where three arms turn by
 * 4 radians (0.64 turns) with noise of 0.2 radians. The points depend on the parameters alone, not
 * on the seed of the run.                                                                       */
#include <absdk/absdk.h>
#include <math.h>
#include <stdlib.h>

typedef struct {
  AbData base;
  int64_t classes, samples, test_samples, seed; /* from the manifest */
  double noise, turns;
  float *points[AB_SPLIT_COUNT]; /* [samples * classes, 2] */
} Spiral;

static const AbParam params[] = {
    AB_PARAM_INT(Spiral, classes, 3, 2, 100, "", "Arms, each a class."),
    AB_PARAM_INT(Spiral, samples, 100, 1, 1000000, "", "Training samples of each class."),
    AB_PARAM_INT(Spiral, test_samples, 100, 0, 1000000, "", "Test samples of each class."),
    AB_PARAM_REAL(Spiral, noise, 0.2, 0, 10, "rad", "Standard deviation of the angle."),
    AB_PARAM_REAL(Spiral, turns, 0.64, 0, 100, "turns", "By how much an arm turns."),
    AB_PARAM_INT(Spiral, seed, 0, 0, INT64_MAX, "", "Chooses the points; apart from the run's."),
};

static void spiral_open(AbData *data) {
  const Spiral *self = (const Spiral *)data;
  AbSpec x = {.rank = 1, .dtype = AB_F32, .shape = {2}, .range = AB_RANGE_REAL};
  AbSpec y = {.rank = 0, .dtype = AB_I64, .range = AB_RANGE_CLASS, .classes = self->classes};

  ab_data_field(data, "x", &x);
  ab_data_field(data, "y", &y);
  ab_data_length(data, AB_TRAIN, self->samples * self->classes);
  ab_data_length(data, AB_TEST, self->test_samples * self->classes);
}

/* `samples` points of each class into [samples * classes, 2]. */
static void draw(const Spiral *self, const char *name, int64_t samples, float *points) {
  static const double circle = 6.283185307179586;
  AbStream stream = ab_stream((uint64_t)self->seed, name);

  for (int64_t i = 0; i < samples * self->classes; i++) {
    double t = ((double)(i / self->classes) + 0.5) / (double)samples;
    double arm = (double)(i % self->classes) / (double)self->classes;
    double angle = circle * (arm + self->turns * t) + self->noise * ab_stream_normal(&stream);

    points[2 * i] = (float)(t * sin(angle));
    points[2 * i + 1] = (float)(t * cos(angle));
  }
}

static void make(Spiral *self, AbSplit split, const char *name, int64_t samples) {
  size_t points = (size_t)(samples * self->classes);

  free(self->points[split]);
  self->points[split] = malloc((points + 1) * 2 * sizeof(float));
  if (self->points[split] != NULL)
    draw(self, name, samples, self->points[split]);
  else
    ab_fail(&self->base, AB_INTERNAL, "no memory for %zu points; choose fewer samples", points);
}

static void spiral_load(AbData *data) {
  Spiral *self = (Spiral *)data;

  make(self, AB_TRAIN, "spiral/train", self->samples);
  make(self, AB_TEST, "spiral/test", self->test_samples);
}

static void spiral_fetch(AbData *data, AbSplit split, const int64_t *rows, int64_t count,
                         void *const *fields) {
  const Spiral *self = (const Spiral *)data;
  const float *points = self->points[split];
  float *x = fields[0];
  int64_t *y = fields[1];

  for (int64_t i = 0; i < count; i++) {
    x[2 * i] = points[2 * rows[i]];
    x[2 * i + 1] = points[2 * rows[i] + 1];
    y[i] = rows[i] % self->classes;
  }
}

static void spiral_close(AbData *data) {
  Spiral *self = (Spiral *)data;

  for (int i = 0; i < AB_SPLIT_COUNT; i++) {
    free(self->points[i]);
    self->points[i] = NULL;
  }
}

static const AbDataVtable vtable = {
    .struct_size = sizeof(AbDataVtable),
    .open = spiral_open,
    .load = spiral_load,
    .fetch = spiral_fetch,
    .close = spiral_close,
};

static const AbComponent spiral = {
    .struct_size = sizeof(AbComponent),
    .kind = AB_KIND_DATA,
    .name = "spiral",
    .doc = "Points on interleaved spiral arms in the plane, one arm a class; made, not read.",
    .citation = "Karpathy, CS231n, https://cs231n.github.io/neural-networks-case-study/",
    .instance_size = sizeof(Spiral),
    AB_PARAMS(params),
    .vtable = &vtable,
};

AB_PLUGIN("org.abhost.data.spiral", "0.1", "Apache-2.0", &spiral)
