# SPDX-License-Identifier: Apache-2.0
#
# Folders as `abhost run` and `abhost compare` leave them, with every group that results.h5 can have,
# made without abhost: report_folders.py FOLDER makes FOLDER/run, FOLDER/lines and
# FOLDER/compare.
import json
import math
import os
import sys

import h5py
import numpy as np

YAML = """problem: {problem}
seed: {seed}
device: cpu
precision: f32
epochs: 20
data:
  plugin: digits
  batch: 50
  shuffle: true
noise:
  plugin: gaussian
  std: 0.1
model:
  plugin: auto-encoder
  tied: false
  encoder:
    plugin: mlp
    units: [64, 16]
    activation: relu
    output_activation: auto
    dropout: 0
  decoder:
    plugin: mlp
    units: [64]
    activation: relu
loss:
  plugin: mse
  reduction: mean
optimizer:
  plugin: adam
  lr: 0.002
  schedule:
    plugin: warm-up
    epochs: 2
    schedule:
      plugin: cosine
      minimum: 0.01
metrics:
- plugin: mse
- plugin: accuracy
"""


def write(folder, name, text):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
        file.write(text)


def digits(rng, n, side=8):
    """Rings and bars: something to recognise."""
    y, x = np.mgrid[0:side, 0:side] / (side - 1) * 2 - 1
    made = []
    for i in range(n):
        radius, turn = 0.35 + 0.4 * rng.random(), rng.random() * math.pi
        ring = np.exp(-((np.hypot(x, y) - radius) / 0.22) ** 2)
        bar = np.exp(-((x * math.cos(turn) + y * math.sin(turn)) / 0.2) ** 2)
        made.append(ring if i % 2 else bar)
    return np.array(made, 'f4')


def epochs(rng, count, level):
    for epoch in range(1, count + 1):
        loss = level + 0.4 * math.exp(-epoch / 4)
        yield {'event': 'epoch', 'epoch': epoch, 'step': 26 * epoch, 'seconds': 0.021 * epoch + 0.002 * rng.random(),
               'train': {'loss': loss + 0.004 * rng.normal()},
               'validation': {'mse': loss * 1.1 + 0.004 * rng.normal(), 'accuracy': 1 - loss + 0.01 * rng.normal()}}


def metrics(folder, rng, count=20, level=0.05):
    lines = list(epochs(rng, count, level))
    test = {'loss': level * 1.1, 'mse': level * 1.2, 'accuracy': 1 - level}
    lines.append({**lines[-1], 'event': 'end', 'test': test})
    write(folder, 'metrics.jsonl', ''.join(json.dumps(line) + '\n' for line in lines))
    return lines[-1]


def result(folder, end, problem, model, seed):
    it = {'format': 1, 'program': 'abhost 0.1.0', 'status': 'done', 'reason': None, 'problem': problem, 'model': model,
          'seed': seed, 'device': 'cpu', 'precision': 'f32', 'threads': 2, 'epochs': end['epoch'], 'steps': end['step'],
          'stopped_by': 'early stopping', 'parameters': 10576, 'multiply_adds': 10432, 'seconds': end['seconds'],
          'cpu_seconds': 0.83, 'peak_memory_bytes': 51200000, 'batches': '5f' * 32,
          'metrics': [{'name': 'mse', 'higher_is_better': False}, {'name': 'accuracy', 'higher_is_better': True}],
          'results': {key: end[key] for key in ('train', 'validation', 'test')}}
    write(folder, 'result.json', json.dumps(it))
    return it


def image(group, name, values):
    it = group.create_dataset(name, data=np.asarray(values, 'f4'))
    it.attrs['low'], it.attrs['high'] = 0.0, 1.0


def latent(entry, rng, n=300):
    y = rng.integers(0, 10, n)
    angle = y / 10 * 2 * math.pi
    points = np.stack([np.cos(angle), np.sin(angle) * 0.7], 1) * 3 + rng.normal(size=(n, 2)) * 0.5
    entry['latent/projection'], entry['latent/y'] = points, y
    entry['latent/explained'] = np.array([0.41, 0.22])


def boundary(entry, rng, turn=0.0):
    x1, x2 = np.linspace(-1, 1, 120), np.linspace(-1.2, 1.2, 100)
    a, b = np.meshgrid(x1, x2)
    entry['boundary/class'] = ((np.arctan2(b, a) + np.hypot(a, b) * 3 + turn) % (2 * math.pi) / (2 * math.pi) * 3).astype('i8')
    entry['boundary/x1'], entry['boundary/x2'] = x1, x2
    points = rng.uniform(-1, 1, (200, 2))
    entry['boundary/points'] = points
    entry['boundary/y'] = ((np.arctan2(points[:, 1], points[:, 0]) + np.hypot(*points.T) * 3) % (2 * math.pi) /
                           (2 * math.pi) * 3).astype('i8')


def roc(entry, rng, shift=1.5):
    y = np.repeat([0, 1], 150)
    score = rng.normal(size=300) + shift * y
    entry['scores/score'], entry['scores/y'] = score, y
    cut = np.sort(score)[::-1]
    hit, alarm = [(score[y == k][:, None] >= cut).mean(0) for k in (1, 0)]
    entry['roc/true_positive_rate'], entry['roc/false_positive_rate'], entry['roc/threshold'] = hit, alarm, cut
    entry['roc'].attrs['area'] = float(np.trapz(hit, alarm))


def pictures(entry, rng, blur=0.1):
    clean = digits(np.random.default_rng(5), 16)
    image(entry, 'reconstruction/input', np.clip(clean + 0.2 * np.random.default_rng(6).normal(size=clean.shape), 0, 1))
    image(entry, 'reconstruction/clean', clean)
    image(entry, 'reconstruction/output', np.clip(clean * (1 - blur) + blur * rng.random(clean.shape), 0, 1))
    entry['reconstruction/sample'] = np.arange(16)


def run(folder, rng):
    end = metrics(folder, rng)
    result(folder, end, 'reconstruct', 'auto-encoder', 7)
    write(folder, 'resolved.yaml', YAML.format(problem='reconstruct', seed=7))
    write(folder, 'manifest.yaml', '# </script><script>throw new Error("escaped")</script> & "quoted"\nproblem: reconstruct\n')
    write(folder, 'log.txt', '2026-11-21 14:50:46  finished after 20 epochs\n')
    with h5py.File(os.path.join(folder, 'results.h5'), 'w') as file:
        entry = file.create_group('entry')
        pictures(entry, rng)
        clean = digits(np.random.default_rng(5), 16)
        times = [0, 1, 2, 4, 8, 16, 20]
        image(entry, 'samples/value', [clean * t / 20 + (1 - t / 20) * rng.random(clean.shape) for t in times])
        entry['samples/epoch'] = np.array(times)
        latent(entry, rng)
        boundary(entry, rng)
        count = rng.integers(0, 4, (10, 10)) * (rng.random((10, 10)) < 0.4) + np.diag(rng.integers(30, 46, 10))
        entry['confusion/count'] = count
        roc(entry, rng)
        weights = digits(rng, 64) * rng.choice([-1, 1], 64)[:, None, None]
        entry['weights/model.encoder.W1/image'] = weights
        entry['weights/model.encoder.W1'].attrs['weight'] = 'model/encoder/W1'


def lines(folder, rng):
    """Samples that are no images, a score over the plane, returns, and a long run that has not ended."""
    write(folder, 'metrics.jsonl', ''.join(json.dumps(line) + '\n' for line in epochs(rng, 3000, 0.2)) + '{"event":"epo')
    write(folder, 'resolved.yaml', YAML.format(problem='score', seed=3))
    time = np.linspace(0, 6, 140)
    wave = np.array([np.sin(time * (1 + i / 4)) * np.exp(-time / 5) for i in range(9)])
    with h5py.File(os.path.join(folder, 'results.h5'), 'w') as file:
        entry = file.create_group('entry')
        entry['reconstruction/input'] = wave + 0.1 * rng.normal(size=wave.shape)
        entry['reconstruction/output'] = wave
        entry['samples/value'] = np.stack([wave * t for t in (0.1, 0.5, 1)])
        entry['samples/epoch'] = np.array([1, 2, 4])
        x = np.linspace(-1, 1, 60)
        entry['boundary/value'] = np.hypot(*np.meshgrid(x, x))
        entry['boundary/x1'] = entry['boundary/x2'] = x
        entry['returns/return'] = 200 + 30 * rng.normal(size=24)


def compare(folder, rng):
    names = ['auto-encoder', 'rbm', 'stacked-auto-encoder', 'convolutional-auto-encoder', 'dbm', 'lstm-encoder-decoder']
    candidates = []
    for i, name in enumerate(names):
        runs, level = [], 0.03 + 0.013 * i
        for seed in (1, 2, 3):
            below = f'runs/{name}-seed{seed}'
            path = os.path.join(folder, below)
            bad = name == 'dbm' and seed == 2
            it = {'seed': seed, 'folder': below, 'status': 'done', 'reason': None, 'rung': None}
            end = metrics(path, rng, 12 if bad else 20, level + 0.003 * rng.normal())
            end = result(path, end, 'reconstruct', name, seed)
            if bad:
                it.update(status='diverged', reason='the loss is not finite in epoch 13, step 331 </script>', results={})
            else:
                it.update({key: end[key] for key in ('results', 'seconds', 'cpu_seconds', 'peak_memory_bytes', 'batches')})
            write(path, 'report.html', '<!DOCTYPE html>')
            if seed == 1:
                with h5py.File(os.path.join(path, 'results.h5'), 'w') as file:
                    entry = file.create_group('entry')
                    pictures(entry, rng, 0.1 + 0.12 * i)
                    latent(entry, rng, 120)
                    boundary(entry, rng, i / 4)
                    roc(entry, rng, 2 - i / 4)
            runs.append(it)
        summary = {}
        for metric, best in (('mse', min), ('accuracy', max)):
            values = [it['results']['test'][metric] for it in runs if it['status'] == 'done']
            mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
            half = 4.3 * sd / math.sqrt(len(values))
            summary[metric] = {'n': len(values), 'mean': mean, 'sd': sd, 'low': mean - half, 'high': mean + half,
                               'best': i == 0, 'p': None if i == 0 else 0.3 / 6 ** i, 'p_adjusted': None if i == 0 else 0.5 / 5 ** i}
        candidates.append({'name': name, 'model': name, 'sets': [f'model.hidden={32 * i}'] if i % 2 else [], 'parameters': 4000 * (i + 1) ** 2,
                           'multiply_adds': 90000 * (i + 1), 'runs': runs, 'summary': {'test': summary},
                           'seconds': {'mean': 1.0 + 3 * i, 'sd': 0.1}, 'cpu_seconds': {'mean': 1.9 + 5 * i, 'sd': 0.2},
                           'peak_memory_bytes': 5e7 + 1e7 * i})
    write(folder, 'compare.json', json.dumps({
        'format': 1, 'program': 'abhost 0.1.0', 'manifest': 'examples/mnist-reconstruct.yaml', 'problem': 'reconstruct',
        'seeds': [1, 2, 3], 'budget': {'kind': 'steps', 'value': 1000}, 'identical_batches': True, 'split': 'test',
        'metrics': [{'name': 'mse', 'higher_is_better': False}, {'name': 'accuracy', 'higher_is_better': True}],
        'candidates': candidates}))


if __name__ == '__main__':
    for make in (run, lines, compare):
        make(os.path.join(sys.argv[1], make.__name__), np.random.default_rng(1))
