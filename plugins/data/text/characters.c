/* SPDX-License-Identifier: Apache-2.0
 *
 * From bytes to code points (RFC 3629). */
#include "characters.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

/* The code point at `at`, of which `left` bytes are there; its bytes in *length. -1 for what is no
 * UTF-8: a stray or missing byte, a form that is too long, a surrogate, beyond U+10FFFF, or NUL. */
static int32_t decode(const unsigned char *at, int64_t left, int *length) {
  static const int32_t least[] = {0, 1, 0x80, 0x800, 0x10000};
  int bytes = at[0] < 0x80 ? 1 : at[0] < 0xC0 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
  int32_t character = bytes == 1 ? at[0] : at[0] & (0xFF >> (bytes + 1));

  *length = 1;
  if (bytes == 0 || at[0] > 0xF7 || bytes > left) return -1;
  for (int i = 1; i < bytes; i++) {
    if ((at[i] & 0xC0) != 0x80) return -1;
    character = character << 6 | (at[i] & 0x3F);
  }
  if (character < least[bytes] || character > 0x10FFFF ||
      (character >= 0xD800 && character < 0xE000))
    return -1;
  *length = bytes;
  return character;
}

int32_t character_of(const char *text) {
  int64_t size = (int64_t)strlen(text);
  int length = 0;
  int32_t character = size > 0 ? decode((const unsigned char *)text, size, &length) : -1;

  return length == size ? character : -1;
}

void character_encode(int32_t character, char utf8[CHARACTER_BYTES]) {
  static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  int bytes = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

  for (int i = bytes - 1; i > 0; i--, character >>= 6) utf8[i] = (char)(0x80 | (character & 0x3F));
  utf8[0] = (char)(lead[bytes] | character);
  utf8[bytes] = '\0';
}

const char *character_text(int32_t character, char text[CHARACTER_TEXT]) {
  if (character > 0x20 && character < 0x7F)
    snprintf(text, CHARACTER_TEXT, "'%c'", (char)character);
  else
    snprintf(text, CHARACTER_TEXT, "U+%04" PRIX32, (uint32_t)character);
  return text;
}

/* ---- the file -------------------------------------------------------------------------------- */

static int open_regular(const Characters *self, int64_t *size) {
  struct stat status;
  int fd = open(self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    ab_fail(
        self->self, AB_NO_INPUT,
        "cannot open %s: %s\n"
        "Tiny Shakespeare: https://github.com/karpathy/char-rnn (data/tinyshakespeare/input.txt), "
        "then --set %s=FILE",
        self->path, strerror(errno), ab_setting(self->self, "file"));
  } else if (fd < 0 || fstat(fd, &status) != 0) {
    ab_fail(self->self, AB_IO, "cannot open %s: %s", self->path, strerror(errno));
  } else if (!S_ISREG(status.st_mode)) {
    ab_fail(self->self, AB_IO, "cannot open %s: it is a folder or device, not a text file",
            self->path);
  } else {
    *size = (int64_t)status.st_size;
    return fd;
  }
  if (fd >= 0) close(fd);
  return -1;
}

/* What is there of `size` bytes; -1 after an error. */
static int64_t read_bytes(const Characters *self, int fd, unsigned char *bytes, int64_t size) {
  int64_t done = 0;
  ssize_t got = 1;

  while (got > 0 && done < size) {
    got = read(fd, bytes + done, (size_t)(size - done));
    if (got < 0 && errno == EINTR)
      got = 1;
    else if (got > 0)
      done += got;
  }
  if (got < 0) ab_fail(self->self, AB_IO, "cannot read %s: %s", self->path, strerror(errno));
  return got < 0 ? -1 : done;
}

static bool decode_all(Characters *self, const unsigned char *bytes, int64_t size) {
  int64_t at = size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0, line, column;
  int length;

  for (; at < size; at += length) {
    int32_t character = decode(bytes + at, size - at, &length);

    if (character < 0) {
      characters_place(self, self->count, &line, &column);
      ab_fail(self->self, AB_DATA,
              "%s:%" PRId64 ":%" PRId64 ": byte %02x is no UTF-8 text; convert the file to UTF-8",
              self->path, line, column, bytes[at]);
      return false;
    }
    self->items[self->count++] = character;
  }
  return true;
}

bool characters_read(Characters *self, AbData *data, const char *path) {
  int64_t size = 0, got;
  unsigned char *bytes;
  bool done = false;
  int fd;

  *self = (Characters){.self = data, .path = path};
  fd = open_regular(self, &size);
  if (fd < 0) return false;
  bytes = malloc((size_t)size + 1);
  self->items = calloc((size_t)size + 1, sizeof *self->items);
  if (bytes == NULL || self->items == NULL) {
    ab_fail(data, AB_DATA, "%s (%.1f GiB) does not fit into memory, and text reads the whole of it",
            path, (double)size / (1 << 30));
  } else {
    got = read_bytes(self, fd, bytes, size);
    done = got >= 0 && decode_all(self, bytes, got);
  }
  free(bytes);
  close(fd);
  return done;
}

void characters_clear(Characters *self) {
  free(self->items);
  *self = (Characters){0};
}

void characters_place(const Characters *self, int64_t index, int64_t *line, int64_t *column) {
  *line = *column = 1;
  for (int64_t i = 0; i < index; i++) {
    bool ends = self->items[i] == '\n';

    *line += ends;
    *column = ends ? 1 : *column + 1;
  }
}
