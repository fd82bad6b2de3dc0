# SPDX-License-Identifier: Apache-2.0
"""Optimizers: the weights after each of 20 steps with given gradients, by torch.optim; NovoGrad and
Lion from their papers. A case's inputs are the first weights [n] and the gradients [20, n]."""

import numpy
import torch

from golden import File, numbers

STEPS, SIZE = 20, 7
file = File("optimizers")
start = numbers("weights", (SIZE,))
gradients = numbers("gradients", (STEPS, SIZE)) * torch.logspace(-3, 1, SIZE, dtype=torch.float64)


def run(make):
    def trajectory(w, g):
        w = torch.nn.Parameter(w.clone())
        optimizer, steps = make([w]), []
        for gradient in g:
            w.grad = gradient.clone()
            optimizer.step()
            steps.append(w.detach().clone())
        return torch.stack(steps)

    return trajectory


def case(name, make):
    file.case(name, run(make), start, gradients, gradient=False)


O = torch.optim
case("sgd", lambda w: O.SGD(w, lr=0.1))
case("momentum", lambda w: O.SGD(w, lr=0.1, momentum=0.9))
case("nesterov", lambda w: O.SGD(w, lr=0.1, momentum=0.9, nesterov=True))
case("adagrad", lambda w: O.Adagrad(w, lr=0.05))
case("rmsprop", lambda w: O.RMSprop(w, lr=0.01))
case("rmsprop-momentum", lambda w: O.RMSprop(w, lr=0.01, alpha=0.9, momentum=0.8))
case("rmsprop-centred", lambda w: O.RMSprop(w, lr=0.01, alpha=0.9, centered=True))
case("rmsprop-both", lambda w: O.RMSprop(w, lr=0.01, alpha=0.9, momentum=0.8, centered=True))
case("adadelta", lambda w: O.Adadelta(w, lr=1.0, rho=0.9, eps=1e-6))
case("adam", lambda w: O.Adam(w, lr=0.01))
case("adamw", lambda w: O.AdamW(w, lr=0.01, weight_decay=0.3))
case("adamax", lambda w: O.Adamax(w, lr=0.02))
case("nadam", lambda w: O.NAdam(w, lr=0.02))
case("radam", lambda w: O.RAdam(w, lr=0.02, betas=(0.9, 0.99)))


def novograd(w, g, lr=0.01, b1=0.95, b2=0.98, epsilon=1e-8, decay=0.1):
    w, m, v, steps = w.numpy().copy(), numpy.zeros(SIZE), None, []
    for gradient in g.numpy():
        squares = (gradient**2).sum()
        v = squares if v is None else b2 * v + (1 - b2) * squares
        m = b1 * m + gradient / (numpy.sqrt(v) + epsilon) + decay * w
        w = w - lr * m
        steps.append(w)
    return torch.from_numpy(numpy.stack(steps))


def lion(w, g, lr=0.01, b1=0.9, b2=0.99, decay=0.1):
    w, m, steps = w.numpy().copy(), numpy.zeros(SIZE), []
    for gradient in g.numpy():
        direction = numpy.sign(b1 * m + (1 - b1) * gradient)
        m = b2 * m + (1 - b2) * gradient
        w = (1 - lr * decay) * w - lr * direction
        steps.append(w)
    return torch.from_numpy(numpy.stack(steps))


file.case("novograd", novograd, start, gradients, gradient=False)
file.case("lion", lion, start, gradients, gradient=False)
file.close()
