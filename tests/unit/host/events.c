/* SPDX-License-Identifier: Apache-2.0
 *
 * Event files, read back by two readers that share nothing with their writer (events_reader.py):
 * one of Python's standard library alone, and the package tensorboard, where it is to be had. The
 * interpreter for the second is ABHOST_TENSORBOARD_PYTHON, else python3.                         */
#include "../../../host/events/events.h"
#include "../../../host/events/tfrecord.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- a folder -------------------------------------------------------------------------------- */

static char *folder;

static gint compare_names(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted by name. */
static GPtrArray *files(void) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  GDir *dir = g_dir_open(folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir));)
    g_ptr_array_add(names, g_build_filename(folder, name, NULL));
  g_dir_close(dir);
  g_ptr_array_sort(names, compare_names);
  return names;
}

static void begin(void) {
  folder = g_dir_make_tmp("abhost-events-XXXXXX", NULL);
  g_assert_nonnull(folder);
}

static void end(void) {
  g_autoptr(GPtrArray) names = files();
  for (guint i = 0; i < names->len; i++) g_unlink(names->pdata[i]);
  g_assert_cmpint(g_rmdir(folder), ==, 0);
  g_clear_pointer(&folder, g_free);
}

static Events *open_at(gint64 step) {
  g_autoptr(GError) error = NULL;
  Events *events = events_open(folder, step, &error);
  g_assert_no_error(error);
  return events;
}

static void close_all(Events *events) {
  g_autoptr(GError) error = NULL;
  events_flush(events, &error);
  g_assert_no_error(error);
  events_free(events);
}

/* ---- the readers ----------------------------------------------------------------------------- */

static const char *tensorboard_python(void) {
  const char *given = g_getenv("ABHOST_TENSORBOARD_PYTHON");
  return given && *given ? given : "python3";
}

/* What the script prints; NULL where it fails, with its words in *said. */
static char *run_reader(const char *python, const char *action, char **said) {
  g_autofree char *script = g_build_filename(g_getenv("ABHOST_SOURCE_ROOT"), "tests", "unit",
                                             "host", "events_reader.py", NULL);
  char *argv[] = {(char *)python, (char *)"-B", script, (char *)action, folder, NULL};
  g_auto(GStrv) environment = g_environ_unsetenv(g_get_environ(), "LD_PRELOAD");
  char *out = NULL;
  int status = 1;
  *said = NULL;
  if (g_spawn_sync(NULL, argv, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, said, &status,
                   NULL) &&
      status == 0)
    return out;
  g_free(out);
  return NULL;
}

static JsonNode *read_by(const char *python, const char *action) {
  g_autofree char *said = NULL;
  g_autofree char *out = run_reader(python, action, &said);
  if (!out) g_error("the reader '%s' failed: %s", action, said ? said : "it did not start");
  g_autoptr(GError) error = NULL;
  JsonNode *root = json_from_string(out, &error);
  g_assert_no_error(error);
  return root;
}

static gboolean have(const char *python, const char *action) {
  g_autofree char *said = NULL;
  g_autofree char *out = run_reader(python, action, &said);
  return out != NULL;
}

static gboolean have_tensorboard(void) {
  static int known = -1;
  if (known < 0) known = have(tensorboard_python(), "probe");
  if (!known)
    g_test_skip("no package tensorboard for python3 (pip install tensorboard; "
                "ABHOST_TENSORBOARD_PYTHON names the interpreter that has it)");
  return known;
}

typedef void (*Check)(JsonObject *found);

/* The tests of values come in pairs: as the plain reader sees them, and as TensorBoard does: its
 * reader, and its server, which has other histograms. */
typedef struct {
  void (*write)(void);
  Check check, served;
} Case;

static void test_plain(gconstpointer data) {
  const Case *self = data;
  begin();
  self->write();
  g_autoptr(JsonNode) found = read_by("python3", "plain");
  self->check(json_node_get_object(found));
  end();
}

static void test_tensorboard(gconstpointer data) {
  const Case *self = data;
  if (!have_tensorboard()) return;
  begin();
  self->write();
  g_autoptr(JsonNode) found = read_by(tensorboard_python(), "tensorboard");
  self->check(json_node_get_object(found));
  self->served(json_object_get_object_member(json_node_get_object(found), "server"));
  end();
}

/* ---- what they found ------------------------------------------------------------------------- */

static guint tags(JsonObject *found, const char *kind) {
  return json_object_get_size(json_object_get_object_member(found, kind));
}

static JsonArray *series(JsonObject *found, const char *kind, const char *tag, guint length) {
  JsonObject *all = json_object_get_object_member(found, kind);
  if (!json_object_has_member(all, tag)) g_error("%s: no '%s'", kind, tag);
  JsonArray *events = json_object_get_array_member(all, tag);
  g_assert_cmpuint(json_array_get_length(events), ==, length);
  return events;
}

static void assert_numbers(JsonArray *array, guint first, const double *expected, guint count) {
  g_assert_cmpuint(json_array_get_length(array), ==, first + count);
  for (guint i = 0; i < count; i++)
    g_assert_cmpfloat(json_array_get_double_element(array, first + i), ==, expected[i]);
}

/* NaN is null. */
static void assert_scalar(JsonArray *events, guint index, gint64 step, double value) {
  JsonArray *event = json_array_get_array_element(events, index);
  g_assert_cmpint(json_array_get_int_element(event, 0), ==, step);
  if (isnan(value))
    g_assert_true(json_array_get_null_element(event, 1));
  else
    g_assert_cmpfloat(json_array_get_double_element(event, 1), ==, (float)value);
}

/* ---- all kinds of values --------------------------------------------------------------------- */

/* 2 images of 2 x 2 beside each other, a grey line between. */
static float pixels[] = {0, 0.2f, 0.4f, 0.6f, 1, 0.8f, 0.6f, 0};
static const double mosaic[] = {0, 51, 128, 255, 204, 102, 153, 128, 153, 0};
static float colours[] = {1, 0, 0.2f};
static const double colour[] = {255, 0, 51};

static void write_values(void) {
  Events *events = open_at(0);
  const Images grey = {2, 2, 2, 1, pixels}, red = {1, 1, 1, 3, colours}, none = {0, 2, 2, 1, NULL};
  double values[34] = {NAN, INFINITY, 0, 30}; /* and the middles of 30 buckets */
  for (int i = 0; i < 30; i++) values[4 + i] = i + 0.5;
  const double threes[] = {3, 3, 3, 3}, odd[] = {NAN, -INFINITY, 1e300};
  events_text(events, "manifest", 0, "# Grüße\n\n`model: rbm`");
  events_text(events, "foreign", 2, "a\xff");
  events_scalar(events, "validation/mse", 1, 0.1);
  events_scalar(events, "validation/mse", 2, 1e-9);
  events_scalar(events, "validation/mse", 40000000000, NAN);
  events_scalar(events, "train/loss", 1, -3);
  events_images(events, "samples", 4, &grey);
  events_images(events, "red", 4, &red);
  events_images(events, "none", 4, &none);
  events_histogram(events, "weights/W1", 5, values, G_N_ELEMENTS(values));
  events_histogram(events, "weights/b1", 5, threes, G_N_ELEMENTS(threes));
  events_histogram(events, "weights/odd", 5, odd, G_N_ELEMENTS(odd));
  close_all(events);
}

static void check_shared(JsonObject *found) {
  JsonArray *mse = series(found, "scalars", "validation/mse", 3);
  assert_scalar(mse, 0, 1, 0.1);
  assert_scalar(mse, 1, 2, 1e-9);
  assert_scalar(mse, 2, 40000000000, NAN);
  assert_scalar(series(found, "scalars", "train/loss", 1), 0, 1, -3);
  g_assert_cmpuint(tags(found, "scalars"), ==, 2);
  JsonArray *text = json_array_get_array_element(series(found, "texts", "manifest", 1), 0);
  g_assert_cmpstr(json_array_get_string_element(text, 1), ==, "# Grüße\n\n`model: rbm`");
  text = json_array_get_array_element(series(found, "texts", "foreign", 1), 0);
  g_assert_cmpstr(json_array_get_string_element(text, 1), ==, "a\xef\xbf\xbd");
  g_assert_cmpuint(tags(found, "texts"), ==, 2);
  const double size[] = {4, 5, 2}, dot[] = {4, 1, 1};
  JsonArray *image = json_array_get_array_element(series(found, "images", "samples", 1), 0);
  assert_numbers(json_array_get_array_element(image, 3), 0, mosaic, G_N_ELEMENTS(mosaic));
  for (guint i = 0; i < 3; i++)
    g_assert_cmpfloat(json_array_get_double_element(image, i), ==, size[i]);
  image = json_array_get_array_element(series(found, "images", "red", 1), 0);
  assert_numbers(json_array_get_array_element(image, 3), 0, colour, G_N_ELEMENTS(colour));
  for (guint i = 0; i < 3; i++)
    g_assert_cmpfloat(json_array_get_double_element(image, i), ==, dot[i]);
  g_assert_cmpuint(tags(found, "images"), ==, 2);
  g_assert_cmpuint(tags(found, "histograms"), ==, 2);
}

/* min, max, number, sum, sum of squares; ends of buckets; numbers in them. */
static void check_values(JsonObject *found) {
  const double sums[] = {0, 30, 32, 480, 9897.5}, three[] = {3, 3, 4, 12, 36};
  check_shared(found);
  JsonArray *wide = json_array_get_array_element(series(found, "histograms", "weights/W1", 1), 0);
  JsonArray *limits = json_array_get_array_element(wide, 6);
  JsonArray *counts = json_array_get_array_element(wide, 7);
  g_assert_cmpint(json_array_get_int_element(wide, 0), ==, 5);
  g_assert_cmpuint(json_array_get_length(limits), ==, 30);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpfloat(json_array_get_double_element(wide, i + 1), ==, sums[i]);
  for (guint i = 0; i < 30; i++) {
    g_assert_cmpfloat(json_array_get_double_element(limits, i), ==, i + 1);
    g_assert_cmpfloat(json_array_get_double_element(counts, i), ==, i == 0 || i == 29 ? 2 : 1);
  }
  JsonArray *equal = json_array_get_array_element(series(found, "histograms", "weights/b1", 1), 0);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpfloat(json_array_get_double_element(equal, i + 1), ==, three[i]);
  assert_numbers(json_array_get_array_element(equal, 6), 0, (const double[]){3}, 1);
  assert_numbers(json_array_get_array_element(equal, 7), 0, (const double[]){4}, 1);
}

/* Buckets as [left, right, number]. */
static void check_served(JsonObject *found) {
  check_shared(found);
  JsonArray *event = json_array_get_array_element(series(found, "histograms", "weights/W1", 1), 0);
  JsonArray *buckets = json_array_get_array_element(event, 1);
  g_assert_cmpuint(json_array_get_length(buckets), ==, 30);
  for (guint i = 0; i < 30; i++) {
    const double expected[] = {i, i + 1, i == 0 || i == 29 ? 2 : 1};
    assert_numbers(json_array_get_array_element(buckets, i), 0, expected, 3);
  }
}

/* ---- resumes --------------------------------------------------------------------------------- */

/* A run that is killed in the middle of a record, and goes on from step 2, twice. */
static void write_resumed(void) {
  Events *events = open_at(0);
  for (int step = 1; step <= 4; step++) events_scalar(events, "loss", step, step);
  close_all(events);
  g_autoptr(GPtrArray) names = files();
  FILE *file = fopen(names->pdata[0], "ab");
  g_assert_true(tfrecord_write(file, "abcdefgh", 8) && fflush(file) == 0);
  g_assert_cmpint(ftruncate(fileno(file), ftell(file) - 6), ==, 0);
  fclose(file);
  for (int again = 1; again <= 2; again++) {
    events = open_at(2);
    for (int step = 3; step <= 5; step++) events_scalar(events, "loss", step, step + 10 * again);
    close_all(events);
  }
  g_autoptr(GPtrArray) all = files();
  g_assert_cmpuint(all->len, ==, 3);
  g_assert_true(g_str_has_suffix(all->pdata[1], ".resumed-2"));
  g_assert_true(g_str_has_suffix(all->pdata[2], ".resumed-2"));
}

static void check_resumed(JsonObject *found) {
  JsonArray *loss = series(found, "scalars", "loss", 5);
  for (int step = 1; step <= 5; step++)
    assert_scalar(loss, (guint)step - 1, step, step + (step > 2 ? 20 : 0));
}

/* From step 0 everything is written anew, also after a file of a clock that was ahead. */
static void write_anew(void) {
  Events *events = open_at(0);
  for (int step = 0; step <= 3; step++) events_scalar(events, "loss", step, step);
  close_all(events);
  g_autoptr(GPtrArray) names = files();
  g_autofree char *ahead = g_build_filename(folder, "events.out.tfevents.9000000000.a.1", NULL);
  g_assert_cmpint(g_rename(names->pdata[0], ahead), ==, 0);
  events = open_at(0);
  events_scalar(events, "loss", 0, 7);
  events_scalar(events, "loss", 1, 8);
  close_all(events);
  g_autoptr(GPtrArray) both = files();
  g_assert_cmpstr(both->pdata[0], ==, ahead);
  g_assert_nonnull(strstr(both->pdata[1], "tfevents.9000000001."));
}

static void check_anew(JsonObject *found) {
  JsonArray *loss = series(found, "scalars", "loss", 2);
  assert_scalar(loss, 0, 0, 7);
  assert_scalar(loss, 1, 1, 8);
}

/* ---- framing --------------------------------------------------------------------------------- */

/* Check values of RFC 3720, B.4, and of the catalogues. */
static void test_crc(void) {
  guint8 bytes[32];
  g_assert_cmphex(tfrecord_crc32c("123456789", 9), ==, 0xE3069283);
  g_assert_cmphex(tfrecord_crc32c("", 0), ==, 0);
  memset(bytes, 0, sizeof bytes);
  g_assert_cmphex(tfrecord_crc32c(bytes, 32), ==, 0x8A9136AA);
  memset(bytes, 0xFF, sizeof bytes);
  g_assert_cmphex(tfrecord_crc32c(bytes, 32), ==, 0x62A8AB43);
  for (guint8 i = 0; i < 32; i++) bytes[i] = i;
  g_assert_cmphex(tfrecord_crc32c(bytes, 32), ==, 0x46DD794E);
}

static guint32 masked_bitwise(const guint8 *bytes, gsize size) {
  guint32 crc = ~0u;
  for (gsize i = 0; i < size * 8; i++) {
    guint32 bit = (crc ^ (guint32)(bytes[i / 8] >> i % 8)) & 1;
    crc = crc >> 1 ^ (bit ? 0x82F63B78u : 0);
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

static guint64 little(const guint8 *bytes, guint size) {
  guint64 value = 0;
  for (guint i = 0; i < size; i++) value |= (guint64)bytes[i] << 8 * i;
  return value;
}

static void test_framing(void) {
  begin();
  write_values();
  g_autoptr(GPtrArray) names = files();
  g_assert_cmpuint(names->len, ==, 1);
  g_assert_nonnull(strstr(names->pdata[0], "/events.out.tfevents."));
  g_assert_null(strstr(names->pdata[0], "resumed"));
  g_autofree char *text = NULL;
  gsize size, at = 0;
  guint count = 0;
  g_assert_true(g_file_get_contents(names->pdata[0], &text, &size, NULL));
  const guint8 *bytes = (const guint8 *)text;
  for (; at < size; count++) {
    guint64 length = little(bytes + at, 8);
    g_assert_cmphex(little(bytes + at + 8, 4), ==, masked_bitwise(bytes + at, 8));
    g_assert_cmphex(little(bytes + at + 12 + length, 4), ==,
                    masked_bitwise(bytes + at + 12, length));
    at += length + 16;
  }
  g_assert_cmpuint(at, ==, size);
  g_assert_cmpuint(count, ==, 12); /* the version, the start, and ten values */
  end();
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void test_full(void) {
  struct rlimit before, small;
  begin();
  signal(SIGXFSZ, SIG_IGN);
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
  small = before;
  small.rlim_cur = 20000;
  Events *events = open_at(0);
  setrlimit(RLIMIT_FSIZE, &small);
  g_autofree char *text = g_strnfill(9000, 'x');
  gboolean done[4];
  g_autoptr(GError) error = NULL, again = NULL;
  for (int i = 0; i < 3; i++) {
    events_text(events, "long", i, text);
    done[i] = events_flush(events, i == 2 ? &error : NULL);
  }
  setrlimit(RLIMIT_FSIZE, &before); /* there is room again, but a record is damaged */
  events_scalar(events, "loss", 1, 1);
  done[3] = events_flush(events, &again);
  events_free(events);
  g_assert_true(done[0] && done[1]);
  g_assert_true(!done[2] && !done[3]);
  g_assert_error(error, HOST_ERROR, AB_IO);
  g_assert_nonnull(strstr(error->message, "events.out.tfevents."));
  g_assert_cmpstr(error->message, ==, again->message);
  end();
}

static void test_errors(void) {
  g_autoptr(GError) error = NULL, silly = NULL;
  g_assert_null(events_open("/nowhere/at/all", 0, &error));
  g_assert_error(error, HOST_ERROR, AB_IO);
  g_assert_nonnull(strstr(error->message, "/nowhere/at/all"));
  begin();
  Events *events = open_at(0);
  const Images huge = {1, 1 << 20, 1 << 20, 1, NULL};
  events_images(events, "huge", 1, &huge);
  g_assert_false(events_flush(events, &silly));
  g_assert_error(silly, HOST_ERROR, AB_DATA);
  events_free(events);
  events_free(NULL);
  end();
}

static const Case values = {write_values, check_values, check_served};
static const Case resume = {write_resumed, check_resumed, check_resumed};
static const Case anew = {write_anew, check_anew, check_anew};

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/events/crc", test_crc);
  g_test_add_func("/events/framing", test_framing);
  g_test_add_data_func("/events/values", &values, test_plain);
  g_test_add_data_func("/events/resume", &resume, test_plain);
  g_test_add_data_func("/events/anew", &anew, test_plain);
  g_test_add_data_func("/events/tensorboard/values", &values, test_tensorboard);
  g_test_add_data_func("/events/tensorboard/resume", &resume, test_tensorboard);
  g_test_add_data_func("/events/tensorboard/anew", &anew, test_tensorboard);
  g_test_add_func("/events/full", test_full);
  g_test_add_func("/events/errors", test_errors);
  return g_test_run();
}
