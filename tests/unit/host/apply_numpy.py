#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""apply_numpy.py FOLDER: NPY files of NumPy for the test of the reader; shape [7, 3, 5]."""
import os
import sys

import numpy as np
from numpy.lib import format as npy

TYPES = "<f4 >f4 <f8 >f8 u1 i1 b1 <u2 >u2 <i2 >i2 <i4 >i4 <i8 >i8".split()

for name in TYPES:
    a = (np.arange(105) % 100).reshape(7, 3, 5)
    a = (a % 2 == 1) if name == "b1" else a.astype(name)
    base = os.path.join(sys.argv[1], name.replace("<", "lt_").replace(">", "gt_"))
    np.save(base + "_c.npy", a)
    np.save(base + "_f.npy", np.asfortranarray(a))
    for version in (2, 3):
        with open(f"{base}_v{version}.npy", "wb") as f:
            npy.write_array(f, a, version=(version, 0))
