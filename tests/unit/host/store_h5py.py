#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The outside reader and writer of the test of host/store: h5py, which shares none of its code.

store_h5py.py probe         exit 0 if h5py is there
store_h5py.py make FOLDER   files for the store to read or to refuse
store_h5py.py check FILE    what the store wrote, read by h5py
"""
import os
import sys


def make(folder):
    import h5py
    import numpy as np

    with h5py.File(os.path.join(folder, "secret.h5"), "w") as f:
        f["x"] = np.arange(4.0)
    with h5py.File(os.path.join(folder, "foreign.h5"), "w") as f:
        ramp = np.arange(-6, 6)
        for name in ("<i1", ">i2", "<i2", ">i4", "<i8", ">i8", "<f2", ">f2", ">f4", ">f8", "g"):
            f["numbers/" + name.replace("<", "le_").replace(">", "be_")] = ramp.astype(name)
        for name in ("u1", ">u2", "<u4", ">u8"):
            f["numbers/un_" + name.strip("<>")] = np.arange(12).astype(name)
        f.create_dataset("gzip", data=np.arange(3000.0).reshape(100, 30), chunks=(7, 11),
                         compression="gzip", shuffle=True, fletcher32=True)
        f["bools"] = np.array([True, False, True])
        f["big"] = np.array([2**62, 1], dtype="u8")
        f["too_big"] = np.array([2**63], dtype="u8")
        f["wide"] = np.array([300, -1], dtype="i4")
        f["fraction"] = np.array([0.5, 1.0])
        f["special"] = np.array([np.inf, -np.inf, np.nan, 1e30, -2.5])
        f["over"] = np.array([1e300])
        f["vtext"] = "Grüße, 世界"
        f["ftext"] = np.bytes_("fixed")
        f["empty_text"] = ""
        f["texts"] = ["a", "b"]
        f["empty"] = h5py.Empty("f4")
        f["compound"] = np.zeros(3, dtype=[("a", "f4"), ("b", "i4")])
        f["complex"] = np.zeros(3, dtype="c16")
        f.create_dataset("ref", data=f["bools"].ref, dtype=h5py.ref_dtype)
        f.create_dataset("enum", data=np.array([1, 2]), dtype=h5py.enum_dtype({"A": 1, "B": 2}))
        f["type"] = np.dtype("f8")
        f["soft"] = h5py.SoftLink("/bools")
        f["outside"] = h5py.ExternalLink("secret.h5", "/x")
        f["softgroup"] = h5py.SoftLink("/numbers")
        f.create_dataset("external", shape=(4,), dtype="u1",
                         external=[(os.path.join(folder, "secret.h5"), 0, 4)])
        layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
        layout[:] = h5py.VirtualSource(os.path.join(folder, "secret.h5"), "x", shape=(4,))
        f.create_virtual_dataset("virtual", layout)
        f.create_dataset("huge", shape=(1 << 40,), dtype="f8", chunks=(1024,))
        f.create_dataset("wide_rank", data=np.zeros((1,) * 9))
        f.create_dataset("overflow", shape=(1 << 31, 1 << 31, 1 << 31), dtype="f8",
                         chunks=(1, 1, 1))
        f.create_dataset("great_chunk", shape=(1 << 28, 2), dtype="f8", chunks=(1 << 28, 1))
        f.create_dataset("lzf", data=np.arange(100.0), compression="lzf")
        f.create_dataset("scaled", data=np.arange(100), scaleoffset=0)
        f.create_dataset("half_declared", shape=(1000, 4), dtype="i4")  # never written: zeros
        group = f.create_group("circle/inner")
        group["back"] = f["circle"]
        f.attrs["text"] = "Wörter"
        f.attrs["ftext"] = np.bytes_("bytes")
        f.attrs["int"] = 7
        f.attrs["big"] = np.uint64(2**63)
        f.attrs["real"] = np.float32(0.5)
        f.attrs["list"] = [1, 2]
        f.attrs["yes"] = True
    with h5py.File(os.path.join(folder, "scales.h5"), "w") as f:
        f["y"] = np.arange(6.0).reshape(2, 3)
        f["t"] = np.arange(2)
        f["t"].make_scale("time")
        f["y"].dims[0].attach_scale(f["t"])
        f["y"].dims[1].label = "column"
        f.attrs["fixed"] = np.array(["a", "bcd", ""], dtype="S4")
        f.attrs["varying"] = ["a", "b"]
        f.attrs["one"] = "Wort"
        f.attrs["numbers"] = [1, 2]
    with h5py.File(os.path.join(folder, "deep.h5"), "w") as f:
        f["a/b/c/x"] = 1.0
        f["a/y"] = 2.0
        f["again"] = f["a/y"]


def check(path):
    import h5py
    import numpy as np

    with h5py.File(path, "r") as f:
        for name, kind in (("f32", "<f4"), ("f64", "<f8"), ("u8", "u1"), ("i32", "<i4"),
                           ("i64", "<i8"), ("bool", "bool")):
            for rank in range(9):
                d = f[f"{name}/rank{rank}"]
                assert d.dtype == np.dtype(kind), (d.name, d.dtype)
                assert d.shape == tuple(1 + i % 3 for i in range(rank)), (d.name, d.shape)
                want = np.arange(d.size) % (2 if name == "bool" else 100)
                assert np.array_equal(np.ravel(d[()]), want.astype(kind)), d.name
                if rank > 0:
                    assert d.fletcher32 and d.chunks is not None, d.name
        assert f["f32/rank2"].attrs["axes"].decode() == "rows columns"
        assert f["empty"].shape == (3, 0, 2) and f["empty"].size == 0
        assert f["bool/rank0"][()] in (np.True_, np.False_)
        big = f["big"]
        assert big.shape == (5, 1 << 20) and np.prod(big.chunks) * 4 <= 8 << 20
        assert np.array_equal(big[:], np.arange(5 << 20, dtype="f4").reshape(5, -1))
        assert f["text"].asstr()[()] == "Grüße, 世界 \U0001f9e0\n"
        assert f["no_text"].asstr()[()] == ""
        assert f["long_text"].asstr()[()] == "0123456789" * 10000
        assert f["group"].attrs["text"].decode() == "Größe"
        assert f["group"].attrs["empty"].decode() == ""
        assert f["group"].attrs["int"] == -(2**63) and f["group"].attrs["real"] == 0.1
        scaled = f["scaled"]
        assert [t.decode() for t in scaled.attrs["axes"]] == ["row", "Größe", ""]
        assert scaled["y"].dims[0].keys() == ["row", "time"]
        assert scaled["y"].dims[0]["row"] == scaled["row"]
        assert scaled["y"].dims[1].keys() == scaled["z"].dims[1].keys() == ["column"]
        assert [d.label for d in scaled["y"].dims] == ["", "columns"]
        assert len(scaled["z"].dims[0]) == 0 and np.array_equal(scaled["row"], [10, 20, 30])
        grown = f["grown"]
        assert grown.shape == (1000, 7) and grown.maxshape == (None, 7) and grown.fletcher32
        assert np.array_equal(grown[:].ravel(), np.arange(7000))
        assert f["grown_empty"].shape == (2, 0)


if __name__ == "__main__":
    if sys.argv[1] == "probe":
        import h5py  # noqa: F401
        import numpy  # noqa: F401
    elif sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        check(sys.argv[2])
