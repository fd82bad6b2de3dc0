/* SPDX-License-Identifier: Apache-2.0
 *
 * Exponential decay:  gamma^epoch,  epoch counted from 0. */
#include <absdk/absdk.h>
#include <math.h>

typedef struct {
  AbSchedule base;
  double gamma;
} Exponential;

static const AbParam params[] = {
    AB_PARAM_REAL(Exponential, gamma, 0.95, 1e-9, 1, "", "What the rate is multiplied with."),
};

static double factor(AbSchedule *self, const AbProgress *progress) {
  return pow(((const Exponential *)self)->gamma, (double)progress->epoch);
}

static const AbScheduleVtable vtable = {.struct_size = sizeof vtable, .factor = factor};

static const AbComponent exponential = {
    .struct_size = sizeof exponential,
    .kind = AB_KIND_SCHEDULE,
    .name = "exponential",
    .doc = "Multiplies the learning rate by a factor every epoch.",
    .citation = "",
    .instance_size = sizeof(Exponential),
    AB_PARAMS(params),

    .vtable = &vtable,
};

AB_PLUGIN("abhost.schedule.exponential", "0.1.0", "Apache-2.0", &exponential)
