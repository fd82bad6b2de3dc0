# SPDX-License-Identifier: Apache-2.0
"""Golden values of recurrent layers: torch.nn.RNN, LSTM and GRU, with packed sequences for lengths,
and, for peepholes, which PyTorch has not, the equations step by step.

Weights are in the SDK's convention (x W + h U + b), turned into PyTorch's within each function.
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from golden import File, numbers

T, N, IN, H = 4, 3, 2, 5
LENGTHS = torch.tensor([2, 4, 1])


def module(kind, W, U, b_ih, b_hh, reverse, **options):
    """The outputs, h and c of a PyTorch module with these weights; gradients flow to them."""
    layer = getattr(torch.nn, kind)(IN, H, bidirectional=reverse, **options).double()
    names = [f"{name}_l0{end}" for end in ("", "_reverse")[: 1 + reverse]
             for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    values = [W.t(), U.t(), b_ih, b_hh] * (1 + reverse)

    def run(x, lengths, state):
        if lengths is not None:
            x = pack_padded_sequence(x, lengths, enforce_sorted=False)
        if reverse:  # both directions have the weights; the second half is the one that is wanted
            state = [torch.cat((s, s)) for s in state]
        given = tuple(state) if kind == "LSTM" else state[0]
        y, last = torch.func.functional_call(layer, dict(zip(names, values)), (x, given))
        if lengths is not None:
            y, _ = pad_packed_sequence(y, total_length=T)
        last = last if kind == "LSTM" else (last,)
        return y[..., -H:], *(s[-1:] for s in last)

    return run


def joined(parts):
    return torch.cat([p.reshape(-1, N, H) for p in parts])


def elman(reverse, lengths, activation):
    def f(x, W, U, b, h0, *rest):
        run = module("RNN", W, U, b, torch.zeros_like(b), reverse, nonlinearity=activation)
        return joined(run(x, rest[0] if lengths else None, [h0[None]]))

    return f


def lstm(reverse, lengths):
    def f(x, W, U, b, h0, c0, *rest):
        run = module("LSTM", W, U, b, torch.zeros_like(b), reverse)
        return joined(run(x, rest[0] if lengths else None, [h0[None], c0[None]]))

    return f


def gru(reverse, lengths):
    def f(x, W, U, b, d, h0, *rest):
        other = torch.cat((torch.zeros(2 * H, dtype=d.dtype), d))
        run = module("GRU", W, U, b, other, reverse)
        return joined(run(x, rest[0] if lengths else None, [h0[None]]))

    return f


def peepholes(x, W, U, b, p, h, c):
    outputs = []
    for row in x:
        i, f, g, o = (row @ W + h @ U + b).chunk(4, 1)
        i, f = torch.sigmoid(i + p[0] * c), torch.sigmoid(f + p[1] * c)
        c = f * c + i * torch.tanh(g)
        h = torch.sigmoid(o + p[2] * c) * torch.tanh(c)
        outputs.append(h)
    return joined(outputs + [h, c])


def inputs(name, gates, *more):
    shapes = [(T, N, IN), (IN, gates * H), (H, gates * H), (gates * H,), *more]
    return [numbers(f"recurrent {name} {i}", s, -0.8, 0.8) for i, s in enumerate(shapes)]


file = File("recurrent")
for reverse in (False, True):
    for lengths in ((), (LENGTHS,)):
        end = ("-reverse" if reverse else "") + ("-lengths" if lengths else "")
        state = (N, H)
        if reverse == bool(lengths):
            f = "relu" if reverse else "tanh"
            name = f"elman-{f}{end}"
            file.case(name, elman(reverse, lengths, f), *inputs(name, 1, state), *lengths)
        name = f"lstm{end}"
        file.case(name, lstm(reverse, lengths), *inputs(name, 4, state, state), *lengths)
        name = f"gru{end}"
        file.case(name, gru(reverse, lengths), *inputs(name, 3, (H,), state), *lengths)
file.case("lstm-peepholes", peepholes, *inputs("peepholes", 4, (3, H), (N, H), (N, H)))
file.close()
