/* SPDX-License-Identifier: Apache-2.0
 *
 * The dynamic section and symbol table of a shared object, found as the dynamic linker finds them:
 * by program headers and hash tables, since a stripped file may have no section headers. Read in
 * small pieces, not mapped: a file that is rewritten meanwhile would kill the program.           */
#include "elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined __x86_64__
#define OWN_MACHINE EM_X86_64
#elif defined __aarch64__
#define OWN_MACHINE EM_AARCH64
#elif defined __riscv
#define OWN_MACHINE EM_RISCV
#elif defined __powerpc64__
#define OWN_MACHINE EM_PPC64
#elif defined __s390x__
#define OWN_MACHINE EM_S390
#else
#error "name this machine's ELF number here"
#endif
#define OWN_ENDIAN (G_BYTE_ORDER == G_LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB)

/* Far above what a real file has: a chain of a hash table has two or three links. */
enum {
  MAX_SEGMENTS = 256,
  MAX_DYNAMIC = 4096,
  MAX_NEEDED = 1024,
  MAX_NAME = 4096,
  MAX_LINKS = 4096
};

typedef struct {
  int fd;
  guint64 size; /* of the file */
  Elf64_Phdr segments[MAX_SEGMENTS];
  guint segment_count;
  guint64 strings, string_bytes, symbols; /* addresses, as in the loaded image; 0: none */
  guint64 gnu_hash, sysv_hash;
  GArray *needed;    /* guint64: offsets into the strings */
  const char *fault; /* of the first thing that is wrong */
} Elf;

static gboolean fail(Elf *self, const char *fault) {
  if (!self->fault) self->fault = fault;
  return FALSE;
}

static gboolean read_offset(Elf *self, guint64 offset, void *buffer, gsize size) {
  if (size > self->size || offset > self->size - size)
    return fail(self, "is cut short or damaged: its tables point beyond its end");
  for (gsize done = 0; done < size;) {
    ssize_t got = pread(self->fd, (char *)buffer + done, size - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(self, "cannot be read to its end");
    done += (gsize)got;
  }
  return TRUE;
}

/* Reads what will be at an address once the file is loaded. */
static gboolean read_address(Elf *self, guint64 address, void *buffer, gsize size) {
  for (guint i = 0; i < self->segment_count; i++) {
    const Elf64_Phdr *segment = &self->segments[i];
    if (segment->p_type != PT_LOAD || address < segment->p_vaddr) continue;
    guint64 skip = address - segment->p_vaddr;
    if (size > segment->p_filesz || skip > segment->p_filesz - size) continue;
    return read_offset(self, segment->p_offset + skip, buffer, size);
  }
  return fail(self, "is damaged: its tables point outside of its segments");
}

static gboolean read_header(Elf *self) {
  Elf64_Ehdr head;
  if (self->size < EI_NIDENT) return fail(self, "is no ELF file");
  if (!read_offset(self, 0, &head, EI_NIDENT)) return FALSE;
  if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) return fail(self, "is no ELF file");
  if (head.e_ident[EI_CLASS] != ELFCLASS64) return fail(self, "is no ELF file of 64 bits");
  if (head.e_ident[EI_DATA] != OWN_ENDIAN)
    return fail(self, "has the byte order of other machines");
  if (!read_offset(self, 0, &head, sizeof head)) return FALSE;
  if (head.e_machine != OWN_MACHINE) return fail(self, "was compiled for another machine");
  if (head.e_type != ET_DYN) return fail(self, "is no shared object");
  if (head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phnum > MAX_SEGMENTS)
    return fail(self, "is damaged: its program headers make no sense");
  self->segment_count = head.e_phnum;
  return read_offset(self, head.e_phoff, self->segments, head.e_phnum * sizeof(Elf64_Phdr));
}

/* What lies behind the end of a file can be mapped, and ends the program that touches it. */
static gboolean check_segments(Elf *self) {
  for (guint i = 0; i < self->segment_count; i++) {
    const Elf64_Phdr *segment = &self->segments[i];
    if (segment->p_type != PT_LOAD) continue;
    if (segment->p_filesz > self->size || segment->p_offset > self->size - segment->p_filesz)
      return fail(self, "is cut short: a segment lies beyond its end");
    if (segment->p_filesz > segment->p_memsz)
      return fail(self, "is damaged: a segment is larger than its memory");
  }
  return TRUE;
}

static void note_dynamic(Elf *self, const Elf64_Dyn *entry) {
  guint64 value = entry->d_un.d_val;
  switch (entry->d_tag) {
  case DT_NEEDED: g_array_append_val(self->needed, value); break;
  case DT_STRTAB: self->strings = value; break;
  case DT_STRSZ: self->string_bytes = value; break;
  case DT_SYMTAB: self->symbols = value; break;
  case DT_GNU_HASH: self->gnu_hash = value; break;
  case DT_HASH: self->sysv_hash = value; break;
  default: break;
  }
}

static gboolean read_dynamic(Elf *self) {
  const Elf64_Phdr *dynamic = NULL;
  for (guint i = 0; i < self->segment_count && !dynamic; i++)
    if (self->segments[i].p_type == PT_DYNAMIC) dynamic = &self->segments[i];
  if (!dynamic) return fail(self, "is no shared object: it has no dynamic section");
  guint64 count = dynamic->p_filesz / sizeof(Elf64_Dyn);
  for (guint64 i = 0; i < MIN(count, MAX_DYNAMIC); i++) {
    Elf64_Dyn entry;
    if (!read_offset(self, dynamic->p_offset + i * sizeof entry, &entry, sizeof entry))
      return FALSE;
    if (entry.d_tag == DT_NULL) break;
    note_dynamic(self, &entry);
  }
  if (self->needed->len > MAX_NEEDED) return fail(self, "is damaged: it needs too many libraries");
  if (!self->strings || !self->symbols) return fail(self, "has no dynamic symbol table");
  return TRUE;
}

/* A text of the string table; NULL if it has no end. Free with g_free. */
static char *read_text(Elf *self, guint64 offset) {
  if (offset >= self->string_bytes) {
    fail(self, "is damaged: a name lies outside of its string table");
    return NULL;
  }
  gsize size = (gsize)MIN(self->string_bytes - offset, MAX_NAME);
  char *text = g_malloc(size);
  if (!read_address(self, self->strings + offset, text, size)) {
    g_clear_pointer(&text, g_free);
  } else if (!memchr(text, '\0', size)) {
    fail(self, "is damaged: a name in its string table has no end");
    g_clear_pointer(&text, g_free);
  }
  return text;
}

static gboolean read_needed(Elf *self, ElfSummary *summary) {
  for (guint i = 0; i < self->needed->len; i++) {
    char *name = read_text(self, g_array_index(self->needed, guint64, i));
    if (!name) return FALSE;
    g_ptr_array_add(summary->needed, name);
  }
  return TRUE;
}

static gboolean is_exported(const Elf64_Sym *symbol) {
  guint binding = ELF64_ST_BIND(symbol->st_info);
  guint visibility = ELF64_ST_VISIBILITY(symbol->st_other);
  return symbol->st_shndx != SHN_UNDEF && (binding == STB_GLOBAL || binding == STB_WEAK) &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

/* Whether symbol `index` is the one called `name`; if so, into the summary. */
static gboolean match_symbol(Elf *self, guint32 index, const char *name, ElfSummary *summary) {
  Elf64_Sym symbol;
  guint64 address = self->symbols + (guint64)index * sizeof symbol;
  if (!read_address(self, address, &symbol, sizeof symbol)) return FALSE;
  if (!is_exported(&symbol)) return FALSE;
  char *text = read_text(self, symbol.st_name);
  summary->found = text && strcmp(text, name) == 0;
  g_free(text);
  if (!summary->found) return FALSE;
  summary->data = ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT;
  summary->size = symbol.st_size;
  return TRUE;
}

static guint32 gnu_hash(const char *name) {
  guint32 hash = 5381;
  for (; *name; name++) hash = hash * 33 + (guchar)*name;
  return hash;
}

/* Looks a symbol up in DT_GNU_HASH: head, bloom filter, buckets, chains whose last link is odd. */
static gboolean find_gnu(Elf *self, const char *name, ElfSummary *summary) {
  struct {
    guint32 buckets, first, bloom, shift;
  } head;
  if (!read_address(self, self->gnu_hash, &head, sizeof head)) return FALSE;
  if (!head.buckets) return fail(self, "is damaged: its symbol hash table is empty");
  guint32 hash = gnu_hash(name), index, link = 0;
  guint64 buckets = self->gnu_hash + sizeof head + (guint64)head.bloom * 8;
  guint64 chains = buckets + (guint64)head.buckets * 4;
  if (!read_address(self, buckets + (guint64)(hash % head.buckets) * 4, &index, sizeof index))
    return FALSE;
  if (index == 0) return TRUE; /* an empty bucket: not there */
  if (index < head.first) return fail(self, "is damaged: its symbol hash table makes no sense");
  for (guint links = 0; !(link & 1); links++, index++) {
    if (links == MAX_LINKS) return fail(self, "is damaged: its symbol hash table has no end");
    if (!read_address(self, chains + (guint64)(index - head.first) * 4, &link, sizeof link))
      return FALSE;
    if ((link | 1) == (hash | 1) && match_symbol(self, index, name, summary)) break;
    if (self->fault) return FALSE;
  }
  return TRUE;
}

static guint32 sysv_hash(const char *name) {
  guint32 hash = 0;
  for (; *name; name++) {
    hash = (hash << 4) + (guchar)*name;
    hash = (hash ^ ((hash & 0xf0000000) >> 24)) & 0x0fffffff;
  }
  return hash;
}

/* The same in DT_HASH: head, buckets, chains that end at 0. */
static gboolean find_sysv(Elf *self, const char *name, ElfSummary *summary) {
  struct {
    guint32 buckets, chains;
  } head;
  if (!read_address(self, self->sysv_hash, &head, sizeof head)) return FALSE;
  if (!head.buckets) return fail(self, "is damaged: its symbol hash table is empty");
  guint64 buckets = self->sysv_hash + sizeof head;
  guint64 chains = buckets + (guint64)head.buckets * 4;
  guint64 at = buckets + (guint64)(sysv_hash(name) % head.buckets) * 4;
  for (guint links = 0;; links++) {
    guint32 index;
    if (!read_address(self, at, &index, sizeof index)) return FALSE;
    if (index == 0) return TRUE;
    if (links == MAX_LINKS || index >= head.chains)
      return fail(self, "is damaged: its symbol hash table makes no sense");
    if (match_symbol(self, index, name, summary)) return TRUE;
    if (self->fault) return FALSE;
    at = chains + (guint64)index * 4;
  }
}

static gboolean find_symbol(Elf *self, const char *name, ElfSummary *summary) {
  if (self->gnu_hash) return find_gnu(self, name, summary);
  if (self->sysv_hash) return find_sysv(self, name, summary);
  return fail(self, "has no hash table of its symbols");
}

/* FALSE with errno 0 where there is a file, but no regular one. */
static gboolean open_file(Elf *self, const char *path) {
  struct stat status;
  self->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (self->fd < 0 || fstat(self->fd, &status) != 0) return FALSE;
  errno = 0;
  self->size = (guint64)status.st_size;
  return S_ISREG(status.st_mode);
}

gboolean elf_read(const char *path, const char *symbol, ElfSummary *summary, char **why) {
  Elf *self = g_new0(Elf, 1);
  self->needed = g_array_new(FALSE, FALSE, sizeof(guint64));
  *summary = (ElfSummary){.needed = g_ptr_array_new_with_free_func(g_free)};
  gboolean done = FALSE;
  if (!open_file(self, path))
    *why = errno ? g_strdup_printf("cannot be read: %s", g_strerror(errno))
                 : g_strdup("is no regular file");
  else if (read_header(self) && check_segments(self) && read_dynamic(self) &&
           read_needed(self, summary) && find_symbol(self, symbol, summary))
    done = TRUE;
  else
    *why = g_strdup(self->fault);
  if (!done) elf_clear(summary);
  if (self->fd >= 0) close(self->fd);
  g_array_unref(self->needed);
  g_free(self);
  return done;
}

void elf_clear(ElfSummary *self) {
  g_clear_pointer(&self->needed, g_ptr_array_unref);
  *self = (ElfSummary){0};
}
