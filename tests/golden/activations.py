# SPDX-License-Identifier: Apache-2.0
"""Activations, by PyTorch; those it has not, from their equations."""

import torch
from golden import File, numbers

F = torch.nn.functional
file = File("activations")


def case(name, function, low=-5.0, high=5.0):
    file.case(name, function, numbers(name, (3, 7), low, high))


case("sigmoid", torch.sigmoid)
case("tanh", torch.tanh)
case("relu", torch.relu)
case("softplus", F.softplus)
case("hard_tanh", F.hardtanh, -2, 2)
case("relu6", F.relu6, -3, 9)
case("leaky_relu", F.leaky_relu)
case("elu", F.elu)
case("selu", F.selu)
case("gelu", F.gelu)
case("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"))
case("swish", F.silu)
case("mish", F.mish)
case("softsign", F.softsign)
case("bent_identity", lambda x: ((x * x + 1).sqrt() - 1) / 2 + x)
case("gaussian", lambda x: (-x * x).exp(), -2, 2)
case("tanhshrink", F.tanhshrink)
case("hard_sigmoid", lambda x: (x / 6 + 0.5).clamp(0, 1))  # PyTorch has 1 / 6 in f32
case("hard_swish", F.hardswish)
case("log_sigmoid", F.logsigmoid)
case("exponential", torch.exp, -3, 3)
case("leaky", lambda x: F.leaky_relu(x, -0.3))
case("elu_by", lambda x: F.elu(x, 0.4))
file.case("prelu", F.prelu, numbers("prelu x", (2, 3, 5)), numbers("prelu slope", (3,)))
file.case("linear_three", lambda x, W, b: torch.tanh(x @ W + b),
          numbers("linear x", (2, 3, 5)), numbers("linear W", (5, 4)), numbers("linear b", (4,)))
file.close()
