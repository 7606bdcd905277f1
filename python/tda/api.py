"""The functions that users call; everything is checked here, by name."""
import torch

from . import _native, op

_FLOATS = (torch.bfloat16, torch.float16, torch.float32)


def attention(q1, k1, q2, k2, v, beta, lam, *, causal=True, power=2, kappa=1.0,
              normalize=True, window=None, offset=None, return_stats=False):
    """Threshold Differential Attention, forward.

    Args:
      q1, q2: queries of both views, [B, Hq, Nq, D]; bf16, f16 or (CPU) f32.
      k1, k2: keys, [B, Hkv, Nk, D]; Hkv divides Hq.
      v: values, [B, Hkv, Nk, Dv].
      beta: f32, [] or [Hq]: the gate's strength. A float is taken too.
      lam: f32, [], [Hq] or [B, Hq, Nq]: weight of the second view; or a float.
      causal: key j is visible to query i where j <= i + offset.
      power: exponent p >= 1 of what exceeds the gate.
      kappa: expected survivors of a row of noise, > 0; float or f32 tensor [].
      normalize: scale rows of q and k to length 1 first.
      window: also j > i + offset - window; None: no window.
      offset: int; None: Nk - Nq.
      return_stats: also return the survivors, i32 [2, B, Hq, Nq].

    Returns o, [B, Hq, Nq, Dv] in the dtype of q1, or (o, survivors). Tensors
    may have any strides whose last one is 1, such as [B, N, H, D].transpose(1,
    2); on a GPU nothing is copied, and rows must begin at 16 bytes. o lies in
    memory as q1 does. Nothing waits for the device. Under autocast q, k and v
    are cast to its dtype.

    Raises TypeError, ValueError or tda.UnsupportedError, naming the argument;
    NotImplementedError where a gradient would be needed (there is no backward
    yet).
    """
    return _call("attention", q1, k1, q2, k2, v, beta, lam, causal, power,
                 kappa, normalize, window, offset, return_stats)


def rectified_attention(q, k, v, beta, *, causal=True, power=2, kappa=1.0,
                        normalize=True, window=None, offset=None,
                        return_stats=False):
    """Threshold Rectified Attention: `attention` with one view, o = A v.

    Arguments and results as there; survivors are [1, B, Hq, Nq].
    """
    return _call("rectified_attention", q, k, None, None, v, beta, None,
                 causal, power, kappa, normalize, window, offset, return_stats)


def _call(function, q1, k1, q2, k2, v, beta, lam, causal, power, kappa,
          normalize, window, offset, return_stats):
    # Most calls need no closer look than one in C; the rest is for the others.
    if (not _compiling() and not torch.is_autocast_enabled("cuda")
            and op.unheard()):
        o = op.attend(q1, k1, q2, k2, v, beta, lam,
                      (causal, power, kappa, normalize, window, return_stats),
                      offset, _grad(), _usual)
        if o is not None:
            return o
    named = [("q1", q1), ("k1", k1), ("q2", q2), ("k2", k2), ("v", v)]
    if q2 is None and k2 is None:
        named = [("q", q1), ("k", k1), ("v", v)]
    for name, tensor in named:
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{function}: {name} must be a tensor, not "
                            f"{type(tensor).__name__}")
        if tensor.dim() != 4:
            raise ValueError(f"{function}: {name} has shape "
                             f"{tuple(tensor.shape)}; it must have 4 axes, "
                             f"[B, H, N, D]")
    device = q1.device
    if torch.is_autocast_enabled(device.type):
        dtype = torch.get_autocast_dtype(device.type)
        q1, k1, v = q1.to(dtype), k1.to(dtype), v.to(dtype)
        if q2 is not None:
            q2, k2 = q2.to(dtype), k2.to(dtype)
        named = [(name, tensor) for (name, _), tensor in
                 zip(named, [q1, k1, q2, k2, v] if q2 is not None
                     else [q1, k1, v])]
    _check_tensors(function, named)
    beta = _per_head(function, "beta", beta, q1)
    if q2 is not None:
        lam = _per_head(function, "lam", lam, q1)
    kappa, value = _kappa(function, kappa, device)
    if power < 1 or not power < float("inf"):
        raise ValueError(f"{function}: power = {power} must be at least 1")
    if window is not None and window < 1:
        raise ValueError(f"{function}: window = {window} must be at least 1, "
                         f"or None")
    if torch.is_grad_enabled() and _wants_grad(q1, k1, q2, k2, v, beta, lam,
                                               kappa):
        raise NotImplementedError(
            f"{function}: an input requires grad, and there is no backward "
            f"yet; call it under torch.no_grad() or on detached tensors")
    run = op.attention_stats if return_stats else op.attention
    return run(q1, k1, q2, k2, v, beta, lam, kappa, value, bool(causal),
               float(power), bool(normalize), window, offset)


_compiling, _grad = torch.compiler.is_compiling, torch.is_grad_enabled


def _usual(causal, power, kappa, normalize, window, stats):
    return (isinstance(kappa, (int, float)) and kappa > 0
            and 1 <= power < float("inf") and (window is None or window > 0))


def _wants_grad(*tensors):
    for tensor in tensors:
        if tensor is not None and tensor.requires_grad:
            return True
    return False


def _check_tensors(function, named):
    """dtypes, devices, head dimensions; lengths and strides are checked by the
    runtime, against what the kernel needs."""
    first_name, first = named[0]
    dtype, device, d = first.dtype, first.device, first.shape[3]
    if dtype not in _FLOATS:
        raise TypeError(f"{function}: {first_name} is {dtype}; supported are "
                        f"torch.bfloat16, torch.float16 and, on a CPU, "
                        f"torch.float32")
    if dtype == torch.float32 and device.type == "cuda":
        raise TypeError(f"{function}: {first_name} is torch.float32; on a GPU "
                        f"torch.bfloat16 and torch.float16 are supported")
    if device.type not in ("cuda", "cpu"):
        raise ValueError(f"{function}: {first_name} is on {device}; supported "
                         f"are CUDA devices and the CPU")
    batch, key = first.shape[0], named[1][1]
    for name, tensor in named[1:]:
        if tensor.dtype != dtype:
            raise TypeError(f"{function}: {name} is {tensor.dtype}; it must be "
                            f"{dtype}, as {first_name}")
        if tensor.device != device:
            raise ValueError(f"{function}: {name} is on {tensor.device}; it "
                             f"must be on {device}, as {first_name}")
        if name != "v" and tensor.shape[3] != d:
            raise ValueError(f"{function}: {name} has head dimension "
                             f"{tensor.shape[3]}; it must be {d}, as "
                             f"{first_name}")
        if tensor.shape[0] != batch:
            raise ValueError(f"{function}: {name} has batch {tensor.shape[0]}; "
                             f"it must be {batch}, as {first_name}")
        like, model = ((first_name, first) if name[0] == "q"
                       else (named[1][0], key))
        for axis, what in ((1, "heads"), (2, "rows")):
            if tensor.shape[axis] != model.shape[axis]:
                raise ValueError(f"{function}: {name} has {tensor.shape[axis]} "
                                 f"{what}; it must have {model.shape[axis]}, "
                                 f"as {like}")
    heads, groups = first.shape[1], key.shape[1]
    if groups < 1 or heads < 1 or heads % groups:
        raise ValueError(f"{function}: {heads} query heads cannot share "
                         f"{groups} key heads: the second number must divide "
                         f"the first")
    if d < 1 or named[-1][1].shape[3] < 1:
        raise ValueError(f"{function}: the head dimension is 0")
    for name, tensor in named:
        if tensor.shape[3] > 1 and tensor.stride(3) != 1:
            raise ValueError(f"{function}: the last stride of {name} is "
                             f"{tensor.stride(3)}; it must be 1")


def _per_head(function, name, value, q1):
    """f32 [Hq], or for lam as given [B, Hq, Nq]; stays on the device."""
    heads = q1.shape[1]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return torch.full((heads,), float(value), dtype=torch.float32,
                          device=q1.device)
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{function}: {name} must be a float or an f32 tensor, "
                        f"not {type(value).__name__}")
    if value.dtype != torch.float32:
        raise TypeError(f"{function}: {name} is {value.dtype}; it must be "
                        f"torch.float32")
    if value.device != q1.device:
        raise ValueError(f"{function}: {name} is on {value.device}; it must be "
                         f"on {q1.device}, as the queries")
    if value.dim() == 0:
        return value.expand(heads).contiguous()
    tokens = name == "lam" and value.dim() == 3
    wanted = tuple(q1.shape[:3]) if tokens else (heads,)
    if tuple(value.shape) != wanted:
        raise ValueError(f"{function}: {name} has shape {tuple(value.shape)}; "
                         f"it must be [] or [{heads}] (one a query head)"
                         + (f" or [B, Hq, Nq] = {list(q1.shape[:3])}"
                            if name == "lam" else ""))
    return value if value.stride(-1) == 1 or value.shape[-1] <= 1 \
        else value.contiguous()


def _kappa(function, kappa, device):
    """(tensor or None, value used where it is None)."""
    if isinstance(kappa, torch.Tensor):
        if kappa.dtype != torch.float32 or kappa.numel() != 1:
            raise TypeError(f"{function}: a kappa tensor must be torch.float32 "
                            f"with one element, not {kappa.dtype} of shape "
                            f"{tuple(kappa.shape)}")
        if kappa.device != device:
            raise ValueError(f"{function}: kappa is on {kappa.device}; it must "
                             f"be on {device}, as the queries")
        return kappa.reshape(()), 1.0
    try:
        kappa = float(kappa)
    except TypeError:
        raise TypeError(f"{function}: kappa must be a float or an f32 tensor, "
                        f"not {type(kappa).__name__}") from None
    if not kappa > 0:
        raise ValueError(f"{function}: kappa = {kappa} must be above 0")
    return None, kappa
