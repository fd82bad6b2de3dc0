# SPDX-License-Identifier: Apache-2.0
"""Functions of elements, by PyTorch."""

import torch
from golden import File, integers, numbers

file = File("elements")


def case(name, function, low=-5.0, high=5.0):
    file.case(name, function, numbers(name, (3, 7), low, high))


case("rsqrt", torch.rsqrt, 0.1, 5)
case("reciprocal", torch.reciprocal, 0.1, 5)
case("expm1", torch.expm1, -3, 3)
case("log1p", torch.log1p, -0.9, 5)
case("sin", torch.sin, -20, 20)
case("cos", torch.cos, -20, 20)
case("tan", torch.tan, -1.4, 1.4)
case("asin", torch.asin, -0.95, 0.95)
case("acos", torch.acos, -0.95, 0.95)
case("atan", torch.atan)
case("sinh", torch.sinh, -3, 3)
case("cosh", torch.cosh, -3, 3)
case("erf", torch.erf, -3, 3)
file.case("floor", torch.floor, numbers("floor", (3, 7), -5, 5), gradient=False)
file.case("ceil", torch.ceil, numbers("ceil", (3, 7), -5, 5), gradient=False)
file.case("round", torch.round, numbers("round", (3, 7), -5, 5), gradient=False)
case("clamp", lambda x: torch.clamp(x, -1.5, 2.25))
case("power", lambda x: x ** 1.75, 0.1, 4)
case("power_cube", lambda x: x ** 3)
file.case("pow", torch.pow, numbers("pow a", (3, 1, 5), 0.1, 3), numbers("pow b", (4, 1), -2, 2))
file.case("remainder", torch.remainder, numbers("rem a", (3, 5), -9, 9), numbers("rem b", (5,), -2, 2))
file.case("atan2", torch.atan2, numbers("atan2 y", (3, 5)), numbers("atan2 x", (3, 1)))
file.case("where", lambda c, a, b: torch.where(c != 0, a, b), integers("where c", (4, 1, 5), 2),
          numbers("where a", (3, 1)), numbers("where b", (4, 3, 5)))
x, y = integers("left", (4, 5), 3).double(), integers("right", (5,), 3).double()
for name in ("eq", "ne", "gt", "ge", "lt", "le"):
    file.case(name, lambda a, b, f=getattr(torch, name): f(a, b).double(), x, y, gradient=False)
file.close()
