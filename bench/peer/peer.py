# SPDX-License-Identifier: Apache-2.0
"""The peer of bench/compare: runs one workload in PyTorch, step by step on demand.

    peer.py WORKLOAD eager|compile THREADS [--layout L] [--optimizer O] [--variant V] [--malloc M]
    peer.py --list

Lines of JSON on standard output; requests on standard input. README.md has the protocol.
"""

import argparse
import ctypes
import gc
import json
import resource
import sys
import time

sys.dont_write_bytecode = True  # the folder of sources stays as it is

try:
    import torch
    from workloads import WORKLOADS
except ImportError as missing:
    sys.exit(f"peer.py: {missing}; README.md beside it says how to install PyTorch")

WARM_UP_STEPS = 5
WARM_UP_SECONDS = 0.5


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(1, f"peer.py: {message}\n")


def say(**fields):
    print(json.dumps(fields), flush=True)


def arguments():
    parser = Parser(description="One workload of bench/compare in PyTorch.")
    parser.add_argument("--list", action="store_true", help="print the workloads' names")
    parser.add_argument("workload", nargs="?", metavar="WORKLOAD")
    parser.add_argument("mode", nargs="?", metavar="MODE", help="eager or compile")
    parser.add_argument("threads", nargs="?", metavar="THREADS", type=int)
    parser.add_argument("--layout", choices=("contiguous", "channels_last"))
    parser.add_argument("--optimizer", choices=("fused", "foreach", "single", "compiled"))
    parser.add_argument("--variant")
    parser.add_argument("--malloc", choices=("keep", "default"), default="keep")
    given = parser.parse_args()
    if given.list:
        return given
    if given.threads is None:
        parser.error("WORKLOAD, MODE and THREADS are needed; --list prints the workloads")
    if given.workload not in WORKLOADS:
        parser.error(f"no workload {given.workload}; --list prints those there are")
    if given.mode not in ("eager", "compile"):
        parser.error(f"no mode {given.mode}; it is eager or compile")
    if given.threads < 1:
        parser.error(f"{given.threads} threads; there must be at least 1")
    return given


def keep_freed_memory():
    """Has glibc keep what is freed: else a large tensor is mapped and faulted in anew each step."""
    trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD, M_MMAP_MAX of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)


def run(workload, steps):
    began = time.perf_counter()
    for _ in range(steps):
        workload.step()
    return time.perf_counter() - began


def warm_up(workload):
    took = run(workload, 1)  # compiles
    if took < 10 or workload.mode == "compile":
        took = run(workload, 1)
    if took > WARM_UP_SECONDS:
        return
    run(workload, max(WARM_UP_STEPS, int(WARM_UP_SECONDS / took)))


def prepare(given):
    torch.set_num_threads(given.threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    workload = WORKLOADS[given.workload](
        given.mode, layout=given.layout, optimizer=given.optimizer, variant=given.variant
    )
    warm_up(workload)
    gc.collect()
    gc.freeze()
    say(ready=True, torch=torch.__version__, parameters=workload.parameters)
    return workload


def serve(workload):
    for line in sys.stdin:
        words = line.split()
        if words == ["quit"]:
            break
        if len(words) != 2 or words[0] != "time" or not words[1].isdigit() or words[1] == "0":
            raise ValueError(f"not a request: {line.strip()!r}; it is `time N`, N > 0, or `quit`")
        seconds = run(workload, int(words[1]))
        say(seconds=seconds, loss=workload.loss())
    gc.unfreeze()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(peak_memory_mb=round(peak, 1))


def main():
    given = arguments()
    if given.list:
        print("\n".join(WORKLOADS))
        return 0
    if given.malloc == "keep":
        keep_freed_memory()
    try:
        serve(prepare(given))
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        if given.mode == "compile":
            say(error=first)  # the caller may go on with eager
        print(f"peer.py: {given.workload} {given.mode}: {first}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
