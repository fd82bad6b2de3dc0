/* SPDX-License-Identifier: Apache-2.0
 *
 * Components: what a plugin offers. A plugin exports one data symbol, `ab_plugin` (AB_PLUGIN). It
 * lists components; each has a kind, a name, a table of parameters, a table of slots (child
 * components), and the table of functions of its kind. All of it is read without running a line of
 * the plugin's code.                                                                            */
#ifndef ABSDK_COMPONENT_H
#define ABSDK_COMPONENT_H

#include "tensor.h"

AB_BEGIN_DECLS

/* Kinds. The values are frozen. */
typedef int32_t AbKind;
enum {
  AB_KIND_DATA = 1,
  AB_KIND_NOISE = 2,
  AB_KIND_MODEL = 3,
  AB_KIND_LOSS = 4,
  AB_KIND_REGULARIZER = 5,
  AB_KIND_CONTROLLER = 6,
  AB_KIND_OPTIMIZER = 7,
  AB_KIND_SCHEDULE = 8,
  AB_KIND_METRIC = 9,
  AB_KIND_ENVIRONMENT = 10,
  AB_KIND_COUNT = 11,
};
AB_EXPORT const char *ab_kind_name(AbKind kind); /* "model"; NULL for no kind */

/* Roles: what makes two models functionally equivalent. n is the batch; the values are frozen.
 *   reconstruct  x [n, ...] -> the same shape, in data space      encode   x -> code [n, ...]
 *   decode       code -> x                                        predict  x -> what comes next
 *   classify     x -> [n, classes], log-probabilities up to a constant per row
 *   generate     count -> x [count, ...]
 *   score        x -> [n]; higher = less like the training data
 *   act          observation -> one value per action              cluster  x -> [n, clusters] */
typedef int32_t AbRole;
enum {
  AB_ROLE_NONE = 0,
  AB_ROLE_RECONSTRUCT = 1,
  AB_ROLE_ENCODE = 2,
  AB_ROLE_DECODE = 3,
  AB_ROLE_GENERATE = 4,
  AB_ROLE_CLASSIFY = 5,
  AB_ROLE_PREDICT = 6,
  AB_ROLE_SCORE = 7,
  AB_ROLE_ACT = 8,
  AB_ROLE_CLUSTER = 9,
  AB_ROLE_COUNT = 10,
};
AB_EXPORT const char *ab_role_name(AbRole role); /* "encode"; NULL for no role */
#define AB_ROLE_BIT(role) (UINT32_C(1) << (role))
#define AB_ANY_ROLE       UINT32_C(0xffffffff)

/* What one sample is: its shape without the batch axis, its type and the range of its values. */
typedef int32_t AbRange;
enum {
  AB_RANGE_REAL = 0,   /* any finite number            */
  AB_RANGE_UNIT = 1,   /* 0 to 1                       */
  AB_RANGE_BINARY = 2, /* 0 or 1                       */
  AB_RANGE_CLASS = 3,  /* an integer 0 to classes - 1  */
};
typedef struct {
  int32_t rank; /* -1: not given */
  AbDtype dtype;
  int64_t shape[AB_MAX_RANK];
  AbRange range;
  int32_t reserved;
  int64_t classes; /* of AB_RANGE_CLASS, and where logits of such are wanted; else 0 */
} AbSpec;
AB_EXPORT int64_t ab_spec_count(const AbSpec *spec); /* elements of one sample */
AB_EXPORT AbShape ab_spec_shape(const AbSpec *spec); /* of one sample; of one not given: rank 0 */
AB_EXPORT bool ab_spec_is_unit(const AbSpec *spec);  /* whether its values are from 0 to 1 */

/* ---- parameters ------------------------------------------------------------------------------ */

typedef int32_t AbParamType;
enum {
  AB_TYPE_INT = 1,     /* int64_t                                              */
  AB_TYPE_REAL = 2,    /* double                                               */
  AB_TYPE_BOOL = 3,    /* bool                                                 */
  AB_TYPE_CHOICE = 4,  /* int64_t, an index into `choices`                     */
  AB_TYPE_TEXT = 5,    /* const char *                                         */
  AB_TYPE_PATH = 6,    /* const char *, absolute                               */
  AB_TYPE_INTS = 7,    /* AbInts                                               */
  AB_TYPE_REALS = 8,   /* AbReals                                              */
  AB_TYPE_TEXTS = 9,   /* AbTexts                                              */
  AB_TYPE_RECORDS = 10 /* AbRecords: a list of mappings, `record` their table  */
};
typedef struct {
  int64_t count;
  const int64_t *items;
} AbInts;
typedef struct {
  int64_t count;
  const double *items;
} AbReals;
typedef struct {
  int64_t count;
  const char *const *items;
} AbTexts;
typedef struct {
  int64_t count;
  const void *items; /* count structs of `record_size` bytes */
} AbRecords;

enum {
  AB_PARAM_REQUIRED = 1, /* has no default: the manifest must give it */
};

/* One parameter: the field that it binds, and all that a reader of the manifest needs to know. A
 * flat row without unions; made by the macros below, which check the size of the field.          */
typedef struct AbParam {
  const char *key;
  AbParamType type;
  uint32_t flags;
  uint64_t offset;                       /* of the field in the instance (or record) */
  int64_t int_default, int_min, int_max; /* AB_TYPE_INT; min and max also of each of AB_TYPE_INTS */
  double real_default, real_min, real_max; /* likewise for reals; bounds are inclusive            */
  const char *text_default; /* texts, paths, choices; for lists YAML in flow style; NULL: absent  */
  const char *const *choices; /* NULL-terminated */
  const struct AbParam *record;
  uint32_t record_count, record_size;
  const char *unit; /* "" for a pure number */
  const char *doc;
  const char *since; /* version of the plugin that brought it */
} AbParam;

/* The offset of a field, with a check of its size at compile time. */
#define AB_FIELD(Type, field, CType) \
  (offsetof(Type, field) + 0 * sizeof(char[sizeof(((Type *)0)->field) == sizeof(CType) ? 1 : -1]))

#define AB_PARAM_INT(Type, field, preset, min, max, units, text)                             \
  {                                                                                          \
    .key = #field, .type = AB_TYPE_INT, .offset = AB_FIELD(Type, field, int64_t),            \
    .int_default = (preset), .int_min = (min), .int_max = (max), .unit = units, .doc = text, \
    .since = "0.1"                                                                           \
  }
#define AB_PARAM_REAL(Type, field, preset, min, max, units, text)                               \
  {                                                                                             \
    .key = #field, .type = AB_TYPE_REAL, .offset = AB_FIELD(Type, field, double),               \
    .real_default = (preset), .real_min = (min), .real_max = (max), .unit = units, .doc = text, \
    .since = "0.1"                                                                              \
  }
#define AB_PARAM_BOOL(Type, field, preset, text)                                   \
  {                                                                                \
    .key = #field, .type = AB_TYPE_BOOL, .offset = AB_FIELD(Type, field, bool),    \
    .int_default = (preset), .int_max = 1, .unit = "", .doc = text, .since = "0.1" \
  }
#define AB_PARAM_CHOICE(Type, field, preset, names, text)                             \
  {                                                                                   \
    .key = #field, .type = AB_TYPE_CHOICE, .offset = AB_FIELD(Type, field, int64_t),  \
    .text_default = preset, .choices = names, .unit = "", .doc = text, .since = "0.1" \
  }
/* `preset` may be NULL: the field is then NULL unless the manifest gives it. */
#define AB_PARAM_TEXT(Type, field, preset, text)                                        \
  {                                                                                     \
    .key = #field, .type = AB_TYPE_TEXT, .offset = AB_FIELD(Type, field, const char *), \
    .text_default = preset, .unit = "", .doc = text, .since = "0.1"                     \
  }
#define AB_PARAM_PATH(Type, field, preset, text)                                        \
  {                                                                                     \
    .key = #field, .type = AB_TYPE_PATH, .offset = AB_FIELD(Type, field, const char *), \
    .text_default = preset, .unit = "", .doc = text, .since = "0.1"                     \
  }
#define AB_PARAM_INTS(Type, field, preset, min, max, units, text)                           \
  {                                                                                         \
    .key = #field, .type = AB_TYPE_INTS, .offset = AB_FIELD(Type, field, AbInts),           \
    .text_default = preset, .int_min = (min), .int_max = (max), .unit = units, .doc = text, \
    .since = "0.1"                                                                          \
  }
#define AB_PARAM_REALS(Type, field, preset, min, max, units, text)                            \
  {                                                                                           \
    .key = #field, .type = AB_TYPE_REALS, .offset = AB_FIELD(Type, field, AbReals),           \
    .text_default = preset, .real_min = (min), .real_max = (max), .unit = units, .doc = text, \
    .since = "0.1"                                                                            \
  }
#define AB_PARAM_TEXTS(Type, field, preset, text)                                   \
  {                                                                                 \
    .key = #field, .type = AB_TYPE_TEXTS, .offset = AB_FIELD(Type, field, AbTexts), \
    .text_default = preset, .unit = "", .doc = text, .since = "0.1"                 \
  }
/* A path that the manifest must give. */
#define AB_PARAM_PATH_REQUIRED(Type, field, text)                                          \
  {                                                                                        \
    .key = #field, .type = AB_TYPE_PATH, .flags = AB_PARAM_REQUIRED,                       \
    .offset = AB_FIELD(Type, field, const char *), .unit = "", .doc = text, .since = "0.1" \
  }

/* ---- slots ----------------------------------------------------------------------------------- */

typedef int32_t AbArity;
enum {
  AB_REQUIRED = 1, /* field: AbInstance *                  */
  AB_OPTIONAL = 2, /* field: AbInstance *, NULL if absent  */
  AB_MANY = 3,     /* field: AbChildren                    */
};
typedef struct {
  int64_t count;
  AbInstance *const *items;
} AbChildren;
typedef struct {
  const char *key;
  AbKind kind;
  AbRole role; /* that a model must offer; AB_ROLE_NONE for other kinds or any role */
  AbArity arity;
  uint32_t reserved;
  uint64_t offset;
  const char *doc;
  const char *example; /* what may be in it, as YAML, for `abhost inspect`; NULL: whatever fits */
} AbSlot;
#define AB_SLOT(Type, field, of_kind, with_role, how_many, text) \
  AB_SLOT_LIKE(Type, field, of_kind, with_role, how_many, NULL, text)
/* With an example: where not everything that has the role goes together. */
#define AB_SLOT_LIKE(Type, field, of_kind, with_role, how_many, yaml, text) \
  { #field, of_kind, with_role, how_many, 0, offsetof(Type, field), text, yaml }

/* ---- component and plugin -------------------------------------------------------------------- */

typedef struct {
  uint32_t struct_size;
  AbKind kind;
  const char *name;     /* lower case, digits, hyphens; unique within the kind */
  const char *doc;      /* one line */
  const char *citation; /* "" where there is none */
  uint64_t instance_size;
  const AbParam *params;
  const AbSlot *slots;
  uint32_t param_count, param_stride;
  uint32_t slot_count, slot_stride;
  /* Roles of the problem for which a manifest that names none of this kind gets this one. */
  uint32_t default_for;
  uint32_t flags;
  const void *vtable; /* AbModelVtable, AbDataVtable, ... by kind */
} AbComponent;
#define AB_COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define AB_PARAMS(table) \
  .params = table, .param_count = AB_COUNT(table), .param_stride = sizeof(AbParam)
#define AB_SLOTS(table) .slots = table, .slot_count = AB_COUNT(table), .slot_stride = sizeof(AbSlot)

#define AB_PLUGIN_MAGIC UINT32_C(0x4C504241) /* "ABPL" */
#define AB_ABI_MAJOR    0
#define AB_ABI_MINOR    1
typedef struct {
  uint32_t magic;
  uint32_t struct_size;
  uint32_t abi_major, abi_minor;
  const char *fingerprint; /* of the headers it was compiled with */
  const char *id;          /* "org.example.my-model": its identity */
  const char *version;
  const char *licence; /* SPDX */
  const AbComponent *const *components;
  uint32_t component_count;
  uint32_t reserved;
  const int32_t *sdk; /* &ab_sdk: so that every plugin needs libabsdk, and the linker records it */
} AbPlugin;
AB_EXPORT extern const int32_t ab_sdk;

#include <absdk/fingerprint.h> /* AB_FINGERPRINT: made from these headers when the SDK is built */

/* AB_PLUGIN("org.example.rbm", "0.1", "Apache-2.0", &rbm) -- once per shared object. */
#define AB_PLUGIN(plugin_id, plugin_version, plugin_licence, ...)         \
  static const AbComponent *const ab_plugin_components[] = {__VA_ARGS__}; \
  AB_EXPORT extern const AbPlugin ab_plugin;                              \
  const AbPlugin ab_plugin = {AB_PLUGIN_MAGIC,                            \
                              sizeof(AbPlugin),                           \
                              AB_ABI_MAJOR,                               \
                              AB_ABI_MINOR,                               \
                              AB_FINGERPRINT,                             \
                              plugin_id,                                  \
                              plugin_version,                             \
                              plugin_licence,                             \
                              ab_plugin_components,                       \
                              AB_COUNT(ab_plugin_components),             \
                              0,                                          \
                              &ab_sdk};

/* ---- instances -------------------------------------------------------------------------------
 * The head of every instance struct: `typedef struct { AbModel base; int64_t hidden; } Rbm;`. Small
 * and frozen; the SDK keeps what it knows behind the handle.                                    */
struct AbInstance {
  struct AbInstanceState *state;
  const AbComponent *component;
};
/* One type, named by what it stands for. */
typedef struct AbInstance AbData;
typedef struct AbInstance AbNoise;
typedef struct AbInstance AbModel;
typedef struct AbInstance AbLoss;
typedef struct AbInstance AbRegularizer;
typedef struct AbInstance AbController;
typedef struct AbInstance AbOptimizer;
typedef struct AbInstance AbSchedule;
typedef struct AbInstance AbMetric;
typedef struct AbInstance AbEnvironment;

AB_EXPORT AbContext *ab_context(const AbInstance *self);
AB_EXPORT const char *ab_path(const AbInstance *self); /* "model/encoder" */
/* How --set names a parameter of the instance ("data.of.folder"), for messages. Lives as long as
 * the instance; the bare name where there is no memory. */
AB_EXPORT const char *ab_setting(AbInstance *self, const char *parameter);
/* The children in a slot of an instance, of whatever component: none where it has no such slot or
 * nothing is in it. What a controller needs to reach the layers of a model. They live as long as
 * the instance. */
AB_EXPORT AbChildren ab_children(AbInstance *self, const char *slot);
/* Memory that lives as long as the instance, zeroed; NULL (and an error) if there is none. */
AB_EXPORT void *ab_alloc(AbInstance *self, size_t size);
/* The full name of a file that the plugin brings along, beside its shared object. Lives as long as
 * the instance.                                                                                 */
AB_EXPORT const char *ab_plugin_file(AbInstance *self, const char *name);

/* A weight: learned, saved, updated by the optimizer. To be called from `build`. Names are unique
 * within an instance. `axes` names the axes, separated by spaces ("visible hidden"). Borrowed;
 * lives as long as the instance. */
typedef int32_t AbInitKind;
enum {
  AB_INIT_CONSTANT = 1,            /* a                                                       */
  AB_INIT_UNIFORM = 2,             /* in [-a, a)                                              */
  AB_INIT_NORMAL = 3,              /* standard deviation a                                    */
  AB_INIT_XAVIER_UNIFORM = 4,      /* a * sqrt(6 / (in + out)), Glorot & Bengio 2010          */
  AB_INIT_XAVIER_NORMAL = 5,       /* a * sqrt(2 / (in + out))                                */
  AB_INIT_KAIMING_UNIFORM = 6,     /* a * sqrt(3 / in), He et al. 2015; a = sqrt(2) for ReLU  */
  AB_INIT_KAIMING_NORMAL = 7,      /* a / sqrt(in)                                            */
  AB_INIT_KAIMING_UNIFORM_OUT = 8, /* a * sqrt(3 / out)                                       */
  AB_INIT_KAIMING_NORMAL_OUT = 9,  /* a / sqrt(out)                                           */
  AB_INIT_LECUN_UNIFORM = 10,      /* a * sqrt(3 / in), LeCun et al. 1998 with a = 1          */
  AB_INIT_LECUN_NORMAL = 11,       /* a / sqrt(in)                                            */
  AB_INIT_ORTHOGONAL = 12,         /* a times rows or columns that are orthonormal, Saxe,
                                      McClelland, Ganguli 2013; rank 2 or more: the first axis
                                      against the others                                      */
  AB_INIT_TRUNCATED_NORMAL = 13,   /* normal of deviation a, drawn anew outside [-2a, 2a]     */
};
/* `in` and `out` are the axes of a matrix [in, out]; of a convolution's weight [out, in, k ...]
 * they are its first two axes, each times the product of the others (of the elements of a filter).
 * Of a vector both are its length. The numbers depend on the seed and the path of the weight; they
 * are drawn in f64, so that f32 and f64 start from the same. */
typedef struct {
  AbInitKind kind;
  int32_t reserved;
  double a;
} AbInit;
/* The `a` of Xavier, Kaiming, LeCun and orthogonal weights that keeps the size of what goes through
 * a layer with this activation: 5/3 for tanh, sqrt(2) for ReLU, sqrt(2 / (1 + slope^2)) for the
 * leaky ReLU, 3/4 for SELU, sqrt(2) for others that pass about half (ELU, GELU, swish, ...),
 * else 1. (He et al. 2015; the value of tanh is a custom.) */
AB_EXPORT double ab_gain(int64_t activation);
/* What layers take: Kaiming normal with the gain for activations of the ReLU family, else Xavier
 * uniform with 1.                                                                                */
AB_EXPORT AbInit ab_init_for(int64_t activation);
AB_EXPORT AbTensor *ab_weight(AbInstance *self, const char *name, AbShape shape, AbInit init,
                              const char *axes);
/* A buffer: state that is saved but not learned (a chain, running statistics); written by
 * ab_assign. Zeros at first.                                                                    */
AB_EXPORT AbTensor *ab_buffer(AbInstance *self, const char *name, AbDtype dtype, AbShape shape,
                              const char *axes);
/* Makes the weight `name` of `child`, which is yet to be built, share the memory of `weight`: one
 * weight with two users, whose gradients add. With `transposed` (rank 2) the child sees it so.   */
AB_EXPORT void ab_tie(AbInstance *child, const char *name, AbTensor *weight, bool transposed);
/* The weight `name` of an instance that was built; NULL and an error if it has none. */
AB_EXPORT AbTensor *ab_find_weight(AbInstance *self, const char *name);
AB_EXPORT bool ab_has_weight(const AbInstance *self, const char *name);

/* A named part of an objective or loss (a scalar), for the metrics: averaged over the epoch. */
AB_EXPORT void ab_part(AbInstance *self, const char *name, AbTensor *value);

AB_END_DECLS

#endif
