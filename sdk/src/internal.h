/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the SDK share and nobody else sees. */
#ifndef SDK_INTERNAL_H
#define SDK_INTERNAL_H

#include "device/device.h"
#include <absdk/host.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>

#define AB_FEW_INPUTS 4 /* that a tensor holds itself; more lie in a block */
#define AB_SAVED      4
#define AB_MESSAGE    1024
#define AB_STREAMS    6 /* purposes */

/* ---- memory ---------------------------------------------------------------------------------- */

/* Memory of tensors. Freed blocks wait in the context's lists for the next of their size, so a
 * steady state takes nothing from the system.                                                   */
typedef struct AbStorage {
  void *data;
  size_t bytes; /* capacity */
  int32_t refs;
  int32_t size_class;
  uint32_t version; /* counts assignments: backward checks it */
  bool host;        /* plain memory, for the SDK itself */
  struct AbStorage *next;
} AbStorage;

AbStorage *ab_storage_new(AbContext *ctx, size_t bytes); /* NULL and an error if there is none */
/* The same, in memory of the host: whatever else a recorded operation has to keep. */
AbStorage *ab_host_storage_new(AbContext *ctx, size_t bytes);
void ab_storage_unref(AbContext *ctx, AbStorage *storage);
void ab_memory_clear(AbContext *ctx); /* gives the lists back to the system */

/* A list that grows and is reused; push returns false (and an error) when memory is out. */
typedef struct {
  void **items;
  int64_t count, capacity;
} AbStack;
bool ab_stack_push(AbContext *ctx, AbStack *stack, void *item);

/* ---- tensors --------------------------------------------------------------------------------- */

typedef struct AbOp {
  const char *name;
  /* Adds to the gradients of y's inputs, by ab_accumulate, given the gradient of y. */
  void (*backward)(AbTensor *y, AbTensor *g);
  /* The rule calls kernels that are not recorded: ab_gradients cannot be `differentiable`. */
  bool once;
} AbOp;

struct AbTensor {
  AbContext *ctx;
  AbStorage *storage; /* NULL: shape only */
  int64_t offset;     /* elements */
  AbDtype dtype;
  int32_t rank;
  int64_t shape[AB_MAX_RANK];
  int64_t stride[AB_MAX_RANK]; /* elements */
  int32_t refs;
  bool needs_grad;
  bool has_grad;  /* leaf of a group: `grad` holds a value of this step */
  bool standing;  /* leaf of a group: `grad` is a piece of the group's memory, and stays */
  bool permanent; /* AB_NONE */
  uint64_t id;    /* grows with time: an operation's id is above those of its inputs */

  /* How it came about; op is NULL for leaves. */
  const AbOp *op;
  int32_t input_count;
  AbTensor **inputs;  /* `few`, or in `block` */
  uint32_t *versions; /* of their storages when they were used */
  AbTensor *few[AB_FEW_INPUTS];
  uint32_t few_versions[AB_FEW_INPUTS];
  AbStorage *block;
  AbTensor *saved[AB_SAVED]; /* whatever else the backward rule needs, by ab_ref; NULL to AB_NONE */
  AbStorage *kept;           /* the same, for what is no tensor: of ab_host_storage_new */
  int64_t ints[16];          /* attributes of the operation */
  double reals[4];

  AbStorage *mirror; /* what ab_map gave to be read of a tensor that is not dense; mostly NULL */
  AbTensor *grad;    /* during backward; for leaves, until cleared */
  AbTensor *tied_to; /* a leaf that is a view of another leaf: whose has_grad counts */
  /* What memory it looks at, or would if it were not of a shape only: views have that of their x */
  uint64_t memory; /* the id of the tensor that it was made for */
  int64_t bytes;   /* of all of it */
  bool state;      /* it is that of a weight or a buffer */
  uint64_t walk;   /* of ab_graph_bytes: the last that came here */
  AbTensor *next_free;
};

/* A new tensor of the scope, dense, with memory unless `shape_only`. NULL after an error. */
AbTensor *ab_tensor_new(AbContext *ctx, AbDtype dtype, int32_t rank, const int64_t *shape,
                        bool shape_only);
/* A view in the scope: the same storage, shape and strides of x, to be changed by the caller. */
AbTensor *ab_tensor_view(AbTensor *x);
/* Not owned by any scope: the caller unrefs. */
AbTensor *ab_tensor_new_unowned(AbContext *ctx, AbDtype dtype, int32_t rank, const int64_t *shape,
                                bool shape_only);
bool ab_tensor_dense(const AbTensor *x);
/* Whether the elements of x fill a piece of memory without gaps, in whatever order of the axes. */
bool ab_tensor_packed(const AbTensor *x);
/* A new tensor of this type with the shape of x, and its order in memory where x is packed. */
AbTensor *ab_tensor_like(AbTensor *x, AbDtype dtype, bool shape_only);
/* A new tensor [n, c, spatial ...] whose channels lie next to each other: [n, spatial ..., c] in
 * memory. Convolution and pooling take and give this order.                                     */
AbTensor *ab_channels_last_new(AbContext *ctx, AbDtype dtype, int32_t rank, const int64_t *shape,
                               bool shape_only);
AbTensor *ab_channels_last(AbTensor *x); /* x, or a copy in that order; recorded */
int64_t ab_tensor_count(const AbTensor *x);
AbTensor *ab_dense(AbTensor *x);     /* x, or a dense copy; recorded */
AbTensor *ab_packed(AbTensor *x);    /* x, or a dense copy if it is not packed; recorded */
void *ab_data_of(const AbTensor *x); /* address of the first element */
bool ab_same_shape(const AbTensor *a, const AbTensor *b);
const char *ab_tensor_text(const AbTensor *x, char *buffer, size_t size); /* "f32 [2, 3]" */
/* Whether x can be computed with: not NULL, not AB_NONE, of a real type; else an error. */
bool ab_is_real(const AbTensor *x, const char *operation);

/* Whether a and b are both there (not NULL, not AB_NONE) and of one context; else an error. */
bool ab_belong_together(const char *operation, const AbTensor *a, const AbTensor *b);

/* Bytes of the memory that the recorded graph of y holds, each piece once, but for that of weights
 * and buffers: see ab_step_activations. */
int64_t ab_graph_bytes(AbTensor *y);

/* Notes that y was made from the inputs by op, if anything of it needs a gradient. Returns y. */
AbTensor *ab_record(AbTensor *y, const AbOp *op, AbTensor *const *inputs, int32_t count);
/* The same for a result that may depend on more than its inputs. */
AbTensor *ab_record_always(AbTensor *y, const AbOp *op, AbTensor *const *inputs, int32_t count);
/* Within a backward rule: adds g to the gradient of input i of y (if it needs one). */
void ab_accumulate(AbTensor *y, int32_t i, AbTensor *g);
/* The same for the product a b, which goes straight into the memory of a leaf's gradient. */
void ab_accumulate_product(AbTensor *y, int32_t i, AbTensor *a, AbTensor *b);
/* Within a backward rule that writes the gradient of input i of y by a kernel: where to. The dense
 * memory of a leaf's own gradient if it can be written there (`add`: add to what it holds), else a
 * new tensor. To be handed back by ab_accumulated, once it is filled. NULL if nothing is wanted, or
 * after an error.                                                                                */
AbTensor *ab_gradient_target(AbTensor *y, int32_t i, bool *add);
void ab_accumulated(AbTensor *y, int32_t i, AbTensor *target);
/* Keeps x with y, for y's backward rule: saved[i]. Nothing if y was not recorded. */
void ab_save(AbTensor *y, int32_t i, AbTensor *x);
/* The same for a rule that adds to a part of the gradient: all of it, zeros at first; it is to be
 * changed in place. NULL if nothing is wanted, or after an error.                                */
AbTensor *ab_gradient_in_place(AbTensor *y, int32_t i);
/* A backward pass within a rule: runs the rules of y, given its gradient, and of what it was made
 * from since the context's next id was `first_id`. For rules that repeat a piece of the forward
 * pass.                                                                                          */
void ab_backward_from(AbTensor *y, AbTensor *g, uint64_t first_id);
bool ab_wants(const AbTensor *y, int32_t i); /* whether input i of y needs a gradient */
/* Sums g down to the shape of input i of y: the backward of broadcasting. */
AbTensor *ab_sum_to(AbTensor *g, const AbTensor *like);
/* A loop over the shape of y with strides of its operands (NULL: none), merged as far as they
 * allow. */
AbLoop ab_loop(const AbTensor *y, const AbTensor *a, const AbTensor *b);
AbLoop ab_loop3(const AbTensor *y, const AbTensor *a, const AbTensor *b, const AbTensor *c);
/* The common shape of a and b; an error if there is none. */
bool ab_broadcast(const char *operation, const AbTensor *a, const AbTensor *b, AbShape *shape);
AbTensor *ab_binary(const AbOp *op, AbBinary f, AbTensor *a, AbTensor *b); /* recorded under op */
AbTensor *ab_unary(const AbOp *op, AbUnary f, AbTensor *x);                /* the same */
/* The same for kernels with numbers (unary_by, binary_by), which y->reals then holds for unary_by.
 */
AbTensor *ab_unary_by(const AbOp *op, AbUnary f, AbTensor *x, double a, double b);
AbTensor *ab_binary_by(const AbOp *op, AbBinary f, AbTensor *a, AbTensor *b, double p, double q);
/* Within a backward rule: ab_accumulate of g, summed down to the shape of input i of y. */
void ab_give(AbTensor *y, int32_t i, AbTensor *g);
/* Gives a new y the order in memory of an operand of its shape, a's before b's. */
void ab_follow(AbTensor *y, const AbTensor *a, const AbTensor *b);
/* Whether the derivative of an activation can be had from its result (ab_activation_gradient), so
 * that an operation with an activation built in needs to keep nothing else.                      */
bool ab_activation_by_result(AbActivation f);
bool ab_activation_exists(AbActivation f, AbContext *ctx); /* else an error */
/* Numbers of the next draw; p are the probabilities of K_BERNOULLI. */
AbTensor *ab_drawn(AbContext *ctx, AbRandomKind kind, AbDtype dtype, AbShape shape, double a,
                   double b, AbTensor *p);
/* Two real operands of one context and one type; else an error. */
bool ab_fit(const char *operation, const AbTensor *a, const AbTensor *b);
/* Makes a negative axis count from the end; an error if there is none. */
bool ab_axis(const char *operation, const AbTensor *x, int32_t *axis);
extern const AbOp ab_reshape_op;
/* The gradient g of an activation with result y, as a recorded operation of (g, y). */
AbTensor *ab_activation_gradient(AbActivation f, AbTensor *g, AbTensor *y);
/* x where y was recorded as sigmoid(x), or a reshape of that; else NULL. */
AbTensor *ab_sigmoid_argument(AbTensor *y);
/* ints[] of a leaf of ab_update_unclipped: what clipping asks for is in reals[0], reals[1]. */
#define AB_CLIP_PENDING 15
void ab_multiply(AbTensor *c, const AbTensor *a, const AbTensor *b, double beta); /* kernel call */

/* The draws of a piece of the graph, so that it can be run again on the same random numbers. */
typedef struct AbDrawLog {
  const AbDraw *draws;
  AbStorage *block; /* that holds them while they are noted */
  int64_t count;
  int64_t replayed; /* -1: the draws are being noted; else how many have been given out again */
  struct AbDrawLog *outer;
} AbDrawLog;

/* ---- context --------------------------------------------------------------------------------- */

#define AB_SIZE_CLASSES 400

struct AbContext {
  const AbDevice *device;
  AbDtype real;
  uint64_t seed;

  pthread_mutex_t lock; /* of the error */
  AbCode code;
  atomic_bool failed;
  char message[AB_MESSAGE];

  AbStack owned;                  /* tensors of all open scopes */
  AbStack heap;                   /* of backward */
  AbTensor *free_tensors, *dying; /* lists by next_free */
  AbStorage *free_storage[AB_SIZE_CLASSES];
  AbStorage *free_host[AB_SIZE_CLASSES];
  AbStorage *free_headers;
  int64_t bytes, allocations;
  uint64_t next_id;

  bool recording;
  bool differentiable;  /* backward records its own operations */
  uint64_t nested_from; /* first id of the pass within a rule that is at work; 0: there is none */
  bool shape_only;      /* dry run: weights have no memory */
  int64_t multiply_adds;
  /* ab_watch */
  void (*watch)(void *data, const AbOperation *operation);
  void *watch_data;
  int64_t watched;         /* of multiply_adds: those that have been told */
  const char *custom_name; /* of the custom operation that is being recorded */
  uint64_t walks;          /* of ab_graph_bytes, so far */
  /* ab_gradients: only these leaves receive anything */
  AbTensor *const *targets;
  int32_t target_count;

  bool training;
  AbPurpose purpose;
  int64_t step;
  int64_t begun[AB_STREAMS]; /* steps begun, by purpose: each starts the streams anew */

  AbDrawLog *logs;      /* of the checkpoints at work, innermost first; NULL: none */
  AbInstance *current;  /* the component at work */
  const AbBatch *batch; /* the batch at hand, for ab_given */
  AbStack parts;        /* AbPart * */
  int64_t part_count;
  const AbStoreService *store;
};

void ab_error_v(AbContext *ctx, const AbInstance *self, AbCode code, const char *format,
                va_list arguments);
/* Makes `self` the component at work; returns the one before, for ab_leave. */
AbInstance *ab_enter(AbInstance *self);
void ab_leave(AbContext *ctx, AbInstance *before);
/* The random numbers of the next call of the component at work. */
AbDraw ab_next_draw(AbContext *ctx);
uint64_t ab_hash(uint64_t seed, const char *text);
uint64_t ab_key(const AbContext *ctx, const char *path, AbPurpose purpose);

/* The first field of every kind's table is its size: a table of an older plugin is shorter. */
#define AB_OFFERS(vtable, Type, field) \
  ((vtable)->struct_size >= offsetof(Type, field) + sizeof((vtable)->field) && (vtable)->field)

/* ---- instances ------------------------------------------------------------------------------- */

typedef struct {
  char *name; /* short */
  char *path; /* full */
  char *axes;
  AbTensor *tensor;
  bool weight, tied, frozen;
} AbStateEntry;

typedef struct {
  char *name;
  AbTensor *weight;
  bool transposed;
} AbTie;

struct AbInstanceState {
  AbContext *ctx;
  char *path;
  char *file;
  AbStack memory;  /* of ab_alloc */
  AbStack entries; /* AbStateEntry * */
  AbStack ties;    /* AbTie * */
  /* random streams */
  uint64_t keys[AB_STREAMS];
  int64_t begun[AB_STREAMS];
  uint32_t calls[AB_STREAMS];
  /* models */
  bool built;
  AbSignature signature;
  AbRange ranges[AB_ROLE_COUNT]; /* of what a role gives: ab_output_range */
  /* data */
  struct AbDataState *data;
  struct AbEnvironmentState *environment;
};

void ab_data_state_free(AbInstance *self);
char *ab_text_copy(const char *text); /* NULL if there is no memory */
/* Calls `visit` for self and everything in its slots, parents first. */
void ab_walk(AbInstance *self, void (*visit)(AbInstance *self, void *data), void *data);
AbTensor *ab_batch_find(const AbBatch *batch, const char *name); /* NULL without an error */

#endif
