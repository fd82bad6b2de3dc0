# SPDX-License-Identifier: Apache-2.0
"""Golden values of reductions: reductions.h5 (tests/unit/sdk/reductions.c reads it)."""

import torch
from golden import File, numbers

out = File("reductions")
x = numbers("reductions x", (3, 4, 5), -3, 3)

norm = torch.linalg.vector_norm
for name, axes in (("middle", (1,)), ("outer", (0, 2))):
    for p in (1, 2, 3, float("inf")):
        out.case(f"norm-{p:g}-{name}", lambda a, d=axes, p=p: norm(a, p, d) ** 2, x)
    out.case(f"sum-{name}", lambda a, d=axes: a.sum(d) ** 2, x)
    out.case(f"mean-{name}", lambda a, d=axes: a.mean(d, keepdim=True) ** 2, x)
    out.case(f"var-{name}", lambda a, d=axes: a.var(d, correction=1) ** 2, x)
    out.case(f"std-{name}", lambda a, d=axes: a.std(d, correction=0, keepdim=True) ** 3, x)
    out.case(f"max-{name}", lambda a, d=axes: a.amax(d) ** 2, x)
    out.case(f"min-{name}", lambda a, d=axes: a.amin(d, keepdim=True) ** 2, x)
for axis in range(0, 3, 2):
    out.case(f"softmax-{axis}", lambda a, d=axis: a.softmax(d) ** 2, x)
    out.case(f"log-softmax-{axis}", lambda a, d=axis: a.log_softmax(d) ** 2, x)
    out.case(f"logsumexp-{axis}", lambda a, d=axis: a.logsumexp(d) ** 2, x)
    out.case(f"cumsum-{axis}", lambda a, d=axis: a.cumsum(d) ** 2, x)
    out.case(f"reverse-cumsum-{axis}", lambda a, d=axis: a.flip(d).cumsum(d).flip(d) ** 2, x)
    out.case(f"argmax-{axis}", lambda a, d=axis: a.argmax(d), x)
    out.case(f"argmin-{axis}", lambda a, d=axis: a.argmin(d), x)
out.close()
