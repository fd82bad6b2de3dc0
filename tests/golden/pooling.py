# SPDX-License-Identifier: Apache-2.0
"""Pooling, un-pooling and resampling by PyTorch; stochastic pooling by its equation."""

import torch
import torch.nn.functional as F

from golden import File, numbers

file = File("pooling")


def image(name, *shape, low=-1.0, high=1.0):
    return numbers(name, shape, low, high)


x1 = image("one axis", 2, 3, 11)
x2 = image("two axes", 2, 5, 7, 6)
x3 = image("three axes", 1, 2, 4, 5, 3)
file.case("max-1", lambda x: F.max_pool1d(x, 3, 2, 1), x1)
file.case("max-2", lambda x: F.max_pool2d(x, (3, 2), (2, 1), (1, 0)), x2)
file.case("max-dilated", lambda x: F.max_pool2d(x, (2, 3), (1, 2), (1, 1), (3, 2)), x2)
file.case("max-3", lambda x: F.max_pool3d(x, 2, 1), x3)
file.case("average-1", lambda x: F.avg_pool1d(x, 3, 2, 1), x1)
file.case("average-2", lambda x: F.avg_pool2d(x, (3, 2), (2, 1), (1, 1)), x2)
file.case(
    "average-excluding",
    lambda x: F.avg_pool2d(x, (3, 2), (2, 1), (1, 1), count_include_pad=False),
    x2,
)
file.case("average-3", lambda x: F.avg_pool3d(x, (2, 3, 2), 2, 1), x3)
file.case("sum", lambda x: F.avg_pool2d(x, (3, 2), (2, 1), divisor_override=1), x2)
file.case("adaptive", lambda x: F.adaptive_avg_pool2d(x, (3, 8)), x2)
file.case("global-max", lambda x: x.amax((2, 3)), x2)
file.case("global-average", lambda x: x.mean((2, 3, 4)), x3)

pooled, indices = F.max_pool2d(x2, (2, 3), return_indices=True)
file.case("unpool", lambda y, i: F.max_unpool2d(y, i, (2, 3), output_size=(7, 6)), pooled, indices)


def by_probability(x):
    """Zeiler & Fergus 2013, evaluation: the sum of p_i a_i with p_i = a_i / sum of a."""
    a = F.unfold(x, (3, 2), stride=(2, 2)).reshape(x.shape[0], x.shape[1], 6, -1)
    p = a / a.sum(2, keepdim=True)
    return (p * a).sum(2).reshape(x.shape[0], x.shape[1], 3, 3)


file.case("stochastic-evaluated", by_probability, image("activations", 2, 5, 7, 6, low=0.1))

for how, modes in (("nearest", ["nearest"] * 3), ("linear", ["linear", "bilinear", "trilinear"])):
    for x, size, mode in zip((x1, x2, x3), ((22,), (14, 9), (8, 5, 9)), modes):
        file.case(
            f"{how}-{len(size)}",
            lambda x, size=size, mode=mode: F.interpolate(x, size, mode=mode),
            x,
        )
    mode = modes[1]
    file.case(f"{how}-down", lambda x, mode=mode: F.interpolate(x, (3, 4), mode=mode), x2)
    file.case(f"{how}-twice", lambda x, mode=mode: F.interpolate(x, scale_factor=3, mode=mode), x2)
file.close()
