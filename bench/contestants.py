"""Who takes part in a case: our kernels and the peers, ready to be called."""
import dataclasses
import functools
import os
import pathlib

import torch

import inputs

try:
    import triton

    import peers as peer_code
    HAVE_TRITON = True
except ImportError as missing:
    print(f"note: no Triton peer and no softmax: {missing}", flush=True)
    HAVE_TRITON = False

PEER_LIMIT = 1e-2  # of ||o - ref|| / ||ref||: peers round as they like


@dataclasses.dataclass
class Contestant:
    name: str
    what: str  # "tda", "triton", "cudnn", "fa2" or "official"
    call: object
    out: torch.Tensor = None
    configuration: dict = None
    limit: float = None  # None: not TDA, nothing to compare with
    slack: float = 1e-5  # see inputs.judge
    note: str = ""


def versions():
    text = (f"PyTorch {torch.__version__}, "
            f"cuDNN {torch.backends.cudnn.version()}")
    if HAVE_TRITON:
        text += f", Triton {triton.__version__}"
    if os.environ.get("PEER_DIR"):
        text += ", the authors' kernel from PEER_DIR"
    return text


def make_inputs(bundle, case):
    """The case with its lengths filled in, and its inputs."""
    if case.kind == "sample" or case.kind.startswith("layer"):
        x = inputs.real_inputs(pathlib.Path(bundle) / "data/real", case.kind,
                               case.heads, "cuda")
        n, d = x.q1.shape[-2:]
        return dataclasses.replace(case, n=n, d=d), x
    x = inputs.random_inputs(case.batch, case.heads, case.n, case.d,
                             inputs.DTYPES[case.dtype],
                             inputs.betas_of(case.kind), [0.5], "cuda")
    return case, x


def ours(case, x, programs):
    """programs: (configuration, Program) of those that passed the check."""
    result = []
    for c, program in programs:
        problem = program.manifest["problem"]
        if (problem["d"], problem["dtype"]) != (case.d, case.dtype):
            continue
        if case.only_default and c["label"] != "default":
            continue
        out = torch.empty_like(x.v)
        result.append(Contestant(c["label"], "tda",
                                 program.bind(x.tensors() + [out]), out, c))
    return result


def best_triton(x, skip, timer):
    """The fastest configuration on this very input, as a tuner would take."""
    b, h, n, d = x.q1.shape

    def flat(t):  # batches are heads to it, so that no operand is copied
        return t.view(1, b * h, n, -1)

    tensors = [flat(t) for t in (x.q1, x.k1, x.q2, x.k2, x.v)]
    tensors += [t.repeat(b) for t in (x.beta, x.lam)]
    best, kept, last = None, None, None
    for config in peer_code.triton_configs():
        if n % config.kwargs["BM"] or n % config.kwargs["BN"]:
            continue
        call = functools.partial(peer_code.triton_tda, *tensors, skip, config)
        timer.progress(f"triton skip={int(skip)} d{d} N{n}: {config}")
        try:
            ms = timer.quick(call)
        except triton.runtime.errors.OutOfResources as error:
            last = error
            continue
        if best is None or ms < best:
            best, kept = ms, (call, config)
    if kept is None:
        raise last or RuntimeError(f"no configuration for N {n}")
    call, config = kept
    return Contestant(
        f"triton skip={int(skip)}", "triton", lambda: call().view(b, h, n, -1),
        limit=PEER_LIMIT, note=f"{config.kwargs}, {config.num_warps} warps, "
                               f"{config.num_stages} stages")


def best_official(x, kind):
    function = peer_code.official()
    beta = 1.0 if kind == "null" else 0.0
    lam = x.lam[0].clone()

    def call():
        return function(x.q1, x.q2, x.k1, x.k2, x.v, beta, lam, relu_power=2.0,
                        normalize=True)
    # It rounds the rows once more, which moves scores near the threshold.
    return Contestant("official", "official", call, limit=0.2, slack=1e-2)


class Maker:
    """A peer that is yet to be tried; calling it may fail."""

    def __init__(self, name, make):
        self.name, self.make = name, make

    def __call__(self, timer):
        return self.make(timer)


def peers(case, x):
    if not HAVE_TRITON:
        return []
    makers = []
    for backend in ("cudnn", "fa2"):
        if backend in case.peers:
            call = functools.partial(peer_code.softmax, backend, x.q1, x.k1,
                                     x.v)
            makers.append(Maker(backend, lambda timer, b=backend, c=call:
                                Contestant(b, b, c)))
    if "triton" in case.peers:
        for skip in (True, False):
            makers.append(Maker(f"triton skip={int(skip)}", lambda timer,
                                s=skip: best_triton(x, s, timer)))
    # Longer inputs do not fit its intermediate tensors.
    if ("official" in case.peers and os.environ.get("PEER_DIR")
            and case.n <= 8192 and case.kind in ("null", "dense")):
        makers.append(Maker("official", lambda timer:
                            best_official(x, case.kind)))
    return makers


def record(case, x, one, time, verdict, share):
    """One measurement, flat. FLOPs count causal pairs, done or skipped."""
    pairs = case.batch * case.heads * case.n * (case.n + 1) / 2
    softmax = one.what in ("cudnn", "fa2")
    per_ms = pairs * case.d / time["ms"] / 1e9
    result = dict(section=case.section, case=case.name(), kind=case.kind,
                  d=case.d, batch=case.batch, heads=case.heads, n=case.n,
                  dtype=case.dtype, what=one.what, name=one.name, **time,
                  tflops=per_ms * (4 if softmax else 6), source=x.source)
    if not softmax:
        result["qk_tflops"] = per_ms * 4
    if verdict:
        result["error"] = verdict.error
    if share is not None:
        result["survivors"] = share
    if one.configuration:
        result["schedule"] = one.configuration["resolved"]
        result["arch"] = one.configuration["arch"]
    if one.note:
        result["note"] = one.note
    return result


def add_ratios(records):
    """Time over that of cuDNN's softmax and of the best Triton TDA."""
    for what, key in (("cudnn", "to_cudnn"), ("triton", "to_triton")):
        peer = min((r["ms"] for r in records if r["what"] == what),
                   default=None)
        for r in records:
            if peer and r["what"] != what:
                r[key] = r["ms"] / peer
