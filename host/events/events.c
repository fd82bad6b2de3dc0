/* SPDX-License-Identifier: Apache-2.0
 *
 * Event files: TFRecords that each hold a message Event of TensorFlow's protocol buffers
 * (event.proto, summary.proto, histogram.proto, tensor.proto).                                   */
#include "events.h"

#include "histogram.h"
#include "protobuf.h"
#include "tfrecord.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "events.out.tfevents."

/* Numbers of fields. */
enum { EVENT_TIME = 1, EVENT_STEP = 2, EVENT_VERSION = 3, EVENT_SUMMARY = 5, EVENT_SESSION = 7 };
enum { EVENT_SOURCE = 10, SOURCE_WRITER = 1, SESSION_STATUS = 1, SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_IMAGE = 4, VALUE_HISTOGRAM = 5, VALUE_TENSOR = 8 };
enum { VALUE_METADATA = 9, METADATA_PLUGIN = 1, METADATA_CLASS = 4, PLUGIN_NAME = 1 };
enum { TENSOR_TYPE = 1, TENSOR_SHAPE = 2, TENSOR_STRINGS = 8 };
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_COLOURS = 3, IMAGE_PNG = 4 };
enum { HISTO_MIN = 1, HISTO_MAX, HISTO_NUM, HISTO_SUM, HISTO_SQUARES, HISTO_LIMIT, HISTO_BUCKET };
/* Values of enumerations. */
enum { STATUS_START = 1, CLASS_TENSOR = 2, TYPE_STRING = 7, COLOURS_GREY = 1, COLOURS_RGB = 3 };

struct Events {
  char *path;
  FILE *file;
  GError *error; /* the first */
};

/* ---- records --------------------------------------------------------------------------------- */

static void fail(Events *self) {
  host_fail(&self->error, AB_IO, "%s cannot be written: %s", self->path, g_strerror(errno));
}

static GByteArray *event_new(gint64 step) {
  GByteArray *event = g_byte_array_new();
  protobuf_double(event, EVENT_TIME, (double)g_get_real_time() / G_USEC_PER_SEC);
  protobuf_varint(event, EVENT_STEP, (guint64)step);
  return event;
}

/* Writes and frees it. */
static void put_event(Events *self, GByteArray *event) {
  if (!self->error && !tfrecord_write(self->file, event->data, event->len)) fail(self);
  g_byte_array_unref(event);
}

/* A text with bytes that are no UTF-8 would make the whole event unreadable. */
static void put_text(GByteArray *to, guint field, const char *text) {
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  protobuf_text(to, field, valid);
}

static GByteArray *value_new(const char *tag) {
  GByteArray *value = g_byte_array_new();
  put_text(value, VALUE_TAG, tag);
  return value;
}

static void put_value(Events *self, gint64 step, GByteArray *value) {
  GByteArray *summary = g_byte_array_new(), *event = event_new(step);
  protobuf_nested(summary, SUMMARY_VALUE, value);
  protobuf_nested(event, EVENT_SUMMARY, summary);
  put_event(self, event);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* The greatest time in the names of event files; -1 if there are none. Readers go through files in
 * the order of their names.                                                                      */
static gint64 newest(const char *folder) {
  gint64 latest = -1;
  GDir *dir = g_dir_open(folder, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    if (!g_str_has_prefix(name, PREFIX)) continue;
    const char *digits = name + strlen(PREFIX);
    gboolean ours = strspn(digits, "0123456789") == 10; /* until the year 2286 */
    latest = MAX(latest, ours ? g_ascii_strtoll(digits, NULL, 10) : 0);
  }
  if (dir) g_dir_close(dir);
  return latest;
}

static char *make_path(const char *folder, gint64 seconds, gboolean resumed, gint64 step) {
  g_autofree char *host = g_strdup(g_get_host_name());
  for (char *at = host; *at; at++)
    if (!g_ascii_isalnum(*at) && !strchr(".-_", *at)) *at = '-';
  g_autofree char *suffix =
      resumed ? g_strdup_printf(".resumed-%" G_GINT64_FORMAT, step) : g_strdup("");
  return g_strdup_printf("%s/" PREFIX "%010" G_GINT64_FORMAT ".%s.%d%s", folder, seconds, host,
                         (int)getpid(), suffix);
}

static void put_version(Events *self, gint64 step) {
  GByteArray *event = event_new(step), *source = g_byte_array_new();
  protobuf_text(event, EVENT_VERSION, "brain.Event:2");
  protobuf_text(source, SOURCE_WRITER, "abhost");
  protobuf_nested(event, EVENT_SOURCE, source);
  put_event(self, event);
}

/* Readers drop what was at this step and after it; some only at the second start that they see, so
 * that every file needs one. */
static void put_start(Events *self, gint64 step) {
  GByteArray *event = event_new(step), *session = g_byte_array_new();
  protobuf_varint(session, SESSION_STATUS, STATUS_START);
  protobuf_nested(event, EVENT_SESSION, session);
  put_event(self, event);
}

Events *events_open(const char *folder, gint64 step, GError **error) {
  gint64 before = newest(folder), now = g_get_real_time() / G_USEC_PER_SEC;
  gboolean resumed = before >= 0 || step > 0;
  Events *self = g_new0(Events, 1);
  self->path = make_path(folder, MAX(now, before + 1), resumed, step);
  self->file = fopen(self->path, "wxe");
  if (!self->file) {
    fail(self);
    g_propagate_error(error, g_steal_pointer(&self->error));
    events_free(self);
    return NULL;
  }
  put_version(self, step);
  put_start(self, step > 0 ? step + 1 : 0);
  return self;
}

/* ---- values ---------------------------------------------------------------------------------- */

void events_scalar(Events *self, const char *tag, gint64 step, double value) {
  GByteArray *message = value_new(tag);
  protobuf_float(message, VALUE_SIMPLE, (float)value);
  put_value(self, step, message);
}

/* A tensor of one string without axes, which the plugin "text" shows. */
void events_text(Events *self, const char *tag, gint64 step, const char *markdown) {
  GByteArray *value = value_new(tag), *metadata = g_byte_array_new();
  GByteArray *plugin = g_byte_array_new(), *tensor = g_byte_array_new();
  protobuf_text(plugin, PLUGIN_NAME, "text");
  protobuf_nested(metadata, METADATA_PLUGIN, plugin);
  protobuf_varint(metadata, METADATA_CLASS, CLASS_TENSOR);
  protobuf_varint(tensor, TENSOR_TYPE, TYPE_STRING);
  protobuf_nested(tensor, TENSOR_SHAPE, g_byte_array_new());
  put_text(tensor, TENSOR_STRINGS, markdown);
  protobuf_nested(value, VALUE_METADATA, metadata);
  protobuf_nested(value, VALUE_TENSOR, tensor);
  put_value(self, step, value);
}

static guint32 big_endian(const guint8 *at) {
  guint32 value;
  memcpy(&value, at, sizeof value);
  return GUINT32_FROM_BE(value);
}

/* The header of a PNG says how large it is and whether it has colours. */
static GByteArray *image_new(GBytes *png) {
  enum { WIDTH_AT = 16, HEIGHT_AT = 20, TYPE_AT = 25 };
  gsize size;
  const guint8 *bytes = g_bytes_get_data(png, &size);
  GByteArray *image = g_byte_array_new();
  protobuf_varint(image, IMAGE_HEIGHT, big_endian(bytes + HEIGHT_AT));
  protobuf_varint(image, IMAGE_WIDTH, big_endian(bytes + WIDTH_AT));
  protobuf_varint(image, IMAGE_COLOURS, bytes[TYPE_AT] == 0 ? COLOURS_GREY : COLOURS_RGB);
  protobuf_bytes(image, IMAGE_PNG, bytes, size);
  return image;
}

void events_images(Events *self, const char *tag, gint64 step, const Images *images) {
  if (self->error || images->count == 0) return;
  GBytes *png = images_png(images, 0, images->count, 0, &self->error);
  if (!png) return;
  GByteArray *value = value_new(tag);
  protobuf_nested(value, VALUE_IMAGE, image_new(png));
  g_bytes_unref(png);
  put_value(self, step, value);
}

void events_histogram(Events *self, const char *tag, gint64 step, const double *values,
                      gint64 count) {
  Histogram histogram;
  if (!histogram_make(values, count, &histogram)) return;
  GByteArray *value = value_new(tag), *histo = g_byte_array_new();
  protobuf_double(histo, HISTO_MIN, histogram.min);
  protobuf_double(histo, HISTO_MAX, histogram.max);
  protobuf_double(histo, HISTO_NUM, histogram.count);
  protobuf_double(histo, HISTO_SUM, histogram.sum);
  protobuf_double(histo, HISTO_SQUARES, histogram.sum_squares);
  protobuf_doubles(histo, HISTO_LIMIT, histogram.limit, histogram.buckets);
  protobuf_doubles(histo, HISTO_BUCKET, histogram.inside, histogram.buckets);
  protobuf_nested(value, VALUE_HISTOGRAM, histo);
  put_value(self, step, value);
}

/* ---- end ------------------------------------------------------------------------------------- */

gboolean events_flush(Events *self, GError **error) {
  if (!self->error && fflush(self->file) != 0) fail(self);
  if (!self->error) return TRUE;
  g_propagate_error(error, g_error_copy(self->error));
  return FALSE;
}

void events_free(Events *self) {
  if (!self) return;
  if (self->file) fclose(self->file);
  g_clear_error(&self->error);
  g_free(self->path);
  g_free(self);
}
