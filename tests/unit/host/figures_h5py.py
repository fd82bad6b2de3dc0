#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The outside reader of the test of host/figures: h5py and numpy, which share none of its code, and
silx where it is installed.

figures_h5py.py probe                  exit 0 if h5py and numpy are there
figures_h5py.py pca FOLDER             projections in FOLDER/pca-*.h5, by a singular value decomposition
figures_h5py.py nexus RUN              names, axes, scales and the default plot of RUN/results.h5
figures_h5py.py silx RUN               what silx would show; exit 77 where it is not installed
figures_h5py.py FIGURE RUN FOLDER      the numbers of a figure, computed anew from the checkpoint, after
                                       nexus and those of the curves; FOLDER: of the sources
"""
import glob
import json
import os
import sys


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def names(value):
    return [text(v) for v in value.tolist()] if hasattr(value, "tolist") else [text(value)]


def groups(h5, prefix="/entry"):
    """The NXdata below a group."""
    import h5py

    for name, item in h5[prefix].items():
        if not isinstance(item, h5py.Group):
            continue
        if text(item.attrs["NX_class"]) == "NXdata":
            yield item
        else:
            assert text(item.attrs["NX_class"]) == "NXcollection", item.name
            yield from groups(h5, item.name)


def nexus(run):
    import h5py

    with h5py.File(os.path.join(run, "results.h5"), "r") as h5:
        assert text(h5.attrs["NX_class"]) == "NXroot" and text(h5.attrs["default"]) == "entry"
        assert text(h5["entry"].attrs["NX_class"]) == "NXentry" and h5["entry"].attrs["title"]
        at = h5
        while "default" in at.attrs:
            at = at[at.attrs["default"]]
        assert text(at.attrs["NX_class"]) == "NXdata", at.name
        count = 0
        for group in groups(h5):
            count += 1
            signal = group[text(group.attrs["signal"])]
            axes = names(group.attrs["axes"])
            assert group.attrs["title"] and len(axes) == signal.ndim, group.name
            others = names(group.attrs["auxiliary_signals"]) \
                if "auxiliary_signals" in group.attrs else []
            for dataset in [signal] + [group[name] for name in others]:
                assert dataset.shape == signal.shape, dataset.name
                for dim, name in zip(dataset.dims, axes):
                    if name == ".":
                        assert dim.label and len(dim) == 0, dataset.name
                        continue
                    assert name in dim.keys() and dim.label == name, (dataset.name, dim.keys())
                    assert dim[name] == group[name] and h5py.h5ds.is_scale(group[name].id)
            for i, name in enumerate(axes):
                assert name == "." or group[name].shape == (signal.shape[i],), group.name
            for item in group.values():
                if item.dtype == "f4":
                    assert item.attrs["low"] < item.attrs["high"], item.name
        assert count > 0


def silx(run):
    try:
        from silx.io import nxdata
        import silx.io
    except ImportError:
        sys.exit(77)
    with silx.io.open(os.path.join(run, "results.h5")) as h5:
        shown = nxdata.get_default(h5)
        assert shown is not None and shown.is_valid, shown
        assert shown.signal is not None and shown.title
        for group in groups(h5):
            data = nxdata.NXdata(group)
            assert data.is_valid, (group.name, data.issues)
            axes = names(group.attrs["axes"])
            assert [a or "." for a in data.axes_dataset_names] == axes, group.name


def pca(path):
    import h5py
    import numpy as np

    with h5py.File(path, "r") as h5:
        same_as_svd(np, h5["x"][:], h5["projection"][:], h5["explained"][:])


def same_as_svd(np, x, projection, explained, tolerance=1e-8):
    x = x - x.mean(0)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    want = (u * s)[:, :2]
    for j in range(want.shape[1]):
        sign = 1 if abs(want[:, j] - projection[:, j]).max() < \
            abs(want[:, j] + projection[:, j]).max() else -1
        assert np.allclose(projection[:, j], sign * want[:, j], atol=tolerance * s[0]), j
        far = abs(projection[:, j]).argmax()
        assert projection[far, j] > 0 or s[j] < 1e-8 * s[0]
    assert np.allclose(explained[:want.shape[1]], (s**2 / (s**2).sum())[:2], atol=tolerance)


def lines(run):
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def curves(run, h5, np):
    epochs = [line for line in lines(run) if line["event"] == "epoch"]
    group = h5["entry/curves"]
    assert group["epoch"][:].tolist() == [line["epoch"] for line in epochs]
    assert group["step"][:].tolist() == [line["step"] for line in epochs]
    wanted = {}
    for i, line in enumerate(epochs):
        for split, values in line.items():
            if isinstance(values, dict):
                for name, value in values.items():
                    column = wanted.setdefault(f"{split}_{name}".replace("/", "."),
                                               [np.nan] * len(epochs))
                    column[i] = np.nan if value is None else value
    assert set(wanted) == set(group) - {"epoch", "step"}, set(group)
    shown = [text(group.attrs["signal"])] + names(group.attrs.get("auxiliary_signals", np.array([])))
    assert sorted(shown) == sorted(wanted)
    for name, column in wanted.items():
        assert np.array_equal(group[name][:], np.array(column), equal_nan=True), name
        assert sorted(group[name].dims[0].keys()) == ["epoch", "step"]


def model(run):
    import h5py

    with h5py.File(os.path.join(run, "checkpoints", "last.h5"), "r") as h5:
        found = {}
        h5["model"].visititems(lambda name, item: found.update({name: item[()]})
                               if isinstance(item, h5py.Dataset) else None)
        return found


def layer(np, weights, prefix, number, x):
    return x @ weights[f"{prefix}W{number}"].astype("f8") + weights[f"{prefix}b{number}"]


def spiral(run, h5, np, _folder):
    """tanh, tanh, logits; the test split is small enough to be among the points as a whole."""
    w = model(run)

    def classify(x):
        h = np.tanh(layer(np, w, "", 1, x))
        return layer(np, w, "", 3, np.tanh(layer(np, w, "", 2, h))).argmax(-1)

    group = h5["entry/boundary"]
    points, y = group["points"][:], group["y"][:]
    x1, x2 = np.meshgrid(group["x1"][:], group["x2"][:])
    grid = classify(np.stack([x1, x2], -1))
    assert (grid != group["class"][:]).sum() < 5 and len(np.unique(grid)) == 3
    low, high = points.min(0), points.max(0)
    assert np.allclose(group["x1"][[0, -1]], [low[0] - (high - low)[0] / 10,
                                              high[0] + (high - low)[0] / 10])
    count = np.zeros((3, 3), int)
    np.add.at(count, (y, classify(points)), 1)
    assert np.array_equal(h5["entry/confusion/count"][:], count), count
    accuracy = [line for line in lines(run) if line["event"] == "end"][-1]["test"]["accuracy"]
    assert np.isclose(count.trace() / count.sum(), accuracy)


def digits(run, h5, np, folder):
    """An auto-encoder of two layers each way, with relu, and a sigmoid at its end."""
    import h5py

    w = model(run)

    def relu(x):
        return np.maximum(x, 0)

    def encode(x):
        h = relu(layer(np, w, "encoder/", 1, x.reshape(len(x), -1)))
        return relu(layer(np, w, "encoder/", 2, h))

    def decode(c):
        h = layer(np, w, "decoder/", 2, relu(layer(np, w, "decoder/", 1, c)))
        return 1 / (1 + np.exp(-h))

    with h5py.File(os.path.join(folder, "plugins/data/digits/digits.h5"), "r") as data:
        x, y = data["x"][:].astype("f8"), data["y"][:]
    group = h5["entry/reconstruction"]
    shown = {name: group[name][:] for name in ("input", "clean", "output")}
    x /= x.max()
    first = next(i for i in range(len(x)) if np.allclose(x[i:i + 16], shown["clean"], atol=1e-6))
    x, y = x[first:], y[first:]
    noise = (shown["input"] - shown["clean"]).std()
    assert 0.08 < noise < 0.12, noise
    output = decode(encode(shown["input"].astype("f8"))).reshape(16, 8, 8)
    assert np.allclose(shown["output"], output, atol=1e-4)
    assert all(group[name].attrs["low"] == 0 and group[name].attrs["high"] == 1 for name in shown)
    latent = h5["entry/latent"]
    assert np.array_equal(latent["y"][:], y) and len(y) <= 1000
    same_as_svd(np, encode(x), latent["projection"][:], latent["explained"][:], 1e-4)
    samples = h5["entry/samples"]
    assert samples["epoch"][:].tolist() == [0, 1, 2, 3], samples["epoch"][:]
    assert np.array_equal(samples["value"][-1], shown["output"])
    assert all(np.abs(samples["value"][i + 1] - samples["value"][i]).max() > 0 for i in range(3))
    images = h5["entry/weights/model.encoder.W1/image"]
    assert list(h5["entry/weights"]) == ["model.encoder.W1"], list(h5["entry/weights"])
    assert np.array_equal(images[:].reshape(64, 64), w["encoder/W1"].T)
    assert images.attrs["high"] == -images.attrs["low"] == abs(w["encoder/W1"]).max()


def roc(run, h5, np, _folder):
    score, y = h5["entry/scores/score"][:], h5["entry/scores/y"][:]
    anomaly, group = y == 0, h5["entry/roc"]
    assert 0 < anomaly.sum() < len(y) <= 1000
    pairs = np.sign(score[anomaly][:, None] - score[~anomaly][None, :])
    area = (pairs + 1).mean() / 2
    true, false = group["true_positive_rate"][:], group["false_positive_rate"][:]
    assert np.isclose(group.attrs["area"], area)
    assert np.isclose(((true[1:] + true[:-1]) / 2 * np.diff(false)).sum(), area)
    assert (true[0], false[0], true[-1], false[-1]) == (0, 0, 1, 1)
    for t, f, threshold in zip(true, false, group["threshold"][:]):
        assert np.isclose(t, (score[anomaly] >= threshold).mean())
        assert np.isclose(f, (score[~anomaly] >= threshold).mean())
    end = [line for line in lines(run) if line["event"] == "end"][-1]
    assert np.isclose(end["test"]["auroc"], area)
    assert "reconstruction" in h5["entry"]


def returns(run, h5, np, _folder):
    end = [line for line in lines(run) if line["event"] == "end"][-1]
    assert np.isclose(h5["entry/returns/return"][:].mean(), end["test"]["return"])
    assert sorted(h5["entry"]) == ["curves", "returns"]


def gan(run, h5, np, _folder):
    group = h5["entry/samples"]
    assert group["epoch"][:].tolist() == [0, 1, 2, 3] and group["value"].shape == (4, 16, 8, 8)
    value = group["value"][:]
    assert value.min() >= 0 and value.max() <= 1 and group["value"].attrs["high"] == 1
    assert all(np.abs(value[i + 1] - value[i]).max() > 0 for i in range(3))
    assert np.abs(value[-1, 0] - value[-1, 1]).max() > 0
    assert "reconstruction" not in h5["entry"] and "latent" not in h5["entry"]


def main(action, *arguments):
    import h5py
    import numpy as np

    if action == "probe":
        return
    if action in ("nexus", "silx"):
        globals()[action](*arguments)
        return
    if action == "pca":
        for path in sorted(glob.glob(os.path.join(arguments[0], "pca-*.h5"))):
            pca(path)
        return
    run = arguments[0]
    nexus(run)
    assert not glob.glob(os.path.join(run, "**", ".*.tmp"), recursive=True)
    with h5py.File(os.path.join(run, "results.h5"), "r") as h5:
        curves(run, h5, np)
        globals()[action](run, h5, np, *arguments[1:])


if __name__ == "__main__":
    main(*sys.argv[1:])
