# SPDX-License-Identifier: Apache-2.0
"""A sparse product as a dense one of PyTorch."""

import torch

from golden import File, numbers

file = File("sparse")

# 4 x 6: an empty row, an empty column, columns out of order
starts = torch.tensor([0, 2, 2, 5, 7])
columns = torch.tensor([4, 0, 1, 5, 2, 0, 4])


def sparse(values, x):
    rows = torch.repeat_interleave(torch.arange(4), starts[1:] - starts[:-1])
    dense = torch.zeros(4, 6, dtype=values.dtype).index_put((rows, columns), values)
    return dense @ x


file.case("sparse", sparse, numbers("values", (7,)), numbers("dense", (6, 3)))
file.close()
