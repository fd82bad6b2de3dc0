# SPDX-License-Identifier: Apache-2.0
"""The outside readers of the test of host/events; neither shares its code.

events_reader.py plain FOLDER        the event files, by the standard library alone
events_reader.py tensorboard FOLDER  the same by the package tensorboard, and what its server shows
events_reader.py probe               status 0 if that package is there

Both print one object of JSON: scalars, texts, images and histograms, by tag.
"""
import json
import math
import os
import struct
import sys
import zlib


def finite(value):
    return value if math.isfinite(value) else None


# ---- PNG: 8 bits, grey or colours -----------------------------------------------------------------

def unfilter(kind, line, before, step):
    for i in range(len(line)):
        left = line[i - step] if i >= step else 0
        up = before[i]
        corner = before[i - step] if i >= step else 0
        guess = left + up - corner
        paeth = min((abs(guess - left), 0, left), (abs(guess - up), 1, up),
                    (abs(guess - corner), 2, corner))[2]
        line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth)[kind]) & 255


def png_pixels(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        length, = struct.unpack(">I", data[at:at + 4])
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length:][:4])[0]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert depth == 8 and colour in (0, 2) and body[12] == 0
        packed += body if kind == b"IDAT" else b""
        at += length + 12
    raw, step = zlib.decompress(packed), 3 if colour else 1
    before, pixels = bytearray(width * step), []
    for y in range(height):
        start = y * (width * step + 1)
        line = bytearray(raw[start + 1:start + 1 + width * step])
        unfilter(raw[start], line, before, step)
        before = line
        pixels += line
    return width, height, pixels


# ---- event files by hand -----------------------------------------------------------------------------

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    """A record that was cut off ends the file."""
    data, at = open(path, "rb").read(), 0
    while at + 12 <= len(data):
        length, head = struct.unpack("<QI", data[at:at + 12])
        assert head == masked(data[at:at + 8])
        if at + 12 + length + 4 > len(data):
            return
        body = data[at + 12:at + 12 + length]
        assert struct.unpack("<I", data[at + 12 + length:][:4])[0] == masked(body)
        yield body
        at += length + 16


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def message(data):
    """{number of a field: [values]}"""
    fields, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = struct.unpack("<d", data[at:at + 8])[0], at + 8
        elif key & 7 == 5:
            value, at = struct.unpack("<f", data[at:at + 4])[0], at + 4
        else:
            assert key & 7 == 2
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size
        fields.setdefault(key >> 3, []).append(value)
    return fields


def doubles(data):
    return list(struct.unpack("<%dd" % (len(data) // 8), data))


def take_value(found, step, value):
    tag = value[1][0].decode()
    if 2 in value:
        found["scalars"].setdefault(tag, []).append([step, finite(value[2][0])])
    if 4 in value:
        image = message(value[4][0])
        width, height, pixels = png_pixels(image[4][0])
        assert (image[1][0], image[2][0]) == (height, width)
        assert image[3][0] == (1 if len(pixels) == width * height else 3)
        found["images"].setdefault(tag, []).append([step, width, height, pixels])
    if 5 in value:
        h = message(value[5][0])
        found["histograms"].setdefault(tag, []).append(
            [step] + [h[i][0] for i in range(1, 6)] + [doubles(h[6][0]), doubles(h[7][0])])
    if 8 in value:
        tensor, metadata = message(value[8][0]), message(value[9][0])
        assert message(metadata[1][0])[1] == [b"text"]
        assert tensor[1] == [7] and tensor[2] == [b""]
        found["texts"].setdefault(tag, []).append([step, tensor[8][0].decode()])


def drop(found, step):
    for tags in found.values():
        for tag in tags:
            tags[tag] = [event for event in tags[tag] if event[0] < step]


def plain(folder):
    found = {"scalars": {}, "texts": {}, "images": {}, "histograms": {}}
    for name in sorted(os.listdir(folder)):
        for number, record in enumerate(records(os.path.join(folder, name))):
            event = message(record)
            step = event[2][0]
            assert 1.6e9 < event[1][0] < 1e11
            assert (event.get(3) == [b"brain.Event:2"]) == (number == 0)
            if 7 in event:
                assert message(event[7][0])[1] == [1] and number == 1
                drop(found, step)
            for summary in event.get(5, []):
                for value in message(summary)[1]:
                    take_value(found, step, message(value))
    return found


# ---- the package -------------------------------------------------------------------------------------

def accumulated(folder):
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.util import tensor_util
    everything = event_accumulator.STORE_EVERYTHING_SIZE_GUIDANCE
    events = event_accumulator.EventAccumulator(folder, size_guidance=everything)
    events.Reload()
    tags = events.Tags()
    found = {"scalars": {}, "texts": {}, "images": {}, "histograms": {}}
    for tag in tags["scalars"]:
        found["scalars"][tag] = [[e.step, finite(e.value)] for e in events.Scalars(tag)]
    for tag in tags["tensors"]:
        assert events.SummaryMetadata(tag).plugin_data.plugin_name == "text"
        found["texts"][tag] = [[e.step, tensor_util.make_ndarray(e.tensor_proto).item().decode()]
                               for e in events.Tensors(tag)]
    for tag in tags["images"]:
        images = events.Images(tag)
        found["images"][tag] = [[e.step, *png_pixels(e.encoded_image_string)] for e in images]
        assert all((e.width, e.height) == tuple(png_pixels(e.encoded_image_string)[:2])
                   for e in images)
    for tag in tags["histograms"]:
        values = [(e.step, e.histogram_value) for e in events.Histograms(tag)]
        found["histograms"][tag] = [[step, h.min, h.max, h.num, h.sum, h.sum_squares,
                                     list(h.bucket_limit), list(h.bucket)] for step, h in values]
    return found


def served(folder):
    """What the pages of the server ask for."""
    from tensorboard import context
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    files = plugin_event_multiplexer.EventMultiplexer()
    files.AddRunsFromDirectory(folder)
    files.Reload()
    provider = data_provider.MultiplexerDataProvider(files, folder)
    where = {"ctx": context.RequestContext(), "experiment_id": "", "downsample": 1000}

    def only_run(runs):
        assert list(runs) in ([], ["."])
        return runs.get(".", {})

    scalars = only_run(provider.read_scalars(plugin_name="scalars", **where))
    texts = only_run(provider.read_tensors(plugin_name="text", **where))
    histograms = only_run(provider.read_tensors(plugin_name="histograms", **where))
    images = only_run(provider.read_blob_sequences(plugin_name="images", **where))

    def picture(event):
        blobs = [provider.read_blob(ctx=where["ctx"], blob_key=v.blob_key) for v in event.values]
        width, height, pixels = png_pixels(blobs[2])
        assert len(blobs) == 3 and blobs[:2] == [b"%d" % width, b"%d" % height]
        return [event.step, width, height, pixels]

    return {
        "scalars": {t: [[e.step, finite(float(e.value))] for e in s] for t, s in scalars.items()},
        "texts": {t: [[e.step, e.numpy.item().decode()] for e in s] for t, s in texts.items()},
        "images": {t: [picture(e) for e in s] for t, s in images.items()},
        "histograms": {t: [[e.step, e.numpy.tolist()] for e in s] for t, s in histograms.items()},
    }


if __name__ == "__main__":
    if sys.argv[1] == "plain":
        result = plain(sys.argv[2])
    else:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import tensorboard.backend.event_processing.event_accumulator
        if sys.argv[1] == "probe":
            sys.exit(0)
        result = accumulated(sys.argv[2])
        result["server"] = served(sys.argv[2])
    json.dump(result, sys.stdout, allow_nan=False)
