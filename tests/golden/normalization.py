# SPDX-License-Identifier: Apache-2.0
"""Normalisation by PyTorch; RMS and weight normalisation by their equations."""

import torch
import torch.nn.functional as F

from golden import File, numbers

file = File("normalization")

matrix = numbers("matrix", (7, 5), -2, 3)
image = numbers("image", (3, 6, 5, 4), -1, 4)
volume = numbers("volume", (2, 3, 3, 2, 4), -1, 1)


def affine(name, *shape):
    return numbers(name + " gain", shape, 0.5, 3), numbers(name + " bias", shape, -1, 3)


def batch(x, gain=None, bias=None):
    return F.batch_norm(x, None, None, gain, bias, training=True, eps=1e-3)


def fixed(x, gain, bias, mean, variance):
    return F.relu(F.batch_norm(x, mean.detach(), variance.detach(), gain, bias, eps=1e-5))


def running(which):
    """The running statistics after one step."""

    def function(x):
        mean, variance = torch.full((6,), 0.5).double(), torch.full((6,), 2.0).double()
        F.batch_norm(x.detach(), mean, variance, training=True, momentum=0.3, eps=1e-3)
        return (mean, variance)[which]

    return function


file.case("batch-matrix", batch, matrix, *affine("m", 5))
file.case("batch-image", batch, image, *affine("i", 6))
file.case("batch-plain", batch, image)
file.case("batch-volume", batch, volume, *affine("v", 3))
file.case("batch-relu", lambda *x: F.relu(batch(*x)), image, *affine("i", 6))
file.case("batch-relu6", lambda *x: F.relu6(batch(*x)), image, *affine("six", 6))
file.case("batch-running-mean", running(0), image)
file.case("batch-running-variance", running(1), image)
constants = numbers("running mean", (6,)), numbers("running variance", (6,), 0.5, 2)
file.case("batch-fixed", fixed, image, *affine("f", 6), *constants)
file.case("instance", lambda x, g, b: F.instance_norm(x, None, None, g, b), image, *affine("i", 6))
file.case("group", lambda x, g, b: F.group_norm(x, 3, g, b), image, *affine("g", 6))
file.case("group-one", lambda x, g, b: F.group_norm(x, 1, g, b), matrix, *affine("o", 5))
file.case("layer", lambda x, g, b: F.layer_norm(x, (5,), g, b), matrix, *affine("l", 5))
file.case("layer-two", lambda x, g, b: F.layer_norm(x, (5, 4), g, b), image, *affine("t", 5, 4))
file.case("layer-plain", lambda x: F.layer_norm(x, (5,)), matrix)
file.case(
    "rms",
    lambda x, g: g * x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt(),
    matrix,
    affine("r", 5)[0],
)
file.case("weight", lambda v, g: g * v / v.norm(dim=0), matrix, affine("w", 5)[0])
file.case(
    "weight-kernels",
    lambda v, g: g[:, None, None, None] * v / v.square().sum((1, 2, 3), keepdim=True).sqrt(),
    image,
    affine("k", 3)[0],
)
file.close()
