# SPDX-License-Identifier: Apache-2.0
"""Schedules: the factor of the learning rate at each of 12 x 5 steps, by torch.optim.lr_scheduler.
schedules.h5 has one data set per case, [60]; its names say how the test sets the plugin up."""

import h5py
import torch
from torch.optim import lr_scheduler as S

from golden import FOLDER

EPOCHS, PER_EPOCH = 12, 5
file = h5py.File(FOLDER / "schedules.h5", "w")


def case(name, make, per_epoch=False):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule, factors = make(optimizer), []
    for _ in range(EPOCHS):
        for _ in range(PER_EPOCH):
            factors.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            if not per_epoch:
                schedule.step()
        if per_epoch:
            schedule.step()
    file[name] = factors


ALL = EPOCHS * PER_EPOCH
case("constant", lambda o: S.ConstantLR(o, 1.0))
case("step", lambda o: S.StepLR(o, 3, 0.5), True)
case("exponential", lambda o: S.ExponentialLR(o, 0.8), True)
case("cosine", lambda o: S.CosineAnnealingLR(o, ALL, 0.05))
case("cosine-epoch", lambda o: S.CosineAnnealingLR(o, EPOCHS), True)
case("cosine-restarts", lambda o: S.CosineAnnealingWarmRestarts(o, 2 * PER_EPOCH, 2, 0.1))
case("cosine-restarts-even", lambda o: S.CosineAnnealingWarmRestarts(o, 5, 1), True)
case("polynomial", lambda o: S.PolynomialLR(o, ALL, 2.0))
case("polynomial-linear", lambda o: S.PolynomialLR(o, 10, 1.0), True)
case("one-cycle", lambda o: S.OneCycleLR(o, 1.0, ALL))
case(
    "one-cycle-late",
    lambda o: S.OneCycleLR(o, 1.0, ALL, pct_start=0.6, div_factor=10, final_div_factor=50),
)
case("cyclic", lambda o: S.CyclicLR(o, 0.1, 1.0, 7, cycle_momentum=False))
case(
    "cyclic-halved",
    lambda o: S.CyclicLR(o, 0.2, 1.0, 5, mode="triangular2", cycle_momentum=False),
)
case("warm-up", lambda o: S.LinearLR(o, 0.1, 1.0, 15))
case(
    "warm-up-cosine",
    lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 0.25, 1.0, 10), S.CosineAnnealingLR(o, ALL - 10)], [10]
    ),
)
case("noam", lambda o: S.LambdaLR(o, lambda k: 64**-0.5 * min((k + 1) ** -0.5, (k + 1) * 20**-1.5)))
file.close()
