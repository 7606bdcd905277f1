"""torch.ops.tda.attention: the operator behind `tda.attention`.

A functional operator with a fake kernel, so torch.compile traces through it,
and with kernels for CUDA and CPU. It never waits for the device: beta, lam and
kappa stay where they are.
"""
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
    if dv == d and (q1.is_contiguous() or q1.transpose(1, 2).is_contiguous()):
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
_MOST_SCALARS = 64
_makers = {}  # device -> the stream on which its scalars are made.


def _scalar(device, value):
    """`value` as an f32 tensor [] on `device`, and whether every stream may read
    it from now on. The first values are made once each. Others, and all while a
    graph is captured, are filled by a kernel on the stream of the call."""
    tensor = _scalars.get((device, value))
    if tensor is not None:
        return tensor, True
    if len(_scalars) >= _MOST_SCALARS or (
            device.type == "cuda" and torch.cuda.is_current_stream_capturing()):
        return torch.full((), value, dtype=torch.float32, device=device), False
    with _scalars_lock:
        if (device, value) not in _scalars:
            make = _on_a_thread if device.type == "cuda" else _filled
            _scalars[device, value] = make(device, value)
        return _scalars[device, value], True


def _filled(device, value):
    return torch.full((), value, dtype=torch.float32, device=device)


def _on_a_thread(device, value):
    """Made on a thread and a stream of its own: what those of the caller allocate
    may come from the memory of a graph that is warmed up."""
    made = []

    def work():
        try:
            with torch.cuda.device(device):
                # Of the pool that graphs do not take their streams from.
                stream = _makers.get(device)
                if stream is None:
                    stream = _makers[device] = torch.cuda.Stream(priority=-1)
                with torch.cuda.stream(stream):
                    tensor = _filled(device, value)
                stream.synchronize()
            made.append(tensor)
        except Exception as error:  # noqa: BLE001 - raised below
            made.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(made[0], Exception):
        raise made[0]
    return made[0]


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


class _Program:
    """The kernels of one problem on one CUDA device."""

    def __init__(self, problem, device):
        self.index = device.index
        self.kernels = kernels.gpu_kernels(
            problem, torch.cuda.get_device_capability(self.index))
        # While nobody captures yet, as a rule: the kappa of most calls.
        _scalar(device, 1.0)
        self.only = None
        if len(self.kernels) == 1 and not self.kernels[0].covers:
            self.only = self.kernels[0].on(self.index)

    def launch(self, arguments, codes):
        """`arguments` begin with q1, k1; an offset may be None."""
        _native.launch(self.only or self.choose(*arguments[:2]), self.index,
                       arguments, codes, _stream(self.index), self.allocate)

    def choose(self, q1, k1):
        """The kernel for these lengths."""
        lengths = dict(B=q1.shape[0], Hq=q1.shape[1], Hkv=k1.shape[1],
                       Nq=q1.shape[2], Nk=k1.shape[2])
        return kernels.choose(self.kernels, lengths).on(self.index)

    def allocate(self, size):
        return torch.empty(size, dtype=torch.uint8,
                           device=torch.device("cuda", self.index))


_stream = getattr(torch._C, "_cuda_getCurrentRawStream", None)
_programs = {}


def _program(problem, device):
    program = _programs.get((problem, device))
    if program is None:
        program = _programs[problem, device] = _Program(problem, device)
    return program


def _launch(problem, codes, inputs, offset, outputs):
    _program(problem, inputs[0].device).launch((*inputs, offset, *outputs),
                                               codes)


def _compute(problem, codes, inputs, offset, outputs):
    if offset is None:
        offset = inputs[1].shape[2] - inputs[0].shape[2]
    cpu.run(problem, inputs, offset, outputs, codes)


def _kernel(run, stats):
    """The operator's kernel for one kind of device, where `run` computes."""
    def kernel(q1, k1, q2, k2, v, beta, lam, kappa, kappa_value, causal, power,
               normalize, window, offset):
        tokens = lam is not None and lam.dim() == 3
        if kappa is None:
            kappa, _ = _scalar(q1.device, kappa_value)
        inputs = _inputs(q1, k1, q2, k2, v, beta, lam, kappa)
        _check_devices(inputs, q1.device)
        problem, codes = _describe(q1, v, q2 is not None, tokens, causal, power,
                                   normalize, window, stats)
        o = make_output(q1, v)
        outputs = (o, make_survivors(q1, q2)) if stats else (o,)
        run(problem, codes, inputs, offset, outputs)
        return outputs if stats else o
    return kernel


# What `_native.attend` finds: (its number, attributes) -> the call, all but the
# tensors and the offset. Attributes are (causal, power, kappa, normalize,
# window, stats), kappa a number. Equal keys mean equal calls.
calls = {}


def prepare(place, attributes, q1, q2, v):
    """A dictionary with the call of (place, attributes): `calls`, or where its
    kappa is for one stream another."""
    causal, power, kappa, normalize, window, stats = attributes
    device = q1.device
    problem, _ = _describe(q1, v, q2 is not None, False, causal, power,
                           normalize, window, stats)
    program = _program(problem, device)
    alike = place & 1
    kappa, stays = _scalar(device, kappa)
    call = (program.only or program.choose, kappa, device.index, _stream,
            program.allocate, torch.empty_like if alike else make_output,
            make_survivors if stats else None)
    if not stays:
        return {(place, attributes): call}
    calls[place, attributes] = call
    return calls


def _cuda(stats):
    """The kernel for CUDA: the short way where it is open."""
    long_way = _kernel(_launch, stats)

    def kernel(q1, k1, q2, k2, v, beta, lam, kappa, kappa_value, causal, power,
               normalize, window, offset):
        if kappa is None:
            o = attend(q1, k1, q2, k2, v, beta, lam,
                       (causal, power, kappa_value, normalize, window, stats),
                       offset, False)
            if o is not None:
                return o
        return long_way(q1, k1, q2, k2, v, beta, lam, kappa, kappa_value,
                        causal, power, normalize, window, offset)
    return kernel


def attend(q1, k1, q2, k2, v, beta, lam, attributes, offset, grad,
           usual=lambda *_: True):
    """The short way; None where the tensors need a closer look, or `usual` says
    so of the attributes when they are met first."""
    o = _native.attend(calls, q1, k1, q2, k2, v, beta, lam, attributes, offset,
                       grad)
    if type(o) is not int:
        return o
    if not o or not usual(*attributes):
        return None
    return _native.attend(prepare(o, attributes, q1, q2, v), q1, k1, q2, k2, v,
                          beta, lam, attributes, offset, grad)


for _name, _stats in (("attention", False), ("attention_stats", True)):
    library.impl(_name, _cuda(_stats), "CUDA")
    library.impl(_name, _kernel(_compute, _stats), "CPU")
attention = torch.ops.tda.attention.default
attention_stats = torch.ops.tda.attention_stats.default


# Whether something listens to operators: a mode (fake tensors, tracing) or a
# transform of torch.func. Without these functions there is no telling.
_modes = getattr(torch._C, "_len_torch_dispatch_stack", lambda: 1)
_function_modes = getattr(torch._C, "_len_torch_function_stack", lambda: 1)
_transform = getattr(torch._C._functorch, "peek_interpreter_stack", lambda: 1)
_traced = getattr(torch._C, "_is_tracing", lambda: True)  # torch.jit.trace


def unheard():
    """Whether an eager call may go past the operator, which saves the
    dispatcher's time: nobody listens to it."""
    return (not _modes() and not _function_modes() and
            _transform() is None and not _traced())
