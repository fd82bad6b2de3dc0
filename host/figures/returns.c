/* SPDX-License-Identifier: Apache-2.0
 *
 * The returns of an agent: the sum of rewards of each episode, without exploration. The episodes
 * are those of the last evaluation.                                                              */
#include "figures-internal.h"

#include "../run/evaluate.h"
#include "../run/signals.h"

#define GROUP "/entry/returns"

static gboolean play(const Assembly *assembly, double *returns, gint64 episodes, GError **error) {
  for (gint64 i = 0; i < episodes; i++) {
    ab_begin(assembly->ctx, AB_PURPOSE_EVALUATE, AB_TEST * EVALUATE_EPISODES + i);
    returns[i] = ab_environment_episode(assembly->environment, assembly->model);
    if (!assembly_check((Assembly *)assembly, error)) return FALSE;
    if (signals_stop()) return host_fail(error, AB_STOPPED, "stopped on request");
  }
  return TRUE;
}

gboolean figure_returns(Figures *self, StoreWriter *writer, GError **error) {
  const char *const axes[] = {"episode", NULL};
  gint64 episodes = self->assembly->settings->environment.episodes;
  if (!self->assembly->environment || episodes < 1) return TRUE;
  g_autofree double *returns = g_new(double, (gsize)episodes);
  if (!play(self->assembly, returns, episodes, error)) return FALSE;
  group_put(writer, GROUP, "return", AB_F64, 1, &episodes, returns);
  group_numbers(writer, GROUP, "episode", episodes);
  group_data(self, writer,
             &(NexusData){.group = GROUP,
                          .title = "Returns of the last evaluation",
                          .signal = "return",
                          .axes = axes});
  return TRUE;
}
