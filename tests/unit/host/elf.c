/* SPDX-License-Identifier: Apache-2.0
 *
 * The ELF reader against the dynamic linker, against images made by hand, and against damage.    */
#include "registry/elf.h"

#include <absdk/host.h>

#include <dlfcn.h>
#include <elf.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#if defined __x86_64__
#define MACHINE EM_X86_64
#elif defined __aarch64__
#define MACHINE EM_AARCH64
#elif defined __riscv
#define MACHINE EM_RISCV
#elif defined __powerpc64__
#define MACHINE EM_PPC64
#else
#define MACHINE EM_S390
#endif

static char *folder, *scratch;

static gboolean needs(const ElfSummary *summary, const char *prefix) {
  for (guint i = 0; i < summary->needed->len; i++)
    if (g_str_has_prefix(summary->needed->pdata[i], prefix)) return TRUE;
  return FALSE;
}

/* Writes bytes to a file and reads that. NULL, or why it was refused. */
static char *read_bytes(const void *bytes, gsize size, const char *symbol, ElfSummary *summary) {
  char *why = NULL;
  g_assert_true(g_file_set_contents(scratch, bytes, (gssize)size, NULL));
  gboolean done = elf_read(scratch, symbol, summary, &why);
  g_assert_true(done == (why == NULL));
  g_assert_true(done == (summary->needed != NULL));
  return why;
}

static void assert_refused(const void *bytes, gsize size, const char *reason) {
  ElfSummary summary;
  char *why = read_bytes(bytes, size, "ab_plugin", &summary);
  g_assert_nonnull(why);
  if (!strstr(why, reason)) g_error("'%s' was expected, not '%s'", reason, why);
  g_free(why);
}

/* ---- real libraries ------------------------------------------------------------------------ */

/* What the dynamic linker finds in GLib must be found in its file, and nothing else. */
static void test_linker(void) {
  static const char *const names[] = {
      "g_free", "g_malloc", "g_strdup", "glib_major_version", "g_no_such_function",
      "",       "g_fre",    "g_freee"};
  Dl_info info;
  g_assert_true(dladdr((void *)(guintptr)g_free, &info));
  void *library = dlopen(info.dli_fname, RTLD_NOW);
  g_assert_nonnull(library);
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    ElfSummary summary;
    char *why = NULL;
    g_assert_true(elf_read(info.dli_fname, names[i], &summary, &why));
    g_assert_cmpint(summary.found, ==, *names[i] && dlsym(library, names[i]) != NULL);
    g_assert_true(needs(&summary, "libc.so"));
    g_assert_cmpint(summary.data, ==, strcmp(names[i], "glib_major_version") == 0);
    if (summary.data) g_assert_cmpuint(summary.size, ==, sizeof(guint));
    elf_clear(&summary);
  }
  dlclose(library);
}

static char *fixture(const char *name, gsize *size) {
  char *file = g_strdup_printf("%s/%s.so", g_getenv("ABHOST_TEST_FIXTURES"), name), *bytes;
  g_assert_true(g_file_get_contents(file, &bytes, size, NULL));
  g_free(file);
  return bytes;
}

static void test_plugin(void) {
  gsize size;
  ElfSummary summary;
  char *bytes = fixture("good", &size);
  g_assert_null(read_bytes(bytes, size, "ab_plugin", &summary));
  g_assert_true(summary.found && summary.data);
  g_assert_cmpuint(summary.size, ==, sizeof(AbPlugin));
  g_assert_true(needs(&summary, "libabsdk.so"));
  elf_clear(&summary);
  g_free(bytes);

  bytes = fixture("function", &size);
  g_assert_null(read_bytes(bytes, size, "ab_plugin", &summary));
  g_assert_true(summary.found && !summary.data);
  elf_clear(&summary);
  g_free(bytes);

  bytes = fixture("nolink-abort", &size);
  g_assert_null(read_bytes(bytes, size, "ab_plugin", &summary));
  g_assert_true(summary.found && !needs(&summary, "libabsdk"));
  elf_clear(&summary);
  g_free(bytes);
}

static void test_no_elf(void) {
  ElfSummary summary;
  char *why = NULL;
  assert_refused("", 0, "is no ELF file");
  assert_refused("\177ELF", 4, "is no ELF file");
  assert_refused("#!/bin/sh\necho I am no library\n", 30, "is no ELF file");
  g_assert_false(elf_read("/nonexistent/x.so", "ab_plugin", &summary, &why));
  g_assert_true(g_str_has_prefix(why, "cannot be read: "));
  g_clear_pointer(&why, g_free);
  g_assert_false(elf_read(folder, "ab_plugin", &summary, &why));
  g_assert_cmpstr(why, ==, "is no regular file");
  g_free(why);
  char *pipe = g_build_filename(folder, "pipe.so", NULL); /* opening one would wait for a writer */
  g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
  g_assert_false(elf_read(pipe, "ab_plugin", &summary, &why));
  g_assert_cmpstr(why, ==, "is no regular file");
  g_free(why);
  g_unlink(pipe);
  g_free(pipe);
}

/* ---- images made by hand ------------------------------------------------------------------- */

/* A shared object with nothing but what the reader looks at, mapped at 0x10000. */
typedef struct {
  Elf64_Ehdr head;
  Elf64_Phdr load, dynamic;
  Elf64_Dyn entries[8];
  Elf64_Sym symbols[3];
  guint32 sysv[2 + 1 + 3];    /* buckets, chains; one bucket; three links */
  guint32 gnu[4 + 2 + 1 + 2]; /* head; one bloom word; one bucket; two links */
  char strings[64];
} Image;
enum { BASE = 0x10000 };

static const char text[64] = "\0ab_plugin\0other\0libabsdk.so.0"; /* at 0, 1, 11, 17 */

static guint32 hash_of(const char *name) {
  guint32 hash = 5381;
  while (*name) hash = hash * 33 + (guchar)*name++;
  return hash;
}

static Elf64_Sym symbol(guint32 name, guchar info, guint16 section) {
  return (Elf64_Sym){.st_name = name, .st_info = info, .st_shndx = section, .st_size = 64};
}

static Elf64_Dyn entry(Elf64_Sxword tag, Elf64_Xword value) {
  return (Elf64_Dyn){.d_tag = tag, .d_un.d_val = value};
}

#define AT(field) (BASE + offsetof(Image, field))

static Image make_image(gboolean gnu) {
  Image image = {.head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64},
                          .e_type = ET_DYN,
                          .e_machine = MACHINE,
                          .e_phoff = offsetof(Image, load),
                          .e_phentsize = sizeof(Elf64_Phdr),
                          .e_phnum = 2}};
  image.head.e_ident[EI_DATA] = G_BYTE_ORDER == G_LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;
  image.load = (Elf64_Phdr){
      .p_type = PT_LOAD, .p_vaddr = BASE, .p_filesz = sizeof image, .p_memsz = sizeof image};
  image.dynamic = (Elf64_Phdr){
      .p_type = PT_DYNAMIC, .p_offset = offsetof(Image, entries), .p_filesz = sizeof image.entries};
  image.entries[0] = entry(DT_NEEDED, 17);
  image.entries[1] = entry(DT_STRTAB, AT(strings));
  image.entries[2] = entry(DT_STRSZ, sizeof text);
  image.entries[3] = entry(DT_SYMTAB, AT(symbols));
  image.entries[4] = gnu ? entry(DT_GNU_HASH, AT(gnu)) : entry(DT_HASH, AT(sysv));
  guchar global = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
  image.symbols[1] = symbol(11, global, 1);
  image.symbols[2] = symbol(1, global, 1);
  memcpy(image.sysv, (guint32[]){1, 3, 1, 0, 2, 0}, sizeof image.sysv);
  guint32 links[] = {1, 1, 1, 0, 0, 0, 1, hash_of("other") & ~1u, hash_of("ab_plugin") | 1u};
  memcpy(image.gnu, links, sizeof image.gnu);
  memcpy(image.strings, text, sizeof text);
  return image;
}

static void test_images(void) {
  for (int gnu = 0; gnu <= 1; gnu++) {
    static const char *const names[] = {"ab_plugin", "other", "absent"};
    Image image = make_image(gnu);
    for (guint i = 0; i < 3; i++) {
      ElfSummary summary;
      g_assert_null(read_bytes(&image, sizeof image, names[i], &summary));
      g_assert_cmpint(summary.found, ==, i < 2);
      g_assert_cmpuint(summary.size, ==, i < 2 ? 64 : 0);
      g_assert_cmpuint(summary.needed->len, ==, 1);
      g_assert_cmpstr(summary.needed->pdata[0], ==, "libabsdk.so.0");
      elf_clear(&summary);
    }
  }
}

/* Symbols that are there but not for others to use. */
static void test_hidden(void) {
  const Elf64_Sym spoilt[] = {
      symbol(1, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), SHN_UNDEF),
      symbol(1, ELF64_ST_INFO(STB_LOCAL, STT_OBJECT), 1),
      {.st_name = 1,
       .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
       .st_other = STV_HIDDEN,
       .st_shndx = 1},
  };
  for (guint i = 0; i < G_N_ELEMENTS(spoilt); i++) {
    ElfSummary summary;
    Image image = make_image(i & 1);
    image.symbols[2] = spoilt[i];
    g_assert_null(read_bytes(&image, sizeof image, "ab_plugin", &summary));
    g_assert_false(summary.found);
    elf_clear(&summary);
  }
}

#define REFUSED(gnu, change, reason)              \
  do {                                            \
    Image image = make_image(gnu);                \
    change;                                       \
    assert_refused(&image, sizeof image, reason); \
  } while (0)

static void test_hostile(void) {
  REFUSED(1, image.head.e_ident[EI_CLASS] = ELFCLASS32, "64 bits");
  REFUSED(1, image.head.e_ident[EI_DATA] ^= 3, "byte order");
  REFUSED(1, image.head.e_machine = EM_SPARC, "another machine");
  REFUSED(1, image.head.e_type = ET_EXEC, "no shared object");
  REFUSED(1, image.head.e_type = ET_REL, "no shared object");
  REFUSED(1, image.head.e_phentsize = 8, "make no sense");
  REFUSED(1, image.head.e_phnum = 0xffff, "make no sense");
  REFUSED(1, image.head.e_phnum = 200, "beyond its end");
  REFUSED(1, image.head.e_phoff = G_MAXUINT64 - 8, "beyond its end");
  REFUSED(1, image.dynamic.p_type = PT_NULL, "no dynamic section");
  REFUSED(1, image.dynamic.p_offset = G_MAXUINT64 - 8, "beyond its end");
  REFUSED(1, image.dynamic.p_filesz = G_MAXUINT64;
          image.dynamic.p_offset = offsetof(Image, strings); /* without an end */
          memset(image.strings, 1, sizeof text), "beyond its end");
  REFUSED(1, image.entries[0].d_un.d_val = 64, "outside of its string table");
  REFUSED(1, image.entries[0].d_un.d_val = G_MAXUINT64, "outside of its string table");
  REFUSED(1, memset(image.strings + 17, 'x', 47), "has no end");
  REFUSED(1, image.entries[1].d_un.d_val = G_MAXUINT64 - 3, "outside of its segments");
  REFUSED(1, image.entries[2].d_un.d_val = G_MAXUINT64, "outside of its segments");
  REFUSED(1, image.entries[3].d_un.d_val = 0, "no dynamic symbol table");
  REFUSED(1, image.entries[3].d_un.d_val = G_MAXUINT64 - 8, "outside of its segments");
  REFUSED(1, image.entries[4].d_tag = DT_DEBUG, "no hash table");
  REFUSED(1, image.load.p_vaddr = 0, "outside of its segments");
  REFUSED(1, image.load.p_offset = G_MAXUINT64 - 64, "a segment lies beyond its end");
  REFUSED(1, image.load.p_offset = 1, "a segment lies beyond its end");
  REFUSED(1, image.load.p_filesz = G_MAXUINT64, "a segment lies beyond its end");
  REFUSED(1, image.load.p_filesz = offsetof(Image, strings) + 20, "outside of its segments");
  REFUSED(1, image.load.p_memsz = 5, "larger than its memory");
  REFUSED(1, image.gnu[0] = 0, "is empty");
  REFUSED(1, image.gnu[1] = 5, "makes no sense");
  REFUSED(1, image.gnu[2] = G_MAXUINT32, "outside of its segments");
  REFUSED(1, image.gnu[0] = G_MAXUINT32, "outside of its segments");
  REFUSED(0, image.sysv[0] = 0, "is empty");
  REFUSED(0, image.sysv[4] = 1, "makes no sense"); /* a chain that never ends */
  REFUSED(0, image.sysv[4] = 3, "makes no sense");
  REFUSED(0, image.sysv[0] = G_MAXUINT32, "segments");
}

/* A chain that runs through a large segment without an end must not take long. */
static void test_endless(void) {
  gsize size = sizeof(Image) + 4 * 1024 * 1024;
  gsize chain = offsetof(Image, gnu) + 7 * sizeof(guint32);
  Image image = make_image(TRUE);
  image.load.p_filesz = image.load.p_memsz = size;
  image.entries[1].d_un.d_val = BASE + size - sizeof text;
  char *bytes = g_malloc(size);
  memset(bytes, 2, size); /* even, so that every link says that another follows */
  memcpy(bytes, &image, chain);
  memcpy(bytes + size - sizeof text, text, sizeof text);
  assert_refused(bytes, size, "has no end");
  g_free(bytes);
}

/* ---- damage -------------------------------------------------------------------------------- */

/* A file that is cut is refused, or everything that matters lies before the cut. */
static void test_truncated(void) {
  gsize size, dynamic = 0;
  guint refused = 0;
  char *bytes = fixture("good", &size);
  Elf64_Ehdr head;
  memcpy(&head, bytes, sizeof head);
  for (guint i = 0; i < head.e_phnum; i++) {
    Elf64_Phdr segment;
    memcpy(&segment, bytes + head.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type == PT_DYNAMIC) dynamic = segment.p_offset + sizeof(Elf64_Dyn);
  }
  g_assert_cmpuint(dynamic, >, 0);
  for (gsize length = 0; length < size; length += length < 1200 ? 3 : 61) {
    ElfSummary summary;
    char *why = read_bytes(bytes, length, "ab_plugin", &summary);
    if (length < dynamic) g_assert_nonnull(why);
    if (!why)
      g_assert_true(summary.found && summary.size == sizeof(AbPlugin) &&
                    needs(&summary, "libabsdk"));
    refused += why != NULL;
    g_free(why);
    elf_clear(&summary);
  }
  g_assert_cmpuint(refused, >, 300);
  g_free(bytes);
}

/* Whatever is changed in the first 4 KiB: an answer, and no crash (best under a sanitizer). */
static void test_flipped(void) {
  gsize size;
  guint refused = 0, accepted = 0;
  char *bytes = fixture("good", &size);
  g_autoptr(GRand) random = g_rand_new_with_seed(20240607);
  for (guint round = 0; round < 800; round++) {
    char *copy = g_memdup2(bytes, size);
    gsize reach = round & 1 ? MIN(size, 1024) : MIN(size, 4096); /* the tables lie in front */
    for (int flips = g_rand_int_range(random, 1, 9); flips > 0; flips--)
      copy[g_rand_int_range(random, 0, (gint32)reach)] ^=
          (char)(1 << g_rand_int_range(random, 0, 8));
    ElfSummary summary;
    char *why = read_bytes(copy, size, "ab_plugin", &summary);
    if (why)
      refused++;
    else
      accepted++;
    g_free(why);
    elf_clear(&summary);
    g_free(copy);
  }
  g_assert_cmpuint(refused, >, 20);
  g_assert_cmpuint(accepted, >, 20);
  g_free(bytes);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  if (!g_getenv("ABHOST_TEST_FIXTURES")) g_error("ABHOST_TEST_FIXTURES names no folder");
  folder = g_dir_make_tmp("abhost-elf-XXXXXX", NULL);
  scratch = g_build_filename(folder, "x.so", NULL);
  g_test_add_func("/elf/linker", test_linker);
  g_test_add_func("/elf/plugin", test_plugin);
  g_test_add_func("/elf/no-elf", test_no_elf);
  g_test_add_func("/elf/images", test_images);
  g_test_add_func("/elf/hidden", test_hidden);
  g_test_add_func("/elf/hostile", test_hostile);
  g_test_add_func("/elf/endless", test_endless);
  g_test_add_func("/elf/truncated", test_truncated);
  g_test_add_func("/elf/flipped", test_flipped);
  int status = g_test_run();
  g_unlink(scratch);
  g_rmdir(folder);
  g_free(scratch);
  g_free(folder);
  return status;
}
