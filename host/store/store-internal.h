/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to host/store: limits, the lock, HDF5's reasons as errors, types, names. Functions
 * declared here expect the lock to be held unless they say otherwise.                           */
#ifndef HOST_STORE_INTERNAL_H
#define HOST_STORE_INTERNAL_H

/* The 1.10 interface also under later libraries. */
#define H5_USE_110_API
#include "store.h"
#include <hdf5.h>

#define STORE_MAX_NAME      255    /* bytes of one component of a path         */
#define STORE_MAX_PATH      1024   /* bytes of a whole path in a file          */
#define STORE_MAX_DEPTH     32     /* groups in groups                         */
#define STORE_MAX_COUNT     100000 /* links below one group that is listed     */
#define STORE_MAX_DECLARED  (G_GINT64_CONSTANT(4) << 30) /* bytes declared, without question  */
#define STORE_MAX_RATIO     1000 /* times what is stored, beyond that        */
#define STORE_MAX_CHUNK     (G_GINT64_CONSTANT(1) << 30) /* bytes of a foreign chunk          */
#define STORE_MAX_TEXT      (64 << 20) /* bytes of a text that is read             */
#define STORE_MAX_ATTR      (60 << 10) /* bytes of an attribute                    */
#define STORE_SLAB          (8 << 20)  /* bytes moved under one lock; a chunk      */
#define STORE_APPEND_CHUNK  (1 << 20)  /* bytes of a chunk of a growing dataset    */
#define STORE_CHUNK_CACHE   (16 << 20) /* bytes kept unpacked per open dataset     */
#define STORE_OPEN_DATASETS 4          /* kept open (and checked) per file         */

/* The name of the checksum of texts too long for an object header (zlib's crc32). */
#define STORE_TEXT_CHECKSUM "crc32"

/* ---- init.c: the lock ---------------------------------------------------------------------- */

/* Takes the lock, initialises HDF5 if nobody has, and silences it in this thread: whether it
 * prints is a setting of each thread.                                                           */
void store_lock(void);
void store_unlock(void);

/* Ids of any kind, closed at the end of their scope; the error stack outlives it. */
void store_hid_clear(hid_t *id);
#define AUTO_HID __attribute__((cleanup(store_hid_clear))) hid_t

/* ---- reason.c: errors ---------------------------------------------------------------------- */

/* The innermost description on HDF5's error stack, printable; `io` (may be NULL) tells whether it
 * came from the operating system. To be called before any other call of HDF5. Free with g_free. */
char *store_reason(gboolean *io);
/* FALSE, with "MESSAGE: reason" and AB_IO or AB_DATA in `error`. As store_reason. */
gboolean store_fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* FALSE, with "dataset NAME of PATH is damaged: reason". As store_reason. */
gboolean store_fail_damaged(GError **error, const char *path, const char *name);

/* ---- name.c -------------------------------------------------------------------------------- */

/* The components of "/a/b" (NULL-terminated, free with g_strfreev); NULL if it is no name. */
char **store_name_split(const char *name);
/* One component: UTF-8, no control characters, not too long. */
gboolean store_name_component_ok(const char *component);

/* ---- types.c ------------------------------------------------------------------------------- */

typedef enum { STORE_OTHER, STORE_NUMBER, STORE_BOOL, STORE_TEXT } StoreKind;

/* What a type of a file is to us; `dtype` (may be NULL) is its nearest element type or 0. */
StoreKind store_type_kind(hid_t type, AbDtype *dtype);
/* "a compound", "a reference": for messages. */
const char *store_type_describe(hid_t type);
/* A new id of the type as it is stored; h5py reads AB_BOOL as numpy's bool. */
hid_t store_type_file(AbDtype dtype);
/* A new id of the type in memory. */
hid_t store_type_memory(AbDtype dtype);
/* A new id of a UTF-8 string of fixed length. */
hid_t store_type_text(gsize length);
/* A transfer list under which a value that does not fit its destination fails the read. */
hid_t store_strict_transfer(void);

/* ---- read: open.c, walk.c, list.c, dataset.c, read*.c, text.c -------------------------------- */

/* An open dataset that has passed the checks. */
typedef struct {
  char *name;
  hid_t id; /* invalid if the slot is free */
  guint64 used;
  StoreKind kind;
  StoreInfo info;
  gboolean summed;            /* its chunks carry checksums */
  hsize_t chunk[AB_MAX_RANK]; /* shape of a chunk, if there are chunks */
} StoreDataset;

struct StoreFile {
  char *path;
  hid_t id;
  guint64 size; /* bytes of the file */
  guint64 clock;
  GHashTable *sound;                      /* names of objects whose attributes HDF5 survives */
  StoreDataset open[STORE_OPEN_DATASETS]; /* the least recently used is replaced */
};

/* Opens an object (group or dataset), hard link by hard link; invalid id on error. */
hid_t store_walk(StoreFile *self, const char *name, GError **error);
/* The dataset, checked and kept open until STORE_OPEN_DATASETS others were wanted; else NULL. */
StoreDataset *store_dataset(StoreFile *self, const char *name, GError **error);
void store_dataset_clear(StoreDataset *dataset);

/* dataset-check.c: the rules of store.h on one dataset; fills in all but `name`, `id`, `used`. */
gboolean store_dataset_check(StoreFile *self, const char *name, hid_t id, StoreDataset *dataset,
                             gint64 *chunk_bytes, GError **error);

/* text.c: reads one text through `read` (of a dataset or an attribute). `what` is for messages. */
typedef herr_t (*StoreReadFunc)(hid_t id, hid_t type, void *buffer);
char *store_text_read(hid_t id, hid_t type, StoreReadFunc read, const char *what, GError **error);

/* child.c: runs `function` in a child process, where HDF5 may crash or hang. What it wrote to `fd`,
 * and a zero, is in `output` after TRUE; FALSE, with an error about `what`, unless it ended with
 * TRUE in time.                                                                                 */
typedef gboolean (*StoreChildFunc)(int fd, gpointer data);
gboolean store_in_child(StoreChildFunc function, gpointer data, GByteArray *output,
                        const char *what, GError **error);
gboolean store_child_write(int fd, const char *bytes, gsize length);

/* read-attr.c: FALSE on error. */
gboolean store_attr_has(StoreFile *self, const char *object, const char *name, gboolean *has,
                        GError **error);

/* ---- write: commit.c, write.c, append.c, write-text.c --------------------------------------- */

struct StoreWriter {
  char *path;   /* as given, for messages      */
  char *target; /* absolute                    */
  char *folder; /* absolute                    */
  char *temp;   /* absolute, beside the target */
  int fd;       /* of temp, for fsync          */
  hid_t file;
  GHashTable *growing; /* name -> Growing: datasets that store_append keeps open */
  GError *error;       /* the first */
};

/* Notes the first error; HDF5 writes into the void from here on, so that it can close cleanly. */
void store_writer_fail(StoreWriter *self, AbCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The same with HDF5's reason: "cannot write PATH: reason (WHAT)". As store_reason. */
void store_writer_fail_hdf5(StoreWriter *self, const char *what);

/* The group that is to hold `name`, made if need be, and the last component (free with g_free);
 * an invalid id after an error.                                                                 */
hid_t store_writer_parent(StoreWriter *self, const char *name, char **leaf);
/* Creation lists without time stamps: equal content gives equal bytes. New ids. */
hid_t store_untimed(hid_t class_id);
/* Link names in UTF-8. New id. */
hid_t store_link_list(void);
/* Writes an attribute of one element. */
gboolean store_write_attr(StoreWriter *self, hid_t object, const char *name, hid_t file_type,
                          hid_t memory_type, const void *value);
/* Shape and arguments of store_write and store_append; notes an error. No lock needed. */
gboolean store_writer_shape_ok(StoreWriter *self, const char *dataset, AbDtype dtype, int rank,
                               const gint64 *shape, const void *data);
/* The block of at most `limit` bytes (at least one element) that divides `shape` into runs that
 * are contiguous in memory. No lock needed.                                                     */
void store_plan_block(int rank, const gint64 *shape, gsize element, guint64 limit, hsize_t *block);
/* Writes `data` of `shape` at row `first` in such blocks, taking the lock for each. */
gboolean store_write_blocks(StoreWriter *self, const char *name, hid_t dataset, AbDtype dtype,
                            int rank, const gint64 *shape, gint64 first, const void *data);
/* append.c: flushes and closes all growing datasets. */
void store_growing_close(StoreWriter *self);

#endif
