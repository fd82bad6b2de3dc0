/* SPDX-License-Identifier: Apache-2.0
 *
 * The figures of runs that are trained here for a few epochs, against what h5py and numpy make of
 * the checkpoint, the data and metrics.jsonl (figures_h5py.py).                                  */
#include "commands/session.h"
#include "figures/figures-internal.h"
#include "figures/pca.h"

#include <absdk/host.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define PYTHON "/usr/bin/python3"

static Registry *registry;
static char *base; /* the folder of all runs */

/* ---- helpers --------------------------------------------------------------------------------- */

static void remove_tree(const char *path) {
  GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    g_autofree char *child = g_build_filename(path, name, NULL);
    remove_tree(child);
  }
  if (dir) g_dir_close(dir);
  g_assert_cmpint(g_remove(path), ==, 0);
}

/* The exit status of the script; -1 where it cannot be run. */
static int script(const char *action, const char *folder) {
  g_autofree char *here = g_path_get_dirname(__FILE__);
  g_autofree char *file = g_build_filename(here, "figures_h5py.py", NULL);
  const char *sources = strcmp(action, "silx") == 0 ? NULL : g_getenv("ABHOST_SOURCE_ROOT");
  const char *argv[] = {PYTHON, "-B", file, action, folder, sources, NULL};
  g_auto(GStrv) environment = g_environ_unsetenv(g_get_environ(), "LD_PRELOAD");
  g_autofree char *said = NULL;
  int status = -1;
  if (!g_spawn_sync(NULL, (char **)argv, environment, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                    &said, &status, NULL))
    return -1;
  if (status != 0 && strcmp(action, "probe") != 0) g_test_message("%s", said);
  return g_spawn_check_wait_status(status, NULL) ? 0 : status / 256;
}

static gboolean have_h5py(void) {
  static int status = 1;
  if (status != 0) status = script("probe", NULL);
  if (status != 0) g_test_skip("no " PYTHON " with h5py and numpy (Debian: python3-h5py)");
  return status == 0;
}

static void check(const char *figure, const char *run) {
  g_assert_cmpint(script(figure, run), ==, 0);
}

/* ---- runs ------------------------------------------------------------------------------------ */

typedef struct {
  Assembly *assembly;
  RunFolder *folder;
  RunState *state;
  GPtrArray *results;
  char *manifest;
  Figures *figures; /* of the run folder, beside those that the run itself has made */
} Session;

static void session_clear(Session *self) {
  figures_free(self->figures);
  g_ptr_array_unref(self->results);
  run_state_free(self->state);
  run_folder_free(self->folder);
  assembly_free(self->assembly);
  g_free(self->manifest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

static void must(gboolean done, GError *error) {
  g_assert_no_error(error);
  g_assert_true(done);
}

static Session session_new(const char *example, const char *name, char **sets) {
  GError *error = NULL;
  Session self = {.state = run_state_new(), .results = results_new()};
  SessionOptions options = {.sets = sets, .seed = -1, .epochs = -1};
  g_autofree char *path =
      g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), "examples", example, NULL);
  g_autofree char *output = g_build_filename(base, name, NULL);
  self.assembly = session_assemble(registry, path, &options, FALSE, &self.manifest, &error);
  g_assert_no_error(error);
  must(assembly_build(self.assembly, &error), error);
  must(assembly_load(self.assembly, &error), error);
  g_autofree char *resolved = node_emit(self.assembly->resolved);
  self.folder = run_folder_new(output, path, self.manifest, resolved, &error);
  g_assert_no_error(error);
  self.figures = figures_new(self.assembly, output);
  return self;
}

/* To the end of epoch `last`, and to that of the run. */
static void train_to(Session *self, gint64 last) {
  GError *error = NULL;
  Run run = {.assembly = self->assembly,
             .folder = self->folder,
             .state = self->state,
             .manifest = self->manifest,
             .results = self->results,
             .until = G_MAXINT64};
  self->assembly->settings->general.epochs = last;
  progress_start(&run.progress, TRUE, 0);
  must(run_train(&run, &error), error);
  progress_end(&run.progress);
}

static Session train(const char *example, const char *name, char **sets, gint64 epochs) {
  Session self = session_new(example, name, sets);
  g_autofree char *log = g_build_filename(self.folder->path, "log.txt", NULL), *text = NULL;
  train_to(&self, epochs);
  g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
  g_assert_null(strstr(text, "left out"));
  return self;
}

static char *inside(const Session *self, const char *name) {
  return g_build_filename(self->folder->path, name, NULL);
}

/* ---- principal components -------------------------------------------------------------------- */

/* Four points on a cross in a plane that is turned by `angle`, in a space of `width` dimensions. */
static void make_cross(double angle, gint64 width, double *points) {
  const double plane[4][2] = {{3, 0}, {-3, 0}, {0, 1}, {0, -1}};
  memset(points, 0, (gsize)(4 * width) * sizeof *points);
  for (int i = 0; i < 4; i++) {
    points[i * width] = 5 + cos(angle) * plane[i][0] - sin(angle) * plane[i][1];
    points[i * width + width - 1] = sin(angle) * plane[i][0] + cos(angle) * plane[i][1] - 2;
  }
}

static void assert_near(double a, double b) {
  g_assert_cmpfloat_with_epsilon(a, b, 1e-9);
}

static void test_pca_closed_form(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  const double want[4][2] = {{3, 0}, {-3, 0}, {0, 1}, {0, -1}};
  for (gint64 width = 2; width < 12; width += 3) {
    double points[4 * 12], at[8], explained[2];
    make_cross(0.3 * (double)width, width, points);
    must(pca(ctx, points, 4, width, at, explained, NULL), NULL);
    assert_near(explained[0], 0.9); /* 18 of 20 */
    assert_near(explained[1], 0.1);
    for (int i = 0; i < 8; i++) assert_near(at[i], want[i / 2][i % 2]);
  }
  ab_context_free(ctx);
}

static void test_pca_edges(void) {
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  double same[] = {2, 2, 2, 2, 2, 2}, line[] = {-1, 0, 4}, at[6], explained[2];
  double odd[] = {1, NAN, 2, 3};
  g_autoptr(GError) error = NULL;
  must(pca(ctx, same, 3, 2, at, explained, NULL), NULL);
  for (int i = 0; i < 6; i++) g_assert_cmpfloat(at[i], ==, 0);
  g_assert_true(explained[0] == 0 && explained[1] == 0);
  must(pca(ctx, line, 3, 1, at, explained, NULL), NULL);
  assert_near(at[4], 3); /* the farthest, on the positive side */
  assert_near(at[0], -2);
  assert_near(explained[0], 1);
  g_assert_true(at[1] == 0 && at[3] == 0 && explained[1] == 0);
  g_assert_false(pca(ctx, odd, 2, 2, at, explained, &error));
  g_assert_error(error, HOST_ERROR, AB_DATA);
  ab_context_free(ctx);
}

/* Clouds that are flat in many directions, of more points than dimensions and of fewer. */
static void pca_file(AbContext *ctx, const char *path, gint64 count, gint64 width) {
  g_autofree double *x = g_new(double, (gsize)(count * width));
  g_autofree double *at = g_new(double, (gsize)(2 * count));
  const gint64 shape[] = {count, width}, plane[] = {count, 2}, two = 2;
  double explained[2];
  AbStream stream = ab_stream(5, "cloud");
  for (gint64 i = 0; i < count * width; i++)
    x[i] = ab_stream_normal(&stream) * pow(0.9, (double)(i % width)) + (double)(i % 7);
  StoreWriter *writer = store_create(path, NULL);
  store_write(writer, "/x", AB_F64, 2, shape, x, NULL);
  must(pca(ctx, x, count, width, at, explained, NULL), NULL);
  store_write(writer, "/projection", AB_F64, 2, plane, at, NULL);
  store_write(writer, "/explained", AB_F64, 1, &two, explained, NULL);
  must(store_commit(writer, NULL), NULL);
}

static void test_pca_numpy(void) {
  const gint64 sizes[][2] = {{200, 5}, {300, 40}, {30, 200}, {2, 6}, {1000, 3}};
  AbContext *ctx = ab_context_new("cpu", AB_F32, 1);
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autofree char *name = g_strdup_printf("pca-%u.h5", i);
    g_autofree char *path = g_build_filename(base, name, NULL);
    pca_file(ctx, path, sizes[i][0], sizes[i][1]);
  }
  if (have_h5py()) g_assert_cmpint(script("pca", base), ==, 0);
  ab_context_free(ctx);
}

/* ---- what samples are, the curve of scores --------------------------------------------------- */

static AbSpec spec_of(AbRange range, gint32 rank, gint64 a, gint64 b, gint64 c) {
  return (AbSpec){.rank = rank, .dtype = AB_F32, .shape = {a, b, c}, .range = range};
}

static void check_space(AbSpec declared, AbSpec x, const char *want) {
  Space space;
  g_autoptr(GString) found = g_string_new(NULL);
  space_init(&space, &declared, &x);
  g_string_append(found, space.image ? "image" : "numbers");
  for (gint i = 0; i < space.rank; i++)
    g_string_append_printf(found, " %" G_GINT64_FORMAT, space.shape[i]);
  g_assert_cmpstr(found->str, ==, want);
}

static void test_space(void) {
  AbSpec grey = spec_of(AB_RANGE_UNIT, 2, 4, 6, 0), steps = spec_of(AB_RANGE_REAL, 2, 4, 6, 0);
  AbSpec flat = spec_of(AB_RANGE_REAL, 1, 24, 0, 0), classes = spec_of(AB_RANGE_CLASS, 1, 16, 0, 0);
  AbSpec square = spec_of(AB_RANGE_BINARY, 1, 16, 0, 0), small = spec_of(AB_RANGE_UNIT, 1, 9, 0, 0);
  AbSpec odd = spec_of(AB_RANGE_UNIT, 1, 17, 0, 0), colour = spec_of(AB_RANGE_REAL, 3, 3, 4, 2);
  AbSpec planes = spec_of(AB_RANGE_REAL, 3, 4, 3, 2), one = spec_of(AB_RANGE_REAL, 3, 1, 4, 6);
  check_space(grey, grey, "image 4 6");
  check_space(grey, flat, "image 4 6"); /* flattened, standardised */
  check_space(steps, steps, "numbers 4 6");
  check_space(flat, one, "image 4 6"); /* reshaped to one */
  check_space(flat, flat, "numbers 24");
  check_space(square, square, "image 4 4");
  check_space(small, small, "numbers 9");
  check_space(odd, odd, "numbers 17");
  check_space(classes, classes, "numbers 16");
  check_space(colour, colour, "image 4 2 3");
  check_space(planes, planes, "numbers 4 3 2");
}

/* Models know colours as planes, files as pixels. */
static void test_colours(void) {
  AbSpec colour = spec_of(AB_RANGE_UNIT, 3, 3, 2, 2);
  const float planes[] = {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23};
  const float pixels[] = {0, 10, 20, 1, 11, 21, 2, 12, 22, 3, 13, 23};
  float found[12];
  Space space;
  space_init(&space, &colour, &colour);
  g_assert_cmpint(space_channels(&space), ==, 3);
  space_put(&space, planes, found);
  g_assert_cmpmem(found, sizeof found, pixels, sizeof pixels);
}

/* Of the four pairs of an anomaly (class 1) and a normal sample three are in order, one is a tie.
 */
static void test_roc_ties(void) {
  const gboolean normal[] = {TRUE, FALSE};
  double scores[] = {2, 3, 1, 2};
  gint64 labels[] = {0, 1, 0, 1};
  Rows rows = {.count = 4, .width = 1, .values = scores, .labels = labels};
  const RocPoint want[] = {{0, 0, INFINITY}, {1, 0, 3}, {2, 1, 2}, {2, 2, 1}};
  g_autoptr(GArray) points = roc_points(&rows, normal);
  g_assert_cmpuint(points->len, ==, 4);
  for (guint i = 0; i < 4; i++) {
    const RocPoint *found = &g_array_index(points, RocPoint, i);
    g_assert_true(found->anomalies == want[i].anomalies && found->normals == want[i].normals &&
                  found->threshold == want[i].threshold);
  }
  g_assert_cmpfloat(roc_area(points), ==, 0.875);
}

/* A perfect order has one corner; of a long staircase enough is left, with its ends. */
static void test_roc_thinned(void) {
  enum { COUNT = 6000 };
  const gboolean normal[] = {TRUE, FALSE};
  g_autofree double *scores = g_new(double, COUNT);
  g_autofree gint64 *labels = g_new(gint64, COUNT);
  Rows rows = {.count = COUNT, .width = 1, .values = scores, .labels = labels};
  for (int stairs = 0; stairs < 2; stairs++) {
    for (int i = 0; i < COUNT; i++) {
      scores[i] = -i;
      labels[i] = stairs ? i % 2 : i < COUNT / 2;
    }
    g_autoptr(GArray) points = roc_points(&rows, normal);
    g_autoptr(GArray) few = roc_thinned(points);
    const RocPoint *last = &g_array_index(few, RocPoint, few->len - 1);
    g_assert_true(last->anomalies == COUNT / 2 && last->normals == COUNT / 2);
    g_assert_cmpint(g_array_index(few, RocPoint, 0).normals, ==, 0);
    g_assert_cmpuint(few->len, >=, stairs ? 500 : 3);
    g_assert_cmpuint(few->len, <=, stairs ? 1001 : 3);
    g_assert_cmpfloat_with_epsilon(roc_area(few), roc_area(points), 1e-3);
  }
}

/* ---- figures --------------------------------------------------------------------------------- */

static void test_spiral(void) {
  if (!have_h5py()) return;
  g_auto(Session) run = train("spiral.yaml", "spiral", NULL, 40);
  check("spiral", run.folder->path);
}

static void test_reconstruct(void) {
  if (!have_h5py()) return;
  g_auto(Session) run = train("digits-reconstruct.yaml", "digits", NULL, 3);
  check("digits", run.folder->path);
}

static void test_score(void) {
  if (!have_h5py()) return;
  g_auto(Session) run = train("digits-anomaly.yaml", "anomaly", NULL, 1);
  check("roc", run.folder->path);
}

static void test_returns(void) {
  if (!have_h5py()) return;
  char *sets[] = {(char *)"environment.episodes=3", NULL};
  g_auto(Session) run = train("gridworld.yaml", "gridworld", sets, 1);
  check("returns", run.folder->path);
}

static void test_generate(void) {
  if (!have_h5py()) return;
  g_auto(Session) run = train("digits-gan.yaml", "gan", NULL, 3);
  check("gan", run.folder->path);
}

static void test_silx(void) {
  g_auto(Session) run = train("digits-reconstruct.yaml", "silx", NULL, 1);
  int status = script("silx", run.folder->path);
  if (status == 77)
    g_test_skip("no silx (Debian: python3-silx)");
  else
    g_assert_cmpint(status, ==, 0);
}

/* ---- what they leave alone ------------------------------------------------------------------- */

/* The steps of a run and nothing else: no evaluation, nobody who looks on. */
static void train_bare(Session *self, gint64 epochs) {
  Assembly *assembly = self->assembly;
  AbProgress progress = {.epochs = epochs,
                         .steps_per_epoch = feed_batches(assembly->feed, AB_TRAIN)};
  for (; progress.epoch < epochs; progress.epoch++) {
    must(feed_start(assembly->feed, AB_TRAIN, progress.epoch, 0, NULL), NULL);
    for (gint64 i = 0; i < progress.steps_per_epoch; i++, progress.step++) {
      AbScope scope = ab_scope_begin(assembly->ctx);
      AbBatch *batch = feed_next(assembly->feed, NULL);
      g_assert_true(prepare_batch(assembly, batch, TRUE, progress.step));
      ab_begin(assembly->ctx, AB_PURPOSE_TRAIN, progress.step);
      g_assert_nonnull(ab_step_run(assembly->step, batch, &progress));
      ab_batch_free(batch);
      ab_scope_end(assembly->ctx, scope, NULL, 0);
    }
  }
}

static void assert_same_state(AbState a, AbState b) {
  gsize bytes = (gsize)ab_count(a.tensor) * ab_dtype_size(ab_dtype(a.tensor));
  g_assert_cmpstr(a.name, ==, b.name);
  g_assert_cmpint(ab_count(a.tensor), ==, ab_count(b.tensor));
  g_assert_cmpmem(ab_map(a.tensor, false), bytes, ab_map(b.tensor, false), bytes);
  ab_unmap(a.tensor);
  ab_unmap(b.tensor);
}

/* Weights, buffers, and the states of optimizers. */
static void assert_same_states(const Assembly *a, const Assembly *b) {
  guint compared = 0;
  for (guint i = 0; i < a->binder.instances->len; i++) {
    const AbInstance *left = a->binder.instances->pdata[i], *right = b->binder.instances->pdata[i];
    for (gint64 k = 0; k < ab_state_count(left); k++, compared++)
      assert_same_state(ab_state(left, k), ab_state(right, k));
  }
  for (gint64 k = 0; k < ab_step_state_count(a->step); k++)
    assert_same_state(ab_step_state(a->step, k), ab_step_state(b->step, k));
  g_assert_cmpuint(compared, >, 2);
}

/* What a run learns, with noise, dropout, chains and running means, is what its steps make alone.
 */
static void test_undisturbed(void) {
  static const char *const examples[] = {"digits-reconstruct.yaml", "digits-rbm.yaml",
                                         "digits-gan.yaml", "gridworld.yaml", "digits-cnn.yaml"};
  for (guint i = 0; i < G_N_ELEMENTS(examples); i++) {
    char *sets[] = {(char *)"metrics=[]", NULL};
    g_autofree char *seen = g_strdup_printf("seen-%u", i);
    g_autofree char *bare = g_strdup_printf("bare-%u", i);
    g_auto(Session) a = train(examples[i], seen, sets, 2);
    g_auto(Session) b = session_new(examples[i], bare, sets);
    train_bare(&b, 2);
    assert_same_states(a.assembly, b.assembly);
  }
}

static void assert_same_bytes(const char *path, GBytes *before) {
  g_autofree char *text = NULL;
  gsize size;
  g_assert_true(g_file_get_contents(path, &text, &size, NULL));
  g_assert_cmpmem(text, size, g_bytes_get_data(before, NULL), g_bytes_get_size(before));
}

/* Written again the file is the same, byte by byte. */
static void test_repeatable(void) {
  g_auto(Session) run = train("digits-reconstruct.yaml", "again", NULL, 1);
  g_autofree char *path = inside(&run, "results.h5");
  char *text;
  gsize size;
  g_assert_true(g_file_get_contents(path, &text, &size, NULL));
  g_autoptr(GBytes) before = g_bytes_new_take(text, size);
  must(figures_write(run.figures, NULL), NULL);
  assert_same_bytes(path, before);
}

/* ---- sessions, faults ------------------------------------------------------------------------ */

static gint64 times(const char *results) {
  g_autoptr(StoreFile) file = store_open(results, NULL);
  StoreInfo info;
  must(store_info(file, "/entry/samples/epoch", &info, NULL), NULL);
  return info.shape[0];
}

/* A run that had come to epoch 8 goes on from a checkpoint of epoch 3. */
static void test_resume(void) {
  GError *error = NULL;
  g_auto(Session) run = train("digits-reconstruct.yaml", "resume", NULL, 3);
  g_autofree char *kept = inside(&run, "samples/epoch-2.h5"), *text = NULL;
  g_autofree char *stale = inside(&run, "samples/epoch-8.h5");
  g_autofree char *same = inside(&run, "samples/epoch-4.h5");
  g_autofree char *left = inside(&run, "samples/.epoch-8.h5.0123.tmp");
  g_autofree char *results = inside(&run, "results.h5");
  gsize size;
  g_assert_true(g_file_get_contents(kept, &text, &size, NULL));
  g_assert_true(g_file_set_contents(stale, text, (gssize)size, NULL));
  g_assert_true(g_file_set_contents(same, "no HDF5", -1, NULL));
  g_assert_true(g_file_set_contents(left, text, (gssize)size, NULL));
  must(figures_write(run.figures, &error), error);
  g_assert_cmpint(times(results), ==, 4); /* 0, 1, 2, 3: not what is later than the run */
  train_to(&run, 5);
  g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
  g_assert_false(g_file_test(stale, G_FILE_TEST_EXISTS) || g_file_test(left, G_FILE_TEST_EXISTS));
  g_assert_cmpint(times(results), ==, 5); /* 0, 1, 2, 4, 5: as if it had never ended at 3 */
}

static gboolean has_group(const char *results, const char *name) {
  g_autoptr(StoreFile) file = store_open(results, NULL);
  g_assert_nonnull(file);
  return store_has(file, name);
}

/* A figure that cannot be made is left out and said so, once; the others are there. */
static void test_left_out(void) {
  GError *error = NULL;
  g_auto(Session) run = train("digits-reconstruct.yaml", "left-out", NULL, 1);
  g_autofree char *results = inside(&run, "results.h5"), *metrics = inside(&run, "metrics.jsonl");
  g_autofree char *kept = inside(&run, "samples/epoch-0.h5");
  g_assert_true(g_file_set_contents(metrics, "{\"event\":\n", -1, NULL));
  g_assert_true(g_file_set_contents(kept, "no HDF5", -1, NULL));
  must(figures_write(run.figures, &error), error);
  g_autofree char *notes = figures_notes(run.figures);
  g_assert_nonnull(strstr(notes, "curves is left out: line 1 of metrics.jsonl"));
  g_assert_nonnull(strstr(notes, "samples is left out"));
  g_assert_nonnull(strstr(notes, "epoch-0.h5"));
  g_assert_false(has_group(results, "/entry/curves") || has_group(results, "/entry/samples"));
  g_assert_true(has_group(results, "/entry/latent") && has_group(results, "/entry/weights"));
  must(figures_write(run.figures, &error), error);
  g_assert_cmpstr(figures_notes(run.figures), ==, NULL);
}

/* An error of a component costs its figure and nothing else: codes that cannot be had, of a model
 * whose weights are not finite.                                                                  */
static void test_component_fails(void) {
  GError *error = NULL;
  g_auto(Session) run = train("digits-reconstruct.yaml", "diverged", NULL, 1);
  g_autofree char *results = inside(&run, "results.h5");
  AbTensor *weight = NULL;
  for (guint i = 0; i < run.assembly->binder.instances->len && !weight; i++) {
    AbInstance *instance = run.assembly->binder.instances->pdata[i];
    if (ab_state_count(instance) > 0) weight = ab_state(instance, 0).tensor;
  }
  AbScope scope = ab_scope_begin(run.assembly->ctx);
  ab_assign(weight, ab_full(run.assembly->ctx, ab_dtype(weight), ab_shape(weight), NAN));
  ab_scope_end(run.assembly->ctx, scope, NULL, 0);
  must(figures_write(run.figures, &error), error);
  g_autofree char *notes = figures_notes(run.figures);
  g_assert_nonnull(strstr(notes, "latent is left out"));
  g_assert_true(has_group(results, "/entry/reconstruction") && has_group(results, "/entry/curves"));
  g_assert_false(has_group(results, "/entry/latent"));
}

/* A folder that is not there any more is an error of writing. */
static void test_not_written(void) {
  g_auto(Session) run = train("digits-reconstruct.yaml", "gone", NULL, 1);
  g_autoptr(GError) error = NULL, other = NULL;
  g_autofree char *path = g_build_filename(base, "nowhere", NULL);
  g_autoptr(Figures) figures = figures_new(run.assembly, path);
  g_assert_false(figures_write(figures, &error));
  g_assert_error(error, HOST_ERROR, AB_IO);
  g_autofree char *file = inside(&run, "samples-are-a-file");
  g_autofree char *below = g_build_filename(file, "run", NULL);
  g_assert_true(g_file_set_contents(file, "", 0, NULL));
  g_autoptr(Figures) blocked = figures_new(run.assembly, below);
  g_assert_false(figures_epoch(blocked, 0, &other));
  g_assert_error(other, HOST_ERROR, AB_IO);
}

/* ---- images ---------------------------------------------------------------------------------- */

static void test_images(void) {
  GError *error = NULL;
  g_auto(Session) run = session_new("digits-reconstruct.yaml", "images", NULL);
  g_autoptr(Figures) figures = figures_new(run.assembly, run.folder->path);
  Images images;
  g_assert_false(figures_images(figures, &images));
  must(figures_epoch(figures, 0, &error), error);
  g_assert_true(figures_images(figures, &images));
  g_assert_true(images.count == 16 && images.height == 8 && images.width == 8);
  g_assert_cmpint(images.channels, ==, 1);
  for (int i = 0; i < 16 * 64; i++) g_assert_true(images.pixels[i] >= 0 && images.pixels[i] <= 1);
  images_clear(&images);
  must(figures_epoch(figures, 3, &error), error); /* is none of 0, 1, 2, 4, ... */
  g_assert_false(figures_images(figures, &images));
  must(figures_last(figures, 3, &error), error);
  g_assert_true(figures_images(figures, &images));
  images_clear(&images);
  g_auto(Session) plane = session_new("spiral.yaml", "plane", NULL);
  g_autoptr(Figures) none = figures_new(plane.assembly, plane.folder->path);
  must(figures_epoch(none, 0, &error), error);
  g_assert_false(figures_images(none, &images));
}

int main(int argc, char **argv) {
  store_init();
  g_test_init(&argc, &argv, NULL);
  base = g_dir_make_tmp("abhost-figures-XXXXXX", NULL);
  registry = registry_new(NULL, NULL);
  g_assert_nonnull(registry);
  g_test_add_func("/figures/pca/closed-form", test_pca_closed_form);
  g_test_add_func("/figures/pca/edges", test_pca_edges);
  g_test_add_func("/figures/pca/numpy", test_pca_numpy);
  g_test_add_func("/figures/space", test_space);
  g_test_add_func("/figures/colours", test_colours);
  g_test_add_func("/figures/roc/ties", test_roc_ties);
  g_test_add_func("/figures/roc/thinned", test_roc_thinned);
  g_test_add_func("/figures/spiral", test_spiral);
  g_test_add_func("/figures/reconstruct", test_reconstruct);
  g_test_add_func("/figures/score", test_score);
  g_test_add_func("/figures/returns", test_returns);
  g_test_add_func("/figures/generate", test_generate);
  g_test_add_func("/figures/silx", test_silx);
  g_test_add_func("/figures/undisturbed", test_undisturbed);
  g_test_add_func("/figures/repeatable", test_repeatable);
  g_test_add_func("/figures/resume", test_resume);
  g_test_add_func("/figures/left-out", test_left_out);
  g_test_add_func("/figures/component-fails", test_component_fails);
  g_test_add_func("/figures/not-written", test_not_written);
  g_test_add_func("/figures/images", test_images);
  int status = g_test_run();
  registry_free(registry);
  remove_tree(base);
  g_free(base);
  return status;
}
