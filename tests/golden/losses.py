# SPDX-License-Identifier: Apache-2.0
"""Losses: PyTorch where it has them, else the paper's equations."""

import torch
import torch.nn.functional as F

from golden import File, integers, numbers

SHAPE = (5, 7)
file = File("losses")
a, b = numbers("a", SHAPE, -3, 3), numbers("b", SHAPE, -3, 3)
p, t = numbers("p", SHAPE, 0.02, 0.98), numbers("t", SHAPE, 0.02, 0.98)
signs = 2.0 * integers("signs", SHAPE, 2).double() - 1


def pair(name, function, *inputs, forms=("none",)):
    for form in forms:
        file.case(f"{name}-{form}", lambda x, y: function(x, y, reduction=form), *inputs)


def reduced(function):
    def call(x, y, reduction):
        z = function(x, y)
        return z if reduction == "none" else getattr(z, reduction)()

    return call


def tukey(x, y, c=2.0):
    d = x - y
    inside = (1 - (1 - (d / c) ** 2) ** 3) * c**2 / 6
    return torch.where(d.abs() < c, inside, torch.full_like(d, c**2 / 6))


pair("l1", F.l1_loss, a, b)
pair("squared", F.mse_loss, a, b, forms=("none", "mean", "sum"))
pair("huber", lambda x, y, reduction: F.huber_loss(x, y, reduction=reduction, delta=1.3), a, b)
pair(
    "smooth-l1",
    lambda x, y, reduction: F.smooth_l1_loss(x, y, reduction=reduction, beta=0.7),
    a,
    b,
    forms=("none", "mean"),
)
pair("tukey", reduced(tukey), a, b)
pair("log-cosh", reduced(lambda x, y: torch.log(torch.cosh(x - y))), a, b)
pair("hinge", reduced(lambda x, y: torch.clamp(1 - x * y, min=0)), a, signs)
pair("squared-hinge", reduced(lambda x, y: torch.clamp(1 - x * y, min=0) ** 2), a, signs)
pair("poisson", F.poisson_nll_loss, a, 4 * t)
pair("kl", reduced(lambda x, y: F.kl_div(x.log(), y, reduction="none")), p, t)
pair("kl-log", F.kl_div, a, t)
pair(
    "kl-normal",
    reduced(
        lambda m, v: torch.distributions.kl_divergence(
            torch.distributions.Normal(m, torch.exp(v / 2)), torch.distributions.Normal(0.0, 1.0)
        )
    ),
    a,
    b,
)
pair("bce", F.binary_cross_entropy, p, t)
pair("bce-logits", F.binary_cross_entropy_with_logits, a, t, forms=("none", "mean", "sum"))

labels = integers("labels", (5,), 7)
weights = torch.tensor([0.5, 1.0, 2.0, 0.25, 1.5, 0.0, 3.0], dtype=torch.float64)
file.case("cross-entropy", lambda z, y: F.cross_entropy(z, y, reduction="none"), a, labels)
file.case(
    "smoothed",
    lambda z, y: F.cross_entropy(z, y, label_smoothing=0.2, reduction="none"),
    a,
    labels,
)
file.case(
    "weighted",
    lambda z, y: F.cross_entropy(z, y, weight=weights, label_smoothing=0.1, reduction="none"),
    a,
    labels,
)
file.case("soft", lambda z, y: F.cross_entropy(z, y, reduction="none"), a, t)
file.case("nll", lambda z, y: F.nll_loss(z, y, reduction="none"), a, labels)
file.case(
    "rms",
    lambda x, y: ((x - y) ** 2).mean((1, 2)).sqrt(),
    a.reshape(5, 7, 1),
    b.reshape(5, 7, 1),
)
file.case("cosine", lambda x, y: F.cosine_similarity(x, y, dim=-1), a, b)
file.close()
