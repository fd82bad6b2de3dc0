# SPDX-License-Identifier: Apache-2.0
"""Attention of PyTorch."""

from torch.nn.functional import scaled_dot_product_attention

from golden import File, integers, numbers

file = File("attention")


def heads(name):
    return (numbers(name + " q", (2, 3, 5, 4), -2, 2), numbers(name + " k", (2, 3, 7, 4), -2, 2),
            numbers(name + " v", (2, 3, 7, 6)))


file.case("plain", scaled_dot_product_attention, *heads("plain"))
file.case("causal", lambda q, k, v: scaled_dot_product_attention(q, k, v, is_causal=True),
          *heads("causal"))
file.case("scale", lambda q, k, v: scaled_dot_product_attention(q, k, v, scale=0.3),
          *heads("scale"))

# The mask is an input of integers, so that it has no gradient: added as it is, or 1 for "allowed".
added = integers("added mask", (3, 1, 7), 5) - 2
file.case("added", lambda q, k, v, m: scaled_dot_product_attention(q, k, v, m.double()),
          *heads("added"), added)
allowed = integers("allowed mask", (2, 1, 5, 7), 2)
allowed[..., 3] = 1  # no row without a key
file.case("allowed", lambda q, k, v, m: scaled_dot_product_attention(q, k, v, m.bool()),
          *heads("allowed"), allowed)


def self_attention(x):
    b, t, width = x.shape
    q, k, v = x.view(b, t, 3, 3, width // 9).permute(2, 0, 3, 1, 4)
    return scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, -1)


file.case("self", self_attention, numbers("self", (2, 5, 36), -2, 2))
file.close()
