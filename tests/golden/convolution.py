# SPDX-License-Identifier: Apache-2.0
"""Convolution, its transpose and their unfolding: PyTorch's results and gradients."""

from torch.nn import functional as F

from golden import File, numbers

file = File("convolution")


def case(name, function, *shapes):
    file.case(name, function, *(numbers(f"{name} {i}", shape) for i, shape in enumerate(shapes)))


case("line", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=2, dilation=2),
     (2, 3, 11), (4, 3, 3), (4,))
case("plane", lambda x, w, b: F.conv2d(x, w, b, stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
     (2, 3, 7, 6), (4, 3, 3, 2), (4,))
case("same", lambda x, w, b: F.conv2d(x, w, b, padding=1).sigmoid(),
     (1, 8, 3, 5), (9, 8, 3, 3), (9,))
case("first", lambda x, w, b: F.conv2d(x, w, b, padding=1).tanh(), (1, 1, 5, 3), (20, 1, 3, 3), (20,))
case("groups", lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1, groups=2).relu(),
     (2, 6, 7, 5), (4, 3, 3, 3), (4,))
case("depthwise", lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1, groups=6),
     (2, 6, 7, 5), (6, 1, 3, 3), (6,))
case("volume", lambda x, w, b: F.conv3d(x, w, b, stride=(1, 2, 1), padding=(1, 0, 1)),
     (2, 2, 3, 5, 4), (3, 2, 2, 3, 3), (3,))
case("uneven", lambda x, w: F.conv2d(F.pad(x, (1, 2, 0, 1)), w), (2, 3, 4, 5), (2, 3, 3, 2))
case("gelu", lambda x, w, b: F.gelu(F.conv2d(x, w, b)), (2, 3, 4, 5), (2, 3, 3, 2), (2,))
case("transposed-line", lambda x, w, b: F.conv_transpose1d(x, w, b, stride=3, padding=1),
     (2, 3, 5), (3, 4, 4), (4,))
case("transposed-plane",
     lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(2, 3), padding=(1, 0),
                                        output_padding=(1, 2), dilation=(1, 2)),
     (2, 3, 4, 3), (3, 4, 3, 2), (4,))
case("transposed-same", lambda x, w, b: F.conv_transpose2d(x, w, b, padding=1).sigmoid(),
     (1, 8, 3, 5), (8, 9, 3, 3), (9,))
case("transposed-last", lambda x, w, b: F.conv_transpose2d(x, w, b, padding=1).sigmoid(),
     (1, 20, 3, 5), (20, 1, 3, 3), (1,))
case("transposed-groups", lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(2, 1), groups=2),
     (2, 4, 3, 5), (4, 3, 3, 2), (6,))
case("transposed-volume",
     lambda x, w, b: F.conv_transpose3d(x, w, b, stride=(1, 2, 1), padding=(1, 0, 1)),
     (1, 2, 3, 2, 4), (2, 3, 2, 3, 3), (3,))


def tied(x, w, b, c):
    h = F.conv2d(x, w, b, padding=1).sigmoid()
    return F.conv_transpose2d(h, w, c, padding=1).sigmoid()


case("tied", tied, (1, 8, 3, 4), (9, 8, 3, 3), (9,), (8,))
case("unfold",
     lambda x: F.unfold(x, (3, 2), dilation=(1, 2), padding=(1, 2), stride=(2, 1)), (1, 2, 5, 4))
case("fold",
     lambda x: F.fold(x, (5, 4), (3, 2), dilation=(1, 2), padding=(1, 2), stride=(2, 1)),
     (1, 12, 18))
file.close()
