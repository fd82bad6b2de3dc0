# SPDX-License-Identifier: Apache-2.0
"""Embeddings of PyTorch; positions from the equations of Vaswani et al. (2017)."""

import numpy
import torch
from torch.nn.functional import embedding

from golden import File, integers, numbers

file = File("embedding")

file.case("embedding", lambda table, index: embedding(index, table), numbers("table", (5, 3)),
          integers("index", (4, 2), 5))


def embedding_padded(table, index):  # PyTorch gives row 2 of the table, which is kept 0 there
    zero = torch.ones(len(table), 1, dtype=table.dtype)
    zero[2] = 0
    return embedding(index, table * zero, padding_idx=2)


file.case("padding", embedding_padded, numbers("padded table", (5, 3)), integers("padded", (4, 2), 5))


def positions(length, width):
    p, i = numpy.mgrid[0:length, 0:width]
    angle = p / 10000.0 ** (2 * (i // 2) / width)
    return torch.from_numpy(numpy.where(i % 2 == 0, numpy.sin(angle), numpy.cos(angle)))


file.case("positions", lambda x: positions(*x.shape), numbers("positions", (9, 7)), gradient=False)
file.close()
