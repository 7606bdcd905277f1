"""torch.ops.tda.attention: the operator behind `tda.attention`.

A functional operator with a fake kernel, so torch.compile traces through it,
and with kernels for CUDA and CPU. It never waits for the device: beta, lam and
kappa stay where they are.
"""
import threading
from typing import Optional, Tuple

import torch
from torch import Tensor

from . import _native, cpu, kernels
from .problem import Problem

NAMES = {torch.bfloat16: "bf16", torch.float16: "f16", torch.float32: "f32"}
CODES = {"f32": 1, "bf16": 2, "f16": 3, "i32": 4, "i64": 5}  # tda_dtype

SCHEMA = ("attention(Tensor q1, Tensor k1, Tensor? q2, Tensor? k2, Tensor v, "
          "Tensor beta, Tensor? lam, Tensor? kappa, float kappa_value, "
          "bool causal, float power, bool normalize, int? window, "
          "SymInt? offset, bool return_stats) -> (Tensor, Tensor)")

library = torch.library.Library("tda", "DEF")
library.define(SCHEMA, tags=(torch.Tag.pt2_compliant_tag,
                             torch.Tag.needs_fixed_stride_order))


def make_output(q1, v):
    """o [B, Hq, Nq, Dv]; in memory [B, Nq, Hq, Dv] where q1 is."""
    batch, heads, queries = q1.shape[:3]
    if q1.stride(1) < q1.stride(2):
        return q1.new_empty((batch, queries, heads, v.shape[3])).transpose(1, 2)
    return q1.new_empty((batch, heads, queries, v.shape[3]))


def make_survivors(q1, views, wanted):
    """i32 [views, B, Hq, Nq]; [0] where they are not asked for."""
    shape = (views, *q1.shape[:3]) if wanted else (0,)
    return torch.empty(shape, dtype=torch.int32, device=q1.device)


@torch.library.register_fake("tda::attention", lib=library)
def _fake(q1, k1, q2, k2, v, beta, lam, kappa, kappa_value, causal, power,
          normalize, window, offset, return_stats):
    for name, tensor in (("q1", q1), ("k1", k1), ("v", v)):
        torch._check(tensor.dim() == 4,
                     lambda: f"{name} must have 4 axes, [B, H, N, D]")
    return (make_output(q1, v),
            make_survivors(q1, 1 if q2 is None else 2, return_stats))


_problems = {}  # Attributes of a call -> (Problem, dtype codes).


def _describe(q1, v, two_views, lam, causal, power, normalize, window, stats):
    key = (q1.dtype, q1.shape[3], v.shape[3], two_views,
           lam is not None and lam.dim() == 3, causal, power, normalize,
           window, stats)
    found = _problems.get(key)
    if found is None:
        name = NAMES[q1.dtype]
        problem = Problem(2 if two_views else 1, key[1], key[2], name, causal,
                          window or 0, power, normalize,
                          "token" if key[4] else "head", stats)
        codes = [CODES[name]] * (5 if two_views else 3)
        codes += [1] * (3 if two_views else 2) + [5, CODES[name]]
        found = _problems[key] = (problem, bytes(codes + [4] * stats))
    return found


_scalars = {}  # (device, value) -> f32 tensor; made once, never written.
_scalars_lock = threading.Lock()


def _scalar(device, value):
    """`value` as an f32 tensor [] on `device`. Made once a value: the copy
    from the host ends before it is used, so every stream may read it. While a
    graph is captured such a copy is not allowed, and a kernel of the graph
    fills a tensor of its own."""
    key = (device, value)
    tensor = _scalars.get(key)
    if tensor is not None:
        return tensor
    if device.type == "cuda" and torch.cuda.is_current_stream_capturing():
        return torch.full((), value, dtype=torch.float32, device=device)
    with _scalars_lock:
        tensor = torch.tensor(value, dtype=torch.float32).to(device)
        if device.type == "cuda":
            torch.cuda.current_stream(device).synchronize()
        return _scalars.setdefault(key, tensor)


def _inputs(q1, k1, q2, k2, v, beta, lam, kappa):
    """The tensors in the order of the kernel's arguments."""
    if q2 is None:
        return q1, k1, v, beta, kappa
    return q1, k1, q2, k2, v, beta, lam, kappa


def _check_devices(inputs, device):
    for tensor in inputs:
        if tensor.device != device:
            raise ValueError(f"all tensors must be on one device: q1 is on "
                             f"{device}, another on {tensor.device}")


_kernels = {}  # (Problem, device index) -> list of kernels.
_devices = {}  # Device index -> (capability, device).


def _cuda(q1, k1, q2, k2, v, beta, lam, kappa, kappa_value, causal, power,
          normalize, window, offset, return_stats):
    device = q1.device
    index = device.index
    problem, codes = _describe(q1, v, q2 is not None, lam, causal, power,
                               normalize, window, return_stats)
    if kappa is None:
        kappa = _scalar(device, kappa_value)
    inputs = _inputs(q1, k1, q2, k2, v, beta, lam, kappa)
    _check_devices(inputs, device)
    found = _kernels.get((problem, index))
    if found is None:
        capability = torch.cuda.get_device_capability(index)
        found = kernels.gpu_kernels(problem, capability)
        _kernels[problem, index] = found
    if len(found) == 1 and not found[0].covers:
        kernel = found[0]
    else:
        kernel = kernels.choose(found, dict(
            B=q1.shape[0], Hq=q1.shape[1], Hkv=k1.shape[1], Nq=q1.shape[2],
            Nk=k1.shape[2]))
    o = make_output(q1, v)
    survivors = make_survivors(q1, 2 if q2 is not None else 1, return_stats)
    outputs = (o, survivors) if return_stats else (o,)
    if offset is None:
        offset = k1.shape[2] - q1.shape[2]
    _native.launch(
        kernel.on(index), index, inputs + (offset,) + outputs, codes,
        torch._C._cuda_getCurrentRawStream(index),
        lambda size: torch.empty(size, dtype=torch.uint8, device=device))
    return o, survivors


def _cpu(q1, k1, q2, k2, v, beta, lam, kappa, kappa_value, causal, power,
         normalize, window, offset, return_stats):
    problem, codes = _describe(q1, v, q2 is not None, lam, causal, power,
                               normalize, window, return_stats)
    if kappa is None:
        kappa = _scalar(q1.device, kappa_value)
    inputs = _inputs(q1, k1, q2, k2, v, beta, lam, kappa)
    _check_devices(inputs, q1.device)
    o = make_output(q1, v)
    survivors = make_survivors(q1, 2 if q2 is not None else 1, return_stats)
    if offset is None:
        offset = k1.shape[2] - q1.shape[2]
    cpu.run(problem, inputs, offset,
            (o, survivors) if return_stats else (o,), codes)
    return o, survivors


library.impl("attention", _cuda, "CUDA")
library.impl("attention", _cpu, "CPU")
attention = torch.ops.tda.attention.default
