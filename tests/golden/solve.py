# SPDX-License-Identifier: Apache-2.0
"""Cholesky factors and triangular solves of PyTorch."""

import torch

from golden import File, numbers

file = File("solve")


def definite(x):
    return x @ x.mT + 2 * torch.eye(x.shape[-1], dtype=x.dtype)


file.case("cholesky", lambda x: torch.linalg.cholesky(definite(x)), numbers("z", (2, 5, 5)))
file.case("cholesky-solve", lambda x, b: torch.cholesky_solve(b, torch.linalg.cholesky(definite(x))),
          numbers("z1", (5, 5)), numbers("z2", (5, 3)))


def solve(upper, transposed):
    def f(x, b):
        x = x + 2 * torch.eye(x.shape[-1], dtype=x.dtype)
        x = x.triu() if upper else x.tril()
        if transposed:
            x, flipped = x.mT, not upper
        else:
            flipped = upper
        return torch.linalg.solve_triangular(x, b, upper=flipped)

    return f


for upper in (False, True):
    for transposed in (False, True):
        name = f"solve-{'upper' if upper else 'lower'}{'-transposed' if transposed else ''}"
        file.case(name, solve(upper, transposed), numbers(name + " l", (2, 1, 4, 4)),
                  numbers(name + " b", (3, 4, 2)))
file.close()
