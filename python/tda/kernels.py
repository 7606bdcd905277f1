"""Which compiled kernel a call takes, and loading it.

The wheel ships `kernels/index.json`:

    {"gpu": {WORDS: {ARCH: [{"covers": {"Nk": [0, 2048]}, "manifest": FILE}]}},
     "cpu": {WORDS: SYMBOL}}

with WORDS of problem.Problem.words(). Of the list the first kernel that covers
the lengths is taken. What is not there is compiled through libtda_compiler
where that is present; else `UnsupportedError` says what there is.
"""
import functools
import json
import os
import threading
from pathlib import Path

from . import _native, compiler
from .problem import Problem

FOLDER = Path(os.environ.get("TDA_KERNELS")
              or Path(__file__).parent / "kernels")


class UnsupportedError(RuntimeError):
    """No kernel was shipped for this problem, and none could be compiled."""


@functools.lru_cache(maxsize=None)
def index():
    """The index of the shipped kernels; empty where none are."""
    path = FOLDER / "index.json"
    if not path.exists():
        return {"gpu": {}, "cpu": {}}
    return json.loads(path.read_text())


def supported():
    """The shipped problems: {"gpu": {words: [arch, ...]}, "cpu": [words]}."""
    shipped = index()
    return {"gpu": {words: sorted(archs) for words, archs
                    in shipped["gpu"].items()},
            "cpu": sorted(shipped["cpu"])}


def _advice(words, what):
    shipped = sorted({_summary(each) for each in index()["gpu"]})
    return (f"no kernel was shipped for '{words}' on {what}. Shipped are "
            f"{'; '.join(shipped) or 'none'} (tda.supported() lists all). "
            f"Others are compiled at run time where libtda_compiler is: "
            f"{compiler.HOW}")


def _summary(words):
    keep = [word for word in words.split()
            if word.startswith(("d=", "dv=", "dtype="))]
    return " ".join(keep)


def arch_order(capability):
    """The architectures whose code runs on a GPU, best first. `capability` is
    (major, minor). Code of the shipped sm_90 kernels may be for sm_90a, which
    runs on 9.0 alone."""
    major, minor = capability
    if (major, minor) == (9, 0):
        return ["sm_90", "sm_80"]
    if major >= 8:
        return ["sm_80"]
    return []


class Kernel:
    """A program of libtda_runtime and the lengths that it is for."""

    def __init__(self, handle, covers=None):
        self.handle = handle
        self.covers = covers or {}
        self.devices = set()
        self.lock = threading.Lock()

    def on(self, device):
        """The handle, loaded on the CUDA device number `device`."""
        if device not in self.devices:
            with self.lock:
                _native.load(self.handle, device)
                self.devices.add(device)
        return self.handle

    def fits(self, lengths):
        return all(low <= lengths[name] <= high
                   for name, (low, high) in self.covers.items())


@functools.lru_cache(maxsize=None)
def gpu_kernels(problem: Problem, capability):
    """The kernels for a problem on a GPU of this capability, in the order of
    choice."""
    words = problem.words()
    name = f"compute capability {capability[0]}.{capability[1]}"
    archs = arch_order(capability)
    if not archs:
        raise UnsupportedError(f"{name} is not supported: kernels are for 8.0 "
                               f"and later")
    shipped = index()["gpu"].get(words, {})
    for arch in archs:
        if arch in shipped:
            return [Kernel(_native.open(str(FOLDER / each["manifest"])),
                           each.get("covers"))
                    for each in shipped[arch]]
    if not compiler.available():
        raise UnsupportedError(_advice(words, name))
    manifest, ptx = compiler.compile_gpu(words, archs[0])
    return [Kernel(_native.open_memory(manifest, ptx))]


def choose(kernels, lengths):
    """The first kernel that covers `lengths`, a dict by symbol."""
    for kernel in kernels:
        if kernel.fits(lengths):
            return kernel
    raise UnsupportedError(
        f"no shipped schedule covers the lengths {lengths}; covered are "
        f"{[kernel.covers for kernel in kernels]}")
