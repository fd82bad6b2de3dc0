# SPDX-License-Identifier: Apache-2.0
"""Writes golden values: f64 results and gradients of operations, computed by PyTorch or NumPy.

One file per family of operations, one group per case:
    x0, x1, ...   the inputs (float64; or int64, which have no gradient)
    y             the result
    c             coefficients: the gradients are those of sum(c * y)
    g0, g1, ...   the gradients of the inputs that have one
"""

import pathlib
import zlib

import h5py
import numpy
import torch

FOLDER = pathlib.Path(__file__).resolve().parent


def numbers(name, shape, low=-1.0, high=1.0):
    """Uniform numbers that depend on the name alone, as a float64 tensor."""
    generator = numpy.random.Generator(numpy.random.PCG64(zlib.crc32(name.encode())))
    return torch.from_numpy(generator.uniform(low, high, shape))


def integers(name, shape, below):
    generator = numpy.random.Generator(numpy.random.PCG64(zlib.crc32(name.encode())))
    return torch.from_numpy(generator.integers(0, below, shape))


class File:
    def __init__(self, family):
        self.file = h5py.File(FOLDER / f"{family}.h5", "w")

    def case(self, name, function, *inputs, gradient=True):
        """function(*inputs) -> a tensor; its gradients are taken where `gradient` says so."""
        inputs = [x.clone() for x in inputs]
        for x in inputs:
            if gradient and x.is_floating_point():
                x.requires_grad_()
        y = function(*inputs)
        group = self.file.create_group(name)
        for i, x in enumerate(inputs):
            group[f"x{i}"] = x.detach().numpy()
        group["y"] = y.detach().numpy()
        if not y.requires_grad:
            return
        c = numbers(name + " coefficients", tuple(y.shape), 0.5, 1.5)
        (y * c).sum().backward()
        group["c"] = c.numpy()
        for i, x in enumerate(inputs):
            if x.requires_grad and x.grad is not None:
                group[f"g{i}"] = x.grad.numpy()

    def close(self):
        self.file.close()
