"""torch.ops.tda.attention: the operator behind `tda.attention`.

A functional operator with a fake kernel, so torch.compile traces through it,
and with kernels for CUDA and CPU. It never waits for the device: beta, lam and
kappa stay where they are.
"""
import functools
import threading

import torch

from . import _native, cpu, kernels
from .problem import Problem

NAMES = {torch.bfloat16: "bf16", torch.float16: "f16", torch.float32: "f32"}
CODES = {"f32": 1, "bf16": 2, "f16": 3, "i32": 4, "i64": 5}  # tda_dtype

ARGUMENTS = ("(Tensor q1, Tensor k1, Tensor? q2, Tensor? k2, Tensor v, "
             "Tensor beta, Tensor? lam, Tensor? kappa, float kappa_value, "
             "bool causal, float power, bool normalize, int? window, "
             "SymInt? offset)")

library = torch.library.Library("tda", "DEF")
for _schema in (f"attention{ARGUMENTS} -> Tensor",
                f"attention_stats{ARGUMENTS} -> (Tensor, Tensor)"):
    library.define(_schema, tags=(torch.Tag.pt2_compliant_tag,
                                  torch.Tag.needs_fixed_stride_order))
# Plain tensors are read in C, where this torch lets them.
_native.use(torch.Tensor)
_native.use(torch.nn.Parameter)


def make_output(q1, v):
    """o [B, Hq, Nq, Dv]; in memory [B, Nq, Hq, Dv] where q1 is."""
    batch, heads, queries, d = q1.shape
    dv = v.shape[3]
    if dv == d and q1.is_contiguous():
        return torch.empty_like(q1)
    if q1.stride(1) < q1.stride(2):
        return q1.new_empty((batch, queries, heads, dv)).transpose(1, 2)
    return q1.new_empty((batch, heads, queries, dv))


def make_survivors(q1, q2):
    """i32 [views, B, Hq, Nq]."""
    return torch.empty((1 if q2 is None else 2, *q1.shape[:3]),
                       dtype=torch.int32, device=q1.device)


def _fake(q1, k1, q2, k2, v, *others):
    for name, tensor in (("q1", q1), ("k1", k1), ("v", v)):
        torch._check(tensor.dim() == 4,
                     lambda: f"{name} must have 4 axes, [B, H, N, D]")
    return make_output(q1, v)


def _fake_stats(q1, k1, q2, k2, v, *others):
    return _fake(q1, k1, q2, k2, v), make_survivors(q1, q2)


torch.library.register_fake("tda::attention", _fake, lib=library)
torch.library.register_fake("tda::attention_stats", _fake_stats, lib=library)


def _describe(q1, v, two_views, tokens, causal, power, normalize, window,
              stats):
    """The problem and the dtype codes of its kernel's arguments."""
    name = NAMES[q1.dtype]
    problem = Problem(2 if two_views else 1, q1.shape[3], v.shape[3], name,
                      causal, window or 0, power, normalize,
                      "token" if tokens else "head", stats)
    codes = [CODES[name]] * (5 if two_views else 3)
    codes += [1] * (3 if two_views else 2) + [5, CODES[name]]
    return problem, bytes(codes + [4] * stats)


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


class _Plan:
    """What calls with the same attributes on one device have in common."""

    def __init__(self, q1, v, two_views, tokens, causal, power, normalize,
                 window, stats):
        device = q1.device
        self.problem, self.codes = _describe(q1, v, two_views, tokens, causal,
                                             power, normalize, window, stats)
        self.kernels = kernels.gpu_kernels(
            self.problem, torch.cuda.get_device_capability(device.index))
        self.only = None
        if len(self.kernels) == 1 and not self.kernels[0].covers:
            self.only = self.kernels[0].on(device.index)
        self.allocate = functools.partial(torch.empty, dtype=torch.uint8,
                                          device=device)
        self.kappas = {}

    def handle(self, q1, k1):
        """The program for these lengths."""
        lengths = dict(B=q1.shape[0], Hq=q1.shape[1], Hkv=k1.shape[1],
                       Nq=q1.shape[2], Nk=k1.shape[2])
        return kernels.choose(self.kernels, lengths).on(q1.device.index)


_plans = {}


def _launch(q1, k1, q2, k2, v, beta, lam, kappa, kappa_value, causal, power,
            normalize, window, offset, outputs):
    device = q1.device
    index = device.index
    words = (q2 is not None, lam is not None and lam.dim() == 3, causal, power,
             normalize, window, len(outputs) > 1)
    key = (index, q1.dtype, q1.shape[3], v.shape[3], words)
    plan = _plans.get(key)
    if plan is None:
        plan = _plans[key] = _Plan(q1, v, *words)
    if kappa is None:
        kappa = plan.kappas.get(kappa_value)
        if kappa is None:
            kappa = _scalar(device, kappa_value)
            if not torch.cuda.is_current_stream_capturing():
                plan.kappas[kappa_value] = kappa
    inputs = _inputs(q1, k1, q2, k2, v, beta, lam, kappa)
    _check_devices(inputs, device)
    if offset is None:
        offset = k1.shape[2] - q1.shape[2]
    _native.launch(plan.only or plan.handle(q1, k1), index,
                   inputs + (offset,) + outputs, plan.codes,
                   torch._C._cuda_getCurrentRawStream(index), plan.allocate)


def _cuda(q1, k1, q2, k2, v, *others):
    o = make_output(q1, v)
    _launch(q1, k1, q2, k2, v, *others, (o,))
    return o


def _cuda_stats(q1, k1, q2, k2, v, *others):
    o, survivors = make_output(q1, v), make_survivors(q1, q2)
    _launch(q1, k1, q2, k2, v, *others, (o, survivors))
    return o, survivors


def _run(q1, k1, q2, k2, v, beta, lam, kappa, kappa_value, causal, power,
         normalize, window, offset, outputs):
    problem, codes = _describe(q1, v, q2 is not None,
                               lam is not None and lam.dim() == 3, causal,
                               power, normalize, window, len(outputs) > 1)
    if kappa is None:
        kappa = _scalar(q1.device, kappa_value)
    inputs = _inputs(q1, k1, q2, k2, v, beta, lam, kappa)
    _check_devices(inputs, q1.device)
    if offset is None:
        offset = k1.shape[2] - q1.shape[2]
    cpu.run(problem, inputs, offset, outputs, codes)


def _cpu(q1, k1, q2, k2, v, *others):
    o = make_output(q1, v)
    _run(q1, k1, q2, k2, v, *others, (o,))
    return o


def _cpu_stats(q1, k1, q2, k2, v, *others):
    o, survivors = make_output(q1, v), make_survivors(q1, q2)
    _run(q1, k1, q2, k2, v, *others, (o, survivors))
    return o, survivors


library.impl("attention", _cuda, "CUDA")
library.impl("attention", _cpu, "CPU")
library.impl("attention_stats", _cuda_stats, "CUDA")
library.impl("attention_stats", _cpu_stats, "CPU")
attention = torch.ops.tda.attention.default
attention_stats = torch.ops.tda.attention_stats.default


# Whether something listens to operators: a mode (fake tensors, tracing) or a
# transform of torch.func. Without these functions there is no telling.
_modes = getattr(torch._C, "_len_torch_dispatch_stack", lambda: 1)
_transform = getattr(torch._C._functorch, "peek_interpreter_stack", lambda: 1)


def direct(stats):
    """What an eager call on plain CUDA tensors may run: the operator's kernel
    itself where nobody listens, which saves the dispatcher's time."""
    if _modes() or _transform() is not None:
        return attention_stats if stats else attention
    return _cuda_stats if stats else _cuda
