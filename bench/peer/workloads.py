# SPDX-License-Identifier: Apache-2.0
"""The workloads of bench/compare in PyTorch: one training step each, as fast as PyTorch does it.

Common to all: f32; synthetic data in a pool of 4 batches, made before anything is timed and used in
turn; a step is zero_grad, forward, backward, update. A mean is over all elements unless a line says
otherwise. [n] is the batch. Adam: lr 1e-3, betas 0.9 and 0.999, eps 1e-8, no weight decay.
Initialisers are PyTorch's own; they have no bearing on the work. Linear layers have biases.

mlp-auto-encoder [100]
    x: [100, 784] uniform in [0, 1). Linear 784-512-256-64-256-512-784; ReLU after each but the
    last, sigmoid after the last. Loss: mean (y - x)^2. Adam. 1 100 112 parameters.

conv-auto-encoder-28 [100], conv-auto-encoder-96 [20]
    x: [n, 1, s, s] uniform in [0, 1). Encoder: convolution 3x3, padding 1, 1 -> 20 (weight W1
    [20, 1, 3, 3]), sigmoid; the same 20 -> 20 (W2 [20, 20, 3, 3]), sigmoid. Decoder, tied:
    transposed convolution by W2, 20 -> 20, sigmoid; transposed convolution by W1, 20 -> 1, sigmoid;
    padding 1, so that all planes are s x s. Four biases of their own: 20, 20, 20, 1. W1 and W2 are
    learned from both of their uses. No gradient of x. Loss: mean (y - x)^2. Adam. 3 841 parameters.

lstm-encoder-decoder [20]
    x: [20, 30, 10] (kept time first), standard normal. Encoder: LSTM 10 -> 200 from zeros, of which
    only the final state (h, c) is used. Decoder: another LSTM 10 -> 200 from that state; target t =
    x reversed in time; its input is 0, t[0], ..., t[28] (teacher forcing; made with the data).
    Linear 200 -> 10 of each step's h. Loss: mean (y - t)^2. Adam. LSTM without peepholes or
    projection; torch keeps two biases of 800 per layer where one would do: 341 210 parameters
    (339 610 with one).

gru-classifier [100]
    x: [100, 28, 28] (kept time first) uniform in [0, 1), label uniform in 0..9. GRU 28 -> 128 from
    zeros, with the reset gate applied after the recurrent product (h (W_hn) + b_hn) and so two
    biases of 384; linear 128 -> 10 of the last h. Loss: mean cross-entropy over the batch. Adam.
    61 962 parameters.

gan [100]
    Generator 50-128-256-512-784, discriminator 784-512-256-128-1; tanh after each hidden layer,
    tanh after the generator's last, the discriminator gives logits. Real x: [100, 784] uniform in
    [-1, 1). One step: z [100, 50] standard normal, drawn in the step; fake = G(z), once. Update of
    D: mean BCE(D(x), 1) + mean BCE(D(fake), 0), with logits, fake held fixed (the 200 rows go
    through D as one batch). Then update of G: mean BCE(D(fake), 1) by the D just updated, the same
    fake; D's weight gradients are not computed here. Two Adams, each lr 1e-3. The loss reported is
    D's. 573 328 + 566 273 = 1 139 601 parameters.

rbm-cd1 [100]
    v0: [100, 784], 0 or 1 with p 0.5. W [784, 500], b [784], c [500]. No autograd.
    h0 = s(v0 W + c); h = (uniform < h0); v1 = s(h W' + b), means; h1 = s(v1 W + c).
    W += lr / 100 (v0' h0 - v1' h1), b += lr mean over rows (v0 - v1),
    c += lr mean over rows (h0 - h1), lr 0.05. The loss reported is mean (v0 - v1)^2 of the last
    step, computed after the timing. 393 284 parameters.

dqn [80]
    Q: 4-32-32-2, tanh after all three (the output too); the target network has the same shape, is a
    copy made at the start and is not refreshed in the timed steps. Batches: s, s' [80, 4] standard
    normal, action uniform in 0..1, reward uniform in [0, 1), done with p 0.1 (float). y = r + 0.99
    (1 - done) max_a Qt(s'), no gradient; loss: mean (Q(s)[a] - y)^2. Adadelta lr 1, rho 0.9, eps
    1e-6. 1 282 parameters (the target's not counted).

mobilenet-v2 [32]
    x: [32, 3, 32, 32] standard normal, label uniform in 0..9. Stem: convolution 3x3 stride 2, 3 ->
    32, BN, ReLU6. Inverted residuals (t, c, n, s): (1,16,1,1) (6,24,2,2) (6,32,3,2) (6,64,4,2)
    (6,96,3,1) (6,160,3,2) (6,320,1,1): 1x1 expansion by t, BN, ReLU6 (absent where t is 1);
    depthwise 3x3 of stride s in the first of the n, BN, ReLU6; 1x1 projection, BN; plus the input
    where stride is 1 and channels agree. 1x1 convolution to 1280, BN, ReLU6; mean over the plane
    (1x1 by then); linear 1280 -> 10. Convolutions have no biases, 3x3 have padding 1. BN in
    training mode: batch statistics, running ones updated with momentum 0.1, eps 1e-5. No dropout.
    Loss: mean cross-entropy over the batch. Adam. 2 236 682 parameters.

transformer-encoder [16]
    Tokens: [16, 128] uniform in 0..999, label uniform in 0..9. h = E[token] + sinusoidal positions
    (constant); width 256, no scaling of E. Two layers: h += O(attention(LN(h))), 8 heads of 32,
    scores / sqrt(32), no mask; h += W2 gelu(W1 LN(h)), 256-1024-256, exact (erf) GELU. A last LN,
    mean over the 128 tokens, linear 256 -> 10. All linear with biases, LN with gain and bias, eps
    1e-5, no dropout. Gradient of E dense. Loss: mean cross-entropy over the batch. Adam. 1 838 602
    parameters.

stacked-rbm [100]
    One `step` is the whole learning: X [10000, 10000] normal(0.5, 0.2), made beforehand (400 MB).
    Layer 1: RBM 10000 x 10, one epoch of 100 batches in order. Then H = s(X W + c) [10000, 10], in
    the timed part, and layer 2: RBM 10 x 10000 on H, one epoch of 100 batches. Both begin anew: W
    normal(0, 0.01), b = c = 0. A step of either as in rbm-cd1, except that v1 is sampled too, v1 =
    (uniform < s(h W' + b)). lr 0.05. The loss reported is mean (v0 - v1)^2 of the last batch of
    layer 2. 220 020 parameters.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

POOL = 4


class Workload:
    """Base: `step()` does one step; `loss()` gives the last one's loss."""

    # What was the fastest when measured; a dict where eager and compile differ. See README.md.
    layout = "contiguous"  # or channels_last
    optimizer = "fused"  # or foreach, single, compiled
    variant = None  # workload's own
    variants = ()

    def __init__(self, mode, **settings):
        self.mode = mode
        for name in ("layout", "optimizer", "variant"):
            value = settings.get(name) or getattr(type(self), name)
            setattr(self, name, value[mode] if isinstance(value, dict) else value)
        if self.variant and self.variant not in self.variants:
            raise ValueError(f"no variant {self.variant}; it is one of: {', '.join(self.variants)}")
        self.turn = 0
        self.build()

    def compiled(self, function, **options):
        if self.mode != "compile":
            return function
        return torch.compile(function, dynamic=False, options=options or None)

    def next_batch(self):
        self.turn = (self.turn + 1) % POOL
        return self.pool[self.turn]

    def placed(self, thing):
        if self.layout == "channels_last":
            return thing.to(memory_format=torch.channels_last)
        return thing

    def updater(self, parameters, kind=torch.optim.Adam, **settings):
        """An optimizer of the chosen implementation."""
        how = self.optimizer
        if how == "compiled":
            made = kind(parameters, foreach=True, **settings)
            made.step = torch.compile(made.step, dynamic=False)
            return made
        if how == "single":
            return kind(parameters, foreach=False, **settings)
        return kind(parameters, **{how: True}, **settings)


class Supervised(Workload):
    """A module and a loss: build_model() gives the module, loss_of(*batch) the loss."""

    def build(self):
        self.model = self.placed(self.build_model())
        self.pool = [self.batch() for _ in range(POOL)]
        self.opt = self.make_optimizer()
        self.objective = self.compiled(self.loss_of)
        self.parameters = count(self.model)

    def make_optimizer(self):
        return self.updater(self.model.parameters(), lr=1e-3)

    def step(self):
        self.opt.zero_grad(set_to_none=True)
        loss = self.objective(*self.next_batch())
        loss.backward()
        self.opt.step()
        self.last = loss.detach()

    def loss(self):
        return self.last.item()


def count(module):
    return sum(p.numel() for p in module.parameters())


def dense(widths, hidden, last=None):
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        final = i == len(widths) - 2
        layers.append(nn.Linear(a, b))
        if not final:
            layers.append(hidden())
        elif last:
            layers.append(last())
    return nn.Sequential(*layers)


# ---- auto-encoders -------------------------------------------------------------------------------


class MlpAutoEncoder(Supervised):
    def build_model(self):
        widths = (784, 512, 256, 64, 256, 512, 784)
        return dense(widths, lambda: nn.ReLU(inplace=True), nn.Sigmoid)

    def batch(self):
        return (torch.rand(100, 784),)

    def loss_of(self, x):
        return F.mse_loss(self.model(x), x)


class TiedConvolutions(nn.Module):
    def __init__(self, flipped):
        super().__init__()
        self.first = nn.Conv2d(1, 20, 3, padding=1)
        self.second = nn.Conv2d(20, 20, 3, padding=1)
        self.bias_hidden = nn.Parameter(torch.zeros(20))
        self.bias_out = nn.Parameter(torch.zeros(1))
        self.flipped = flipped

    def transposed(self, x, weight, bias):
        if self.flipped:  # at stride 1 a convolution by the turned weights is the same thing
            return F.conv2d(x, weight.flip(2, 3).transpose(0, 1), bias, padding=1)
        return F.conv_transpose2d(x, weight, bias, padding=1)

    def forward(self, x):
        h = self.first(x).sigmoid_()
        h = self.second(h).sigmoid_()
        h = self.transposed(h, self.second.weight, self.bias_hidden).sigmoid_()
        return self.transposed(h, self.first.weight, self.bias_out).sigmoid_()


class ConvAutoEncoder(Supervised):
    layout = "channels_last"
    variants = ("transposed", "flipped")
    variant = "transposed"

    def build_model(self):
        return TiedConvolutions(self.variant == "flipped")

    def batch(self):
        return (self.placed(torch.rand(self.rows, 1, self.side, self.side)),)

    def loss_of(self, x):
        return F.mse_loss(self.model(x), x)


class ConvAutoEncoder28(ConvAutoEncoder):
    rows, side = 100, 28


class ConvAutoEncoder96(ConvAutoEncoder):
    rows, side = 20, 96


# ---- recurrent -----------------------------------------------------------------------------------


class Sequences(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.LSTM(10, 200)
        self.decoder = nn.LSTM(10, 200)
        self.out = nn.Linear(200, 10)

    def forward(self, x, shifted):
        _, state = self.encoder(x)
        h, _ = self.decoder(shifted, state)
        return self.out(h)


def unrolled_lstm(lstm, x, state=None):
    """What nn.LSTM computes, in operations that a compiler sees."""
    received = F.linear(x, lstm.weight_ih_l0, lstm.bias_ih_l0 + lstm.bias_hh_l0)
    zeros = x.new_zeros(x.shape[1], lstm.hidden_size)
    h, c = state or (zeros, zeros)
    turned, outputs = lstm.weight_hh_l0.t(), []
    for row in received.unbind(0):
        i, f, g, o = torch.addmm(row, h, turned).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h)
    return torch.stack(outputs), (h, c)


class LstmEncoderDecoder(Supervised):
    variants = ("module", "unrolled")
    variant = "module"

    def build_model(self):
        return Sequences()

    def batch(self):
        x = torch.randn(30, 20, 10)
        target = x.flip(0)
        shifted = torch.cat((torch.zeros(1, 20, 10), target[:-1]))
        return x, shifted, target

    def loss_of(self, x, shifted, target):
        if self.variant == "module":
            return F.mse_loss(self.model(x, shifted), target)
        _, state = unrolled_lstm(self.model.encoder, x)
        h, _ = unrolled_lstm(self.model.decoder, shifted, state)
        return F.mse_loss(self.model.out(h), target)


def unrolled_gru(gru, x):
    """The last h of nn.GRU, in operations that a compiler sees."""
    received = F.linear(x, gru.weight_ih_l0, gru.bias_ih_l0)
    h = x.new_zeros(x.shape[1], gru.hidden_size)
    for row in received.unbind(0):
        reset, update, new = row.chunk(3, 1)
        hr, hu, hn = F.linear(h, gru.weight_hh_l0, gru.bias_hh_l0).chunk(3, 1)
        candidate = torch.tanh(new + torch.sigmoid(reset + hr) * hn)
        h = candidate + torch.sigmoid(update + hu) * (h - candidate)
    return h


class GruClassifier(Supervised):
    variants = ("module", "unrolled")
    variant = "module"

    def build_model(self):
        return nn.ModuleDict({"gru": nn.GRU(28, 128), "out": nn.Linear(128, 10)})

    def batch(self):
        return torch.rand(28, 100, 28), torch.randint(10, (100,))

    def loss_of(self, x, label):
        gru = self.model["gru"]
        h = gru(x)[1][0] if self.variant == "module" else unrolled_gru(gru, x)
        return F.cross_entropy(self.model["out"](h), label)


# ---- adversarial ---------------------------------------------------------------------------------


class Gan(Workload):
    def build(self):
        self.generator = dense((50, 128, 256, 512, 784), nn.Tanh, nn.Tanh)
        self.critic = dense((784, 512, 256, 128, 1), nn.Tanh)
        self.weights = list(self.critic.parameters())
        self.opt_g = self.updater(self.generator.parameters(), lr=1e-3)
        self.opt_d = self.updater(self.weights, lr=1e-3)
        self.pool = [torch.rand(100, 784) * 2 - 1 for _ in range(POOL)]
        self.real_then_fake = torch.cat((torch.ones(100, 1), torch.zeros(100, 1)))
        self.ones = torch.ones(100, 1)
        self.generate = self.compiled(self.generator)
        self.critic_loss = self.compiled(self.critic_loss)
        self.generator_loss = self.compiled(self.generator_loss)
        self.parameters = count(self.generator) + count(self.critic)

    def critic_loss(self, real, fake):
        logits = self.critic(torch.cat((real, fake)))
        return 2 * F.binary_cross_entropy_with_logits(logits, self.real_then_fake)

    def generator_loss(self, fake):
        return F.binary_cross_entropy_with_logits(self.critic(fake), self.ones)

    def step(self):
        fake = self.generate(torch.randn(100, 50))
        self.opt_d.zero_grad(set_to_none=True)
        loss = self.critic_loss(self.next_batch(), fake.detach())
        loss.backward()
        self.opt_d.step()
        for w in self.weights:
            w.requires_grad_(False)
        self.opt_g.zero_grad(set_to_none=True)
        self.generator_loss(fake).backward()
        self.opt_g.step()
        for w in self.weights:
            w.requires_grad_(True)
        self.last = loss.detach()

    def loss(self):
        return self.last.item()


# ---- Boltzmann machines --------------------------------------------------------------------------


def draw(mean):
    return torch.rand_like(mean).lt_(mean)


def draw_new(mean):
    """The same for a compiler, which would rather have no operation in place."""
    return (torch.rand_like(mean) < mean).to(mean.dtype)


# torch.compile's own random numbers are the slower here, so it is told to call PyTorch's.
DRAW_OUTSIDE = {"fallback_random": True}


class Machine:
    """A Bernoulli RBM and its CD-1."""

    def __init__(self, visible, hidden, sampled, draw):
        if visible > hidden:  # in memory the long side is the last: products are faster so
            self.W = torch.randn(hidden, visible).mul_(0.01).t()
        else:
            self.W = torch.randn(visible, hidden).mul_(0.01)
        self.b = torch.zeros(visible)
        self.c = torch.zeros(hidden)
        self.sampled = sampled  # visible units
        self.draw = draw

    def hidden(self, v):
        return torch.addmm(self.c, v, self.W).sigmoid_()

    def chain(self, v0):
        """v1, h0, h1, and the sums over rows for b and c."""
        h0 = self.hidden(v0)
        v1 = torch.addmm(self.b, self.draw(h0), self.W.t()).sigmoid_()
        if self.sampled:
            v1 = self.draw(v1)
        h1 = self.hidden(v1)
        return v1, h0, h1, v0.sum(0) - v1.sum(0), h0.sum(0) - h1.sum(0)

    def learn(self, v0, lr):
        v1, h0, h1, change_b, change_c = self.chain(v0)
        rate = lr / v0.shape[0]
        self.W.addmm_(v0.t(), h0, alpha=rate).addmm_(v1.t(), h1, alpha=-rate)
        self.b.add_(change_b, alpha=rate)
        self.c.add_(change_c, alpha=rate)
        return v1


class RbmCd1(Workload):
    def build(self):
        drawing = draw_new if self.mode == "compile" else draw
        self.machine = Machine(784, 500, False, drawing)
        self.pool = [(torch.rand(100, 784) < 0.5).float() for _ in range(POOL)]
        self.machine.chain = self.compiled(self.machine.chain, **DRAW_OUTSIDE)
        self.parameters = 784 * 500 + 784 + 500

    @torch.no_grad()
    def step(self):
        v0 = self.next_batch()
        self.last = v0, self.machine.learn(v0, 0.05)

    def loss(self):
        return F.mse_loss(*self.last).item()


class StackedRbm(Workload):
    rows, visible, hidden = 10000, 10000, 10

    def build(self):
        self.data = torch.empty(self.rows, self.visible).normal_(0.5, 0.2)
        self.parameters = 2 * (self.visible * self.hidden + self.visible + self.hidden)
        self.machines = [
            self.machine(self.visible, self.hidden),
            self.machine(self.hidden, self.visible),
        ]

    def machine(self, visible, hidden):
        drawing = draw_new if self.mode == "compile" else draw
        made = Machine(visible, hidden, True, drawing)
        made.chain = self.compiled(made.chain, **DRAW_OUTSIDE)
        made.hidden = self.compiled(made.hidden)
        return made

    def renew(self):
        for machine in self.machines:
            machine.W.normal_(0, 0.01)
            machine.b.zero_()
            machine.c.zero_()

    @torch.no_grad()
    def step(self):
        self.renew()
        x = self.data
        for i, machine in enumerate(self.machines):
            for v0 in x.split(100):
                v1 = machine.learn(v0, 0.05)
            if i == 0:
                x = machine.hidden(x)
        self.last = v0, v1

    def loss(self):
        return F.mse_loss(*self.last).item()


# ---- reinforcement -------------------------------------------------------------------------------


class Dqn(Supervised):
    optimizer = "foreach"  # there is no fused Adadelta
    variants = ("module", "captured")
    variant = {"eager": "module", "compile": "captured"}

    def build(self):
        super().build()
        if self.variant == "captured":
            if self.mode != "compile":
                raise ValueError("variant captured is of mode compile only")
            self.captured = torch.compile(self.whole_step, dynamic=False)
            self.weights = {n: p.detach() for n, p in self.model.named_parameters()}
            self.squares = {n: torch.zeros_like(p) for n, p in self.weights.items()}
            self.changes = {n: torch.zeros_like(p) for n, p in self.weights.items()}

    def build_model(self):
        self.target = dense((4, 32, 32, 2), nn.Tanh, nn.Tanh).requires_grad_(False)
        online = dense((4, 32, 32, 2), nn.Tanh, nn.Tanh)
        self.target.load_state_dict(online.state_dict())
        return online

    def make_optimizer(self):
        return self.updater(self.model.parameters(), torch.optim.Adadelta, lr=1.0, rho=0.9)

    def batch(self):
        action = torch.randint(2, (80, 1))
        done = (torch.rand(80) < 0.1).float()
        return torch.randn(80, 4), action, torch.rand(80), torch.randn(80, 4), done

    def loss_of(self, state, action, reward, following, done):
        y = self.wanted(reward, following, done)
        return F.mse_loss(self.model(state).gather(1, action).squeeze(1), y)

    @torch.no_grad()
    def wanted(self, reward, following, done):
        return torch.addcmul(reward, 1 - done, self.target(following).amax(1), value=0.99)

    def whole_step(self, state, action, reward, following, done):
        """Forward, backward and Adadelta as one graph: here calls cost more than arithmetic."""
        y = self.wanted(reward, following, done)

        def loss_of(weights):
            q = torch.func.functional_call(self.model, weights, (state,))
            return F.mse_loss(q.gather(1, action).squeeze(1), y)

        gradients, loss = torch.func.grad_and_value(loss_of)(self.weights)
        for name, g in gradients.items():
            square, change = self.squares[name], self.changes[name]
            square.mul_(0.9).addcmul_(g, g, value=0.1)
            delta = (change + 1e-6).sqrt() / (square + 1e-6).sqrt() * g
            change.mul_(0.9).addcmul_(delta, delta, value=0.1)
            self.weights[name].sub_(delta)
        return loss

    def step(self):
        if self.variant == "module":
            return super().step()
        with torch.no_grad():
            self.last = self.captured(*self.next_batch())


# ---- images --------------------------------------------------------------------------------------


def convolution(inputs, outputs, size, stride=1, groups=1, active=True):
    pad = size // 2
    layers = [
        nn.Conv2d(inputs, outputs, size, stride, pad, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if active:
        layers.append(nn.ReLU6(inplace=True))
    return layers


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        layers = convolution(inputs, wide, 1) if expansion > 1 else []
        layers += convolution(wide, wide, 3, stride, groups=wide)
        layers += convolution(wide, outputs, 1, active=False)
        self.branch = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.branch(x) if self.residual else self.branch(x)


class MobileNetV2(Supervised):
    layout = {"eager": "channels_last", "compile": "contiguous"}
    table = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )

    def build_model(self):
        layers = convolution(3, 32, 3, 2)
        inputs = 32
        for expansion, outputs, repeats, stride in self.table:
            for i in range(repeats):
                layers.append(InvertedResidual(inputs, outputs, 1 if i else stride, expansion))
                inputs = outputs
        layers += convolution(inputs, 1280, 1)
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 10)]
        return nn.Sequential(*layers)

    def batch(self):
        return self.placed(torch.randn(32, 3, 32, 32)), torch.randint(10, (32,))

    def loss_of(self, x, label):
        return F.cross_entropy(self.model(x), label)


# ---- attention -----------------------------------------------------------------------------------


class EncoderLayer(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.before_forward = nn.LayerNorm(width)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)

    def attention(self, h):
        batch, tokens, width = h.shape
        split = self.queries_keys_values(h).view(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.mix(mixed.transpose(1, 2).reshape(batch, tokens, width))

    def forward(self, h):
        h = h + self.attention(self.before_attention(h))
        return h + self.narrow(F.gelu(self.widen(self.before_forward(h))))


def sinusoids(tokens, width):
    position = torch.arange(tokens).unsqueeze(1)
    angle = position * torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    return torch.stack((angle.sin(), angle.cos()), 2).view(tokens, width)


class Encoder(nn.Module):
    def __init__(self, vocabulary, tokens, width, heads, inner, layers, classes):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.register_buffer("positions", sinusoids(tokens, width))
        self.layers = nn.Sequential(*(EncoderLayer(width, heads, inner) for _ in range(layers)))
        self.last = nn.LayerNorm(width)
        self.out = nn.Linear(width, classes)

    def forward(self, token):
        h = self.layers(self.embedding(token) + self.positions)
        return self.out(self.last(h).mean(1))


class TransformerEncoder(Supervised):
    def build_model(self):
        return Encoder(1000, 128, width=256, heads=8, inner=1024, layers=2, classes=10)

    def batch(self):
        return torch.randint(1000, (16, 128)), torch.randint(10, (16,))

    def loss_of(self, token, label):
        return F.cross_entropy(self.model(token), label)


WORKLOADS = {
    "mlp-auto-encoder": MlpAutoEncoder,
    "conv-auto-encoder-28": ConvAutoEncoder28,
    "conv-auto-encoder-96": ConvAutoEncoder96,
    "lstm-encoder-decoder": LstmEncoderDecoder,
    "gru-classifier": GruClassifier,
    "gan": Gan,
    "rbm-cd1": RbmCd1,
    "dqn": Dqn,
    "mobilenet-v2": MobileNetV2,
    "transformer-encoder": TransformerEncoder,
    "stacked-rbm": StackedRbm,
}
