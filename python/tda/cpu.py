"""The CPU path: the same calls without a GPU.

The wheel ships compiled loops (x86-64 with AVX2 and FMA); others are compiled
by libtda_compiler for this machine. Tensors that are not contiguous are copied
here, unlike on a GPU.
"""
import ctypes as c
import functools
import platform

import torch

from . import _native, compiler, kernels
from .problem import Problem


def _runs_shipped_code():
    if platform.machine() not in ("x86_64", "AMD64"):
        return True  # Shipped code asks for nothing special there.
    return "AVX2" in torch.backends.cpu.get_cpu_capability() or \
        "AVX512" in torch.backends.cpu.get_cpu_capability()


@functools.lru_cache(maxsize=None)
def _shipped():
    return c.CDLL(str(kernels.FOLDER / "libtda_cpu_kernels.so"))


@functools.lru_cache(maxsize=None)
def _code(problem: Problem):
    """Address of the code, and the queries that one program computes."""
    words = problem.words()
    symbol = kernels.index()["cpu"].get(words)
    if symbol and _runs_shipped_code():
        library = _shipped()
        address = c.cast(getattr(library, symbol), c.c_void_p).value
        return address, c.c_int64.in_dll(library, symbol + "_tile_m").value
    if compiler.available():
        return compiler.compile_cpu(words)
    what = "this CPU" if not symbol else "a CPU without AVX2"
    raise kernels.UnsupportedError(kernels._advice(words, what))


def run(problem, inputs, offset, outputs, dtypes):
    """Computes `outputs` (o first). `inputs` end with kappa; `dtypes` are the
    codes of inputs, offset and outputs."""
    if outputs[0].numel() == 0:
        return
    address, queries = _code(problem)
    inputs = tuple(tensor.contiguous() for tensor in inputs)
    # Compiled code writes row-major: where the caller's layout is another, it
    # writes beside it.
    dense = tuple(o if o.is_contiguous() else torch.empty(
        o.shape, dtype=o.dtype) for o in outputs)
    _native.cpu_run(address, queries, inputs + (offset,) + dense, dtypes,
                    len(inputs) + 1, torch.get_num_threads())
    for target, source in zip(outputs, dense):
        if target is not source:
            target.copy_(source)
