/* SPDX-License-Identifier: Apache-2.0
 *
 * The learning rate as it is: factor 1 throughout. */
#include <absdk/absdk.h>

static double factor(AbSchedule *self, const AbProgress *progress) {
  (void)self;
  (void)progress;
  return 1;
}

static const AbScheduleVtable vtable = {.struct_size = sizeof vtable, .factor = factor};

static const AbComponent constant = {
    .struct_size = sizeof constant,
    .kind = AB_KIND_SCHEDULE,
    .name = "constant",
    .doc = "The same learning rate throughout.",
    .citation = "",
    .instance_size = sizeof(AbSchedule),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.schedule.constant", "0.1.0", "Apache-2.0", &constant)
