# SPDX-License-Identifier: Apache-2.0
"""Golden values of moving by index: indexing.h5 (tests/unit/sdk/indexing.c reads it)."""

from golden import File, integers, numbers

out = File("indexing")
x = numbers("indexing x", (3, 5, 4))
gathered = integers("gather", (2, 6, 4), 5)
out.case("gather", lambda a, i: a.gather(1, i) ** 2, x, gathered)
source = numbers("scatter source", (3, 6, 4))
out.case("scatter-add", lambda a, s, i: a.scatter_add(1, i, s[:2]) ** 2, x, source, gathered)
chosen = integers("select", (7,), 5)
out.case("index-select", lambda a, i: a.index_select(1, i) ** 2, x, chosen)
added = numbers("index add", (3, 7, 4))
out.case("index-add", lambda a, s, i: a.index_add(1, i, s) ** 2, x, added, chosen)
labels = integers("labels", (3, 5), 4)
out.case("pick", lambda a, i: a.gather(2, i[..., None])[..., 0] ** 2, x, labels)
out.close()
