# SPDX-License-Identifier: Apache-2.0
"""Products of PyTorch."""

import torch

from golden import File, numbers

file = File("linalg")

file.case("batched", torch.matmul, numbers("a", (2, 3, 4, 5)), numbers("b", (2, 3, 5, 6)))
file.case("stretched", torch.matmul, numbers("a1", (3, 1, 4, 5)), numbers("b1", (2, 5, 6)))
file.case("folded", torch.matmul, numbers("a2", (3, 2, 4, 5)), numbers("b2", (5, 6)))
file.case("left-matrix", torch.matmul, numbers("a3", (4, 5)), numbers("b3", (3, 5, 2)))
file.case("left-vector", torch.matmul, numbers("a4", (5,)), numbers("b4", (3, 5, 2)))
file.case("right-vector", torch.matmul, numbers("a5", (3, 4, 5)), numbers("b5", (5,)))
file.case("inner", torch.matmul, numbers("a6", (5,)), numbers("b6", (5,)))
file.case("heads", lambda q, k: q.transpose(1, 2) @ k.permute(0, 2, 3, 1), numbers("q", (2, 5, 3, 4)),
          numbers("k", (2, 7, 3, 4)))
file.case("outer", lambda a, b: a[..., :, None] * b[..., None, :], numbers("a7", (3, 4)),
          numbers("b7", (2, 1, 5)))
file.case("bilinear", torch.nn.functional.bilinear, numbers("x1", (5, 3)), numbers("x2", (5, 4)),
          numbers("W", (2, 3, 4)), numbers("bias", (2,)))
file.case("diagonal", lambda x: torch.diagonal(x, dim1=-2, dim2=-1), numbers("x", (2, 3, 5)))
file.case("trace", lambda x: torch.diagonal(x, dim1=-2, dim2=-1).sum(-1), numbers("y", (2, 5, 3)))
file.close()
