# SPDX-License-Identifier: Apache-2.0
"""Golden values of moving: movement.h5 (tests/unit/sdk/movement.c reads it)."""

import torch
from golden import File, numbers

out = File("movement")
x = numbers("movement x", (3, 5, 4))
y = numbers("movement y", (3, 2, 4))
z = numbers("movement z", (3, 5, 4))

out.case("permute", lambda a: a.permute(2, 0, 1) ** 2, x)
out.case("concat", lambda a, b: torch.cat([a, b, a], 1) ** 2, x, y)
out.case("stack", lambda a, b: torch.stack([a, b, a], 2) ** 2, x, z)
out.case("slice-step", lambda a: a[:, 1:5:3] ** 2, x)
out.case("split", lambda a: a.split([1, 3, 1], 1)[1] ** 2, x)
out.case("flip", lambda a: a.flip(0, 2) ** 2, x)
for k in (1, 2, 3):
    out.case(f"rot90-{k}", lambda a, k=k: torch.rot90(a, k, (2, 0)) ** 2, x)
out.case("roll", lambda a: a.roll(-3, 1) ** 2, x)
out.case("repeat", lambda a: a.repeat(2, 1, 3, 2) ** 2, x[:1, :3, :2])
pad = torch.nn.functional.pad
out.case("pad-constant", lambda a: pad(a, (1, 2, 0, 1, 1, 0), value=0.75) ** 2, x)
for mode in ("reflect", "replicate", "circular"):
    # PyTorch pads the last two axes of rank 4 (of rank 3 with a channel in front)
    out.case(f"pad-{mode}", lambda a, m=mode: pad(a[None], (3, 1, 0, 4), mode=m)[0] ** 2, x)
out.close()
