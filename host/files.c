/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading small files. */
#include "files.h"

#include "jsonin.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Of a plain file; a pipe would make us wait. */
int files_open(const char *folder, const char *name, gint64 *size, GError **error) {
  g_autofree char *path = g_build_filename(folder, name, NULL);
  struct stat info;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &info) != 0) {
    host_fail(error, errno == ENOENT ? AB_NO_INPUT : AB_IO, "%s cannot be read: %s", name,
              g_strerror(errno));
  } else if (!S_ISREG(info.st_mode)) {
    host_fail(error, AB_DATA, "%s is no plain file", name);
  } else {
    *size = info.st_size;
    return fd;
  }
  if (fd >= 0) close(fd);
  return -1;
}

/* Up to `size` bytes from `offset` on: fewer, where the file was cut meanwhile. */
static char *read_bytes(int fd, const char *name, gint64 offset, gsize size, gsize *length,
                        GError **error) {
  char *text = g_try_malloc(size + 1);
  gsize filled = 0;
  for (ssize_t got = 1; text && filled < size && got > 0; filled += (gsize)MAX(got, 0)) {
    got = pread(fd, text + filled, size - filled, offset + (gint64)filled);
    if (got < 0) {
      host_fail(error, AB_IO, "%s cannot be read: %s", name, g_strerror(errno));
      g_free(text);
      return NULL;
    }
  }
  if (text)
    text[filled] = '\0';
  else
    host_fail(error, AB_DATA, "%s does not fit into memory", name);
  if (length) *length = filled;
  return text;
}

char *files_read(const char *folder, const char *name, gsize limit, gsize *length, GError **error) {
  gint64 size = 0;
  int fd = files_open(folder, name, &size, error);
  if (fd < 0) return NULL;
  char *text = NULL;
  if ((guint64)size <= limit)
    text = read_bytes(fd, name, 0, (gsize)size, length, error);
  else
    host_fail(error, AB_DATA, "%s has %" G_GINT64_FORMAT " bytes, which is too much", name, size);
  close(fd);
  return text;
}

char *files_read_end(const char *folder, const char *name, gsize limit, gsize *length,
                     GError **error) {
  gint64 size = 0;
  int fd = files_open(folder, name, &size, error);
  if (fd < 0) return NULL;
  gboolean whole = (guint64)size <= limit;
  gint64 offset = whole ? 0 : size - (gint64)limit;
  char *text = read_bytes(fd, name, offset, (gsize)(size - offset), length, error);
  close(fd);
  if (!text || whole) return text;
  const char *line = memchr(text, '\n', *length); /* what stands before is a part of a line */
  gsize skip = line ? (gsize)(line + 1 - text) : *length;
  *length -= skip;
  memmove(text, text + skip, *length + 1);
  return text;
}

JsonNode *files_read_object(const char *folder, const char *name, gsize limit, GError **error) {
  gsize length = 0;
  g_autofree char *text = files_read(folder, name, limit, &length, error);
  return text ? jsonin_object(name, text, (gssize)length, error) : NULL;
}

/* ---- lines ----------------------------------------------------------------------------------- */

FILE *files_open_lines(const char *folder, const char *name, GError **error) {
  gint64 size = 0;
  int fd = files_open(folder, name, &size, error);
  return fd < 0 ? NULL : fdopen(fd, "r");
}

FilesLine files_line(FILE *file, GString *line, gsize limit) {
  gboolean fits = TRUE;
  int c;
  g_string_truncate(line, 0);
  while ((c = getc(file)) != EOF && c != '\n') {
    fits = fits && line->len < limit;
    if (fits) g_string_append_c(line, (char)c);
  }
  if (c == EOF) return line->len ? FILES_BROKEN : FILES_END;
  return fits ? FILES_WHOLE : FILES_LONG;
}
