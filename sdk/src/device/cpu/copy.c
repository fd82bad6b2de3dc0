/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling and copying on the cpu device. A copy within one type moves elements of 1, 4 or 8 bytes:
 * flat, by rows, or as transpositions in blocks of 16 x 16. Strides may be negative.            */
#include "cpu.h"
#include <omp.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define CHEAP 65536 /* elements from which a second thread pays: memory-bound loops */
#define BLOCK 16

/* Cuts [0, n) evenly among the threads if there is `work` enough for them. */
static void in_parts(int64_t n, int64_t work, CpuRange range, void *job) {
  if (work < CHEAP || n < 2 || omp_get_max_threads() == 1 || omp_get_level() > 0) {
    if (n > 0) range(0, n, job);
    return;
  }
#pragma omp parallel
  {
    int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
    int64_t each = n / threads, more = n % threads;
    int64_t from = me * each + (me < more ? me : more), to = from + each + (me < more);
    if (from < to) range(from, to, job);
  }
}

/* ---- filling --------------------------------------------------------------------------------- */

typedef struct {
  size_t size;
  void *y;
  union {
    uint8_t b1;
    uint32_t b4;
    uint64_t b8;
  } value;
} FillJob;

CLONES static void fill_range(int64_t from, int64_t to, void *job) {
  const FillJob *j = job;
  if (j->size == 1) {
    memset((uint8_t *)j->y + from, j->value.b1, (size_t)(to - from));
  } else if (j->size == 4) {
    uint32_t *y = j->y, value = j->value.b4;
    for (int64_t i = from; i < to; i++) y[i] = value;
  } else {
    uint64_t *y = j->y, value = j->value.b8;
    for (int64_t i = from; i < to; i++) y[i] = value;
  }
}

void cpu_fill(AbDtype dtype, int64_t n, void *y, double value) {
  FillJob job = {.size = ab_dtype_size(dtype), .y = y};
  ab_device_reference.fill(dtype, 1, &job.value, value);
  in_parts(n, n, fill_range, &job);
}

/* ---- moving elements of one size ------------------------------------------------------------- */

#define MOVERS(T)                                                                         \
  static inline void row_##T(int64_t n, T *y, int64_t sy, const T *x, int64_t sx) {       \
    if (sy == 1 && sx == 1 && n >= 64)                                                    \
      memcpy(y, x, (size_t)n * sizeof *y);                                                \
    else if (sy == 1 && sx == 1)                                                          \
      for (int64_t i = 0; i < n; i++) y[i] = x[i];                                        \
    else if (sy == 1 && sx == 0)                                                          \
      for (int64_t i = 0; i < n; i++) y[i] = *x;                                          \
    else                                                                                  \
      for (int64_t i = 0; i < n; i++) y[i * sy] = x[i * sx];                              \
  }                                                                                       \
  /* y [rows, cols], rows apart by sy := x whose columns are apart by sx */               \
  CLONES static void transpose_##T(int64_t rows, int64_t cols, T *restrict y, int64_t sy, \
                                   const T *restrict x, int64_t sx) {                     \
    for (int64_t j0 = 0; j0 < cols; j0 += BLOCK) {                                        \
      int64_t wide = cols - j0 < BLOCK ? cols - j0 : BLOCK;                               \
      if (rows == BLOCK && wide == BLOCK)                                                 \
        for (int64_t i = 0; i < BLOCK; i++)                                               \
          for (int64_t j = 0; j < BLOCK; j++) y[i * sy + j0 + j] = x[i + (j0 + j) * sx];  \
      else                                                                                \
        for (int64_t i = 0; i < rows; i++)                                                \
          for (int64_t j = j0; j < j0 + wide; j++) y[i * sy + j] = x[i + j * sx];         \
    }                                                                                     \
  }
MOVERS(uint8_t)
MOVERS(uint32_t)
MOVERS(uint64_t)

#if defined(__x86_64__)
/* y [8, 8] := x turned, eight rows in registers: pairs, fours, halves. */
__attribute__((target("avx2"))) static void turn_eight(float *y, int64_t sy, const float *x,
                                                       int64_t sx) {
  __m256 r[8], t[8];
  for (int k = 0; k < 8; k++) r[k] = _mm256_loadu_ps(x + k * sx);
  for (int k = 0; k < 8; k += 2) {
    t[k] = _mm256_unpacklo_ps(r[k], r[k + 1]);
    t[k + 1] = _mm256_unpackhi_ps(r[k], r[k + 1]);
  }
  for (int k = 0; k < 8; k += 4) {
    r[k] = _mm256_shuffle_ps(t[k], t[k + 2], 0x44);
    r[k + 1] = _mm256_shuffle_ps(t[k], t[k + 2], 0xee);
    r[k + 2] = _mm256_shuffle_ps(t[k + 1], t[k + 3], 0x44);
    r[k + 3] = _mm256_shuffle_ps(t[k + 1], t[k + 3], 0xee);
  }
  for (int k = 0; k < 4; k++) {
    _mm256_storeu_ps(y + k * sy, _mm256_permute2f128_ps(r[k], r[k + 4], 0x20));
    _mm256_storeu_ps(y + (k + 4) * sy, _mm256_permute2f128_ps(r[k], r[k + 4], 0x31));
  }
}
#endif

/* The columns of a whole block that are turned eight at a time; 0 where there is no AVX2. */
static int64_t turn_block(int64_t rows, int64_t cols, void *y, int64_t sy, const void *x,
                          int64_t sx) {
#if defined(__x86_64__)
  if (rows != BLOCK || cols < 8 || !__builtin_cpu_supports("avx2")) return 0;
  int64_t j = 0;
  for (; j + 8 <= cols; j += 8)
    for (int64_t i = 0; i < BLOCK; i += 8)
      turn_eight((float *)y + i * sy + j, sy, (const float *)x + i + j * sx, sx);
  return j;
#else
  (void)rows, (void)cols, (void)y, (void)sy, (void)x, (void)sx;
  return 0;
#endif
}

typedef struct {
  AbLoop loop; /* of the rows: without the axes within */
  size_t size;
  void *y;
  const void *x;
  int64_t n, sy, sx;    /* of a row */
  int64_t turned;       /* transpositions: extent of the axis that is dense in x, else 0 */
  int64_t step, blocks; /* its stride in y; blocks in it */
  AbDtype to, from;
} CopyJob;

static void locate(const AbLoop *loop, int64_t row, int64_t *index, int64_t *y, int64_t *x) {
  *y = *x = 0;
  for (int32_t i = loop->rank - 1; i >= 0; i--) {
    index[i] = row % loop->shape[i];
    row /= loop->shape[i];
    *y += index[i] * loop->stride[0][i];
    *x += index[i] * loop->stride[1][i];
  }
}

static inline void advance(const AbLoop *loop, int64_t *index, int64_t *y, int64_t *x) {
  for (int32_t i = loop->rank - 1; i >= 0; i--) {
    *y += loop->stride[0][i];
    *x += loop->stride[1][i];
    if (++index[i] < loop->shape[i]) return;
    *y -= loop->stride[0][i] * loop->shape[i];
    *x -= loop->stride[1][i] * loop->shape[i];
    index[i] = 0;
  }
}

#define ROWS(T)                                             \
  for (int64_t r = from; r < to; r++) {                     \
    row_##T(n, (T *)j->y + y, sy, (const T *)j->x + x, sx); \
    advance(&j->loop, index, &y, &x);                       \
  }

CLONES static void move_rows(int64_t from, int64_t to, void *job) {
  const CopyJob *j = job;
  int64_t index[AB_MAX_RANK], y, x, n = j->n, sy = j->sy, sx = j->sx;
  locate(&j->loop, from, index, &y, &x);
  if (j->size == 1) {
    ROWS(uint8_t)
  } else if (j->size == 4) {
    ROWS(uint32_t)
  } else {
    ROWS(uint64_t)
  }
}

static void move_part(int64_t from, int64_t to, void *job) {
  const CopyJob *j = job;
  int64_t y = from * j->sy, x = from * j->sx, n = to - from;
  if (j->size == 1)
    row_uint8_t(n, (uint8_t *)j->y + y, j->sy, (const uint8_t *)j->x + x, j->sx);
  else if (j->size == 4)
    row_uint32_t(n, (uint32_t *)j->y + y, j->sy, (const uint32_t *)j->x + x, j->sx);
  else
    row_uint64_t(n, (uint64_t *)j->y + y, j->sy, (const uint64_t *)j->x + x, j->sx);
}

static void move_blocks(int64_t from, int64_t to, void *job) {
  const CopyJob *j = job;
  for (int64_t item = from; item < to; item++) {
    int64_t index[AB_MAX_RANK], y, x, first = item % j->blocks * BLOCK;
    locate(&j->loop, item / j->blocks, index, &y, &x);
    int64_t rows = j->turned - first < BLOCK ? j->turned - first : BLOCK;
    y += first * j->step;
    x += first;
    if (j->size == 1) {
      transpose_uint8_t(rows, j->n, (uint8_t *)j->y + y, j->step, (const uint8_t *)j->x + x, j->sx);
    } else if (j->size == 4) {
      uint32_t *place = (uint32_t *)j->y + y;
      const uint32_t *source = (const uint32_t *)j->x + x;
      int64_t done = turn_block(rows, j->n, place, j->step, source, j->sx);
      transpose_uint32_t(rows, j->n - done, place + done, j->step, source + done * j->sx, j->sx);
    } else {
      transpose_uint64_t(rows, j->n, (uint64_t *)j->y + y, j->step, (const uint64_t *)j->x + x,
                         j->sx);
    }
  }
}

/* Takes axis i out of the loop of rows. */
static void take_axis(AbLoop *loop, int32_t axis) {
  loop->rank--;
  for (int32_t i = axis; i < loop->rank; i++) {
    loop->shape[i] = loop->shape[i + 1];
    for (int k = 0; k < 2; k++) loop->stride[k][i] = loop->stride[k][i + 1];
  }
}

static int64_t count_of(const AbLoop *loop) {
  int64_t count = 1;
  for (int32_t i = 0; i < loop->rank; i++) count *= loop->shape[i];
  return count;
}

/* The axis along which x is dense though y is not; -1 if there is none. */
static int32_t turned_axis(const AbLoop *loop) {
  int32_t last = loop->rank - 1;
  if (loop->stride[0][last] != 1 || loop->stride[1][last] == 1 || loop->stride[1][last] == 0)
    return -1;
  for (int32_t i = 0; i < last; i++)
    if (loop->stride[1][i] == 1) return i;
  return -1;
}

static CopyJob job_of(const AbLoop *loop, void *y, const void *x) {
  int32_t last = loop->rank - 1;
  CopyJob job = {.loop = *loop,
                 .y = y,
                 .x = x,
                 .n = loop->shape[last],
                 .sy = loop->stride[0][last],
                 .sx = loop->stride[1][last]};
  job.loop.rank--;
  return job;
}

static void move(const AbLoop *loop, size_t size, void *y, const void *x) {
  int64_t count = count_of(loop);
  CopyJob job = job_of(loop, y, x);
  job.size = size;
  int32_t axis = turned_axis(loop);
  if (loop->rank == 1) {
    in_parts(job.n, count, move_part, &job);
  } else if (axis < 0) {
    in_parts(count / job.n, count, move_rows, &job);
  } else {
    job.turned = loop->shape[axis];
    job.step = loop->stride[0][axis];
    job.blocks = (job.turned + BLOCK - 1) / BLOCK;
    take_axis(&job.loop, axis);
    in_parts(count_of(&job.loop) * job.blocks, count, move_blocks, &job);
  }
}

/* ---- other types to real ones ---------------------------------------------------------------- */

#define CONVERT_ROW(To, From)                                              \
  {                                                                        \
    To *to = (To *)j->y + y;                                               \
    const From *from = (const From *)j->x + x;                             \
    if (j->sy == 1 && j->sx == 1)                                          \
      for (int64_t i = 0; i < n; i++) to[i] = (To)from[i];                 \
    else                                                                   \
      for (int64_t i = 0; i < n; i++) to[i * j->sy] = (To)from[i * j->sx]; \
    return;                                                                \
  }

CLONES static void convert_row(const CopyJob *j, int64_t n, int64_t y, int64_t x) {
  if (j->to == AB_F32) {
    switch (j->from) {
    case AB_F64: CONVERT_ROW(float, double)
    case AB_I32: CONVERT_ROW(float, int32_t)
    case AB_I64: CONVERT_ROW(float, int64_t)
    default: CONVERT_ROW(float, uint8_t)
    }
  }
  switch (j->from) {
  case AB_F32: CONVERT_ROW(double, float)
  case AB_I32: CONVERT_ROW(double, int32_t)
  case AB_I64: CONVERT_ROW(double, int64_t)
  default: CONVERT_ROW(double, uint8_t)
  }
}

static void convert_part(int64_t from, int64_t to, void *job) {
  const CopyJob *j = job;
  convert_row(j, to - from, from * j->sy, from * j->sx);
}

static void convert_rows(int64_t from, int64_t to, void *job) {
  const CopyJob *j = job;
  int64_t index[AB_MAX_RANK], y, x;
  locate(&j->loop, from, index, &y, &x);
  for (int64_t r = from; r < to; r++) {
    convert_row(j, j->n, y, x);
    advance(&j->loop, index, &y, &x);
  }
}

void cpu_copy(const AbLoop *loop, AbDtype to, void *y, AbDtype from, const void *x) {
  int64_t count = count_of(loop);
  if (count == 0) return;
  if (loop->rank == 0 || (to != from && to != AB_F32 && to != AB_F64)) {
    ab_device_reference.copy(loop, to, y, from, x);
  } else if (to == from) {
    move(loop, ab_dtype_size(to), y, x);
  } else {
    CopyJob job = job_of(loop, y, x);
    job.to = to;
    job.from = from;
    if (loop->rank == 1)
      in_parts(job.n, count, convert_part, &job);
    else
      in_parts(count / job.n, count, convert_rows, &job);
  }
}
