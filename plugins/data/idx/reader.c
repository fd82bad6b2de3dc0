/* SPDX-License-Identifier: Apache-2.0
 *
 * IDX files. Nothing that a header claims is believed: memory grows with what was really read.   */
#include "reader.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FIRST_BYTES ((int64_t)4 << 20) /* of memory; doubled as the file turns out longer */
#define MAX_RATIO   1032               /* deflate cannot do better */

static const struct {
  IdxType type;
  size_t size;
  const char *name;
} types[] = {
    {IDX_U8, 1, "u8"},   {IDX_I8, 1, "i8"},   {IDX_I16, 2, "i16"},
    {IDX_I32, 4, "i32"}, {IDX_F32, 4, "f32"}, {IDX_F64, 8, "f64"},
};

size_t idx_type_size(IdxType type) {
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    if (types[i].type == type) return types[i].size;
  return 0;
}

const char *idx_type_name(IdxType type) {
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    if (types[i].type == type) return types[i].name;
  return "?";
}

/* ---- finding --------------------------------------------------------------------------------- */

static char *join(AbData *self, const char *folder, const char *name, size_t length,
                  const char *end) {
  size_t size = strlen(folder) + length + strlen(end) + 2;
  char *path = malloc(size);

  if (path == NULL)
    ab_fail(self, AB_INTERNAL, "no memory for a file name");
  else
    snprintf(path, size, "%s/%.*s%s", folder, (int)length, name, end);
  return path;
}

static bool fail_missing(AbData *self, const char *folder, const char *name) {
  struct stat status;

  ab_fail(self, AB_NO_INPUT,
          "there is no %s%s (plain or .gz) in %s\n"
          "MNIST: https://ossci-datasets.s3.amazonaws.com/mnist/  Fashion-MNIST: Debian's package "
          "dataset-fashion-mnist\n"
          "then --set %s=FOLDER",
          stat(folder, &status) == 0 ? "file " : "folder for ", name, folder,
          ab_setting(self, "folder"));
  return false;
}

/* Sets `path` if the file is there; false after an error. */
static bool find(AbData *self, const char *folder, const char *name, char **path) {
  size_t length = strlen(name);
  bool zipped = length > 3 && strcmp(name + length - 3, ".gz") == 0;

  for (int other = 0; other < 2; other++) {
    size_t keep = other && zipped ? length - 3 : length;

    *path = join(self, folder, name, keep, other && !zipped ? ".gz" : "");
    if (*path == NULL) return false;
    if (access(*path, F_OK) == 0) return true;
    free(*path);
    *path = NULL;
  }
  return fail_missing(self, folder, name);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A stream of the file and its length on the disk; NULL after an error. */
static gzFile open_stream(AbData *self, const char *path, int64_t *length) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  gzFile stream;

  if (fd < 0 || fstat(fd, &status) != 0) {
    ab_fail(self, AB_IO, "cannot open %s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return NULL;
  }
  if (!S_ISREG(status.st_mode)) {
    ab_fail(self, AB_IO, "cannot open %s: it is a folder or device, not an IDX file", path);
    close(fd);
    return NULL;
  }
  *length = (int64_t)status.st_size;
  stream = gzdopen(fd, "rb");
  if (stream == NULL) {
    ab_fail(self, AB_INTERNAL, "no memory to read %s", path);
    close(fd);
  } else {
    gzbuffer(stream, 1 << 17);
  }
  return stream;
}

static bool fail_stream(AbData *self, gzFile stream, const char *path) {
  int code;
  const char *reason = gzerror(stream, &code), *named = strstr(reason, ">: ");

  if (named != NULL) reason = named + 3; /* zlib calls the stream "<fd:3>" */
  if (code == Z_ERRNO)
    ab_fail(self, AB_IO, "cannot read %s: %s", path, strerror(errno));
  else
    ab_fail(self, AB_DATA, "%s is damaged, or not wholly there: %s\nget the file once more", path,
            reason);
  return false;
}

/* Up to `size` bytes; -1 after an error. Reaching the end makes zlib verify the checksum. */
static int64_t take(AbData *self, gzFile stream, const char *path, void *buffer, int64_t size) {
  int64_t done = 0;

  while (done < size) {
    int64_t want = size - done < 1 << 30 ? size - done : 1 << 30;
    int got = gzread(stream, (char *)buffer + done, (unsigned)want);
    int code = Z_OK;

    gzerror(stream, &code);
    if (got < 0 || code != Z_OK) {
      fail_stream(self, stream, path);
      return -1;
    }
    if (got == 0) break;
    done += got;
  }
  return done;
}

static int64_t big_endian(const uint8_t *bytes) {
  return (int64_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* Bytes of the whole file, unpacked. */
static int64_t total_bytes(const IdxFile *file) {
  return 4 + 4 * file->rank + file->shape[0] * file->row_bytes;
}

/* The dimensions of the header, checked for what memory could hold at all. */
static bool set_shape(AbData *self, IdxFile *file, const uint8_t *dims) {
  int64_t bytes = (int64_t)idx_type_size(file->type);

  for (int32_t i = file->rank - 1; i >= 0; i--) {
    file->shape[i] = big_endian(dims + 4 * i);
    if (i == 0) file->row_bytes = bytes;
    if (file->shape[i] == 0 || bytes > (INT64_MAX >> 1) / file->shape[i]) {
      ab_fail(self, AB_DATA,
              "the header of %s gives axis %" PRId32 " of %" PRId32 " the length %" PRId64
              "; no file has that %s",
              file->path, i + 1, file->rank, file->shape[i],
              file->shape[i] == 0 ? "and samples in it" : "many numbers");
      return false;
    }
    bytes *= file->shape[i];
  }
  return true;
}

static bool fail_length(AbData *self, const IdxFile *file, const char *found) {
  char shape[200];
  AbShape dims = {.rank = file->rank};

  memcpy(dims.dims, file->shape, sizeof file->shape);
  ab_fail(self, AB_DATA,
          "%s: %s %s by its header, which makes %" PRId64 " bytes; found %s\nget the file once "
          "more",
          file->path, idx_type_name(file->type), ab_shape_text(dims, shape, sizeof shape),
          total_bytes(file), found);
  return false;
}

/* The length on the disk against the header: exact for a plain file, a bound for a packed one. */
static bool check_length(AbData *self, const IdxFile *file, int64_t length, bool plain) {
  int64_t total = total_bytes(file);
  char found[80];

  if (plain ? length == total : total / MAX_RATIO <= length) return true;
  snprintf(found, sizeof found, "%" PRId64 "%s", length, plain ? "" : ", gzipped");
  return fail_length(self, file, found);
}

static bool read_header(AbData *self, IdxFile *file, gzFile stream, int64_t length) {
  uint8_t head[4 + 4 * AB_MAX_RANK];
  int64_t got = take(self, stream, file->path, head, 4);

  if (got < 0) return false;
  if (got < 4 || head[0] != 0 || head[1] != 0 || idx_type_size(head[2]) == 0) {
    ab_fail(self, AB_DATA,
            "%s is no IDX file%s: it is to begin with 00 00 TYPE RANK, TYPE 08 09 0B 0C 0D or 0E; "
            "found %" PRId64 " bytes %02x %02x %02x %02x",
            file->path, gzdirect(stream) ? "" : " (gzipped)", got, got > 0 ? head[0] : 0,
            got > 1 ? head[1] : 0, got > 2 ? head[2] : 0, got > 3 ? head[3] : 0);
    return false;
  }
  file->type = head[2];
  file->rank = head[3];
  if (file->rank < 1 || file->rank > AB_MAX_RANK) {
    ab_fail(self, AB_DATA, "%s has rank %" PRId32 "; expected 1 to %d", file->path, file->rank,
            AB_MAX_RANK);
    return false;
  }
  got = take(self, stream, file->path, head + 4, 4 * file->rank);
  if (got < 0) return false;
  if (got < 4 * file->rank) {
    ab_fail(self, AB_DATA,
            "%s ends in its header: expected %" PRId32 " bytes, found %" PRId64
            "\nget the file once more",
            file->path, 4 + 4 * file->rank, 4 + got);
    return false;
  }
  return set_shape(self, file, head + 4) && check_length(self, file, length, gzdirect(stream) != 0);
}

bool idx_open(AbData *self, IdxFile *file, const char *folder, const char *name) {
  int64_t length;
  gzFile stream;
  bool done;

  if (!find(self, folder, name, &file->path)) return false;
  stream = open_stream(self, file->path, &length);
  if (stream == NULL) return false;
  done = read_header(self, file, stream, length);
  gzclose(stream);
  return done;
}

/* Reads `size` bytes into memory that grows; the bytes that were there, -1 after an error. */
static int64_t take_all(AbData *self, IdxFile *file, gzFile stream, int64_t size) {
  int64_t room = 0, done = 0, got;

  do {
    uint8_t *bytes;

    room = room == 0 ? FIRST_BYTES : 2 * room;
    if (room > size) room = size;
    bytes = realloc(file->bytes, (size_t)room);
    if (bytes == NULL) {
      ab_fail(self, AB_INTERNAL, "no memory for %" PRId64 " bytes of %s; set limit to read less",
              room, file->path);
      return -1;
    }
    file->bytes = bytes;
    got = take(self, stream, file->path, bytes + done, room - done);
    if (got < 0) return -1;
    done += got;
  } while (done == room && room < size);
  return done;
}

/* The numbers after the header, whose shape must still be that of `file`. */
static bool read_rows(AbData *self, IdxFile *file, gzFile stream, int64_t length, int64_t rows) {
  IdxFile now = {.path = file->path};
  int64_t got;
  char found[80], extra;

  if (!read_header(self, &now, stream, length)) return false;
  if (now.type != file->type || now.row_bytes != file->row_bytes ||
      now.shape[0] != file->shape[0]) {
    ab_fail(self, AB_DATA, "%s changed while it was in use", file->path);
    return false;
  }
  got = take_all(self, file, stream, rows * file->row_bytes);
  if (got < 0) return false;
  if (got < rows * file->row_bytes) {
    snprintf(found, sizeof found, "%" PRId64, 4 + 4 * file->rank + got);
    return fail_length(self, file, found);
  }
  if (rows < file->shape[0]) return true;
  got = take(self, stream, file->path, &extra, 1);
  return got == 0 || (got > 0 && fail_length(self, file, "more"));
}

bool idx_read(AbData *self, IdxFile *file, int64_t rows) {
  int64_t length;
  gzFile stream = open_stream(self, file->path, &length);
  bool done;

  if (stream == NULL) return false;
  done = read_rows(self, file, stream, length, rows);
  gzclose(stream);
  return done;
}

void idx_clear(IdxFile *file) {
  free(file->path);
  free(file->bytes);
  *file = (IdxFile){0};
}

/* ---- values ---------------------------------------------------------------------------------- */

double idx_value(const IdxFile *file, int64_t index) {
  size_t size = idx_type_size(file->type);
  const uint8_t *at = file->bytes + (size_t)index * size;
  uint64_t bits = 0;
  uint32_t low;
  float single;
  double value;

  for (size_t i = 0; i < size; i++) bits = bits << 8 | at[i];
  low = (uint32_t)bits;
  switch (file->type) {
  case IDX_U8: return (double)bits;
  case IDX_I8: return (double)(int8_t)(uint8_t)bits;
  case IDX_I16: return (double)(int16_t)(uint16_t)bits;
  case IDX_I32: return (double)(int32_t)low;
  case IDX_F32: memcpy(&single, &low, sizeof single); return (double)single;
  case IDX_F64: memcpy(&value, &bits, sizeof value); return value;
  }
  return 0;
}
