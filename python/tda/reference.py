"""docs/semantics.md in torch, for statistics, pictures and tests.

Whole maps in the given precision: for short sequences.
"""
import math

import torch


def unit_rows(x, precision=torch.float64):
    """Rows of length 1, rounded to the input's dtype as the kernels do."""
    y = x.float()
    y = y / y.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return y.to(x.dtype).to(precision)


def gate(beta, kappa, d, queries, keys, *, causal, window, offset, device,
         precision=torch.float64):
    """tau [Hq, Nq] and visible [Nq, Nk]; tau is infinite on a row that sees
    nothing."""
    i = torch.arange(queries, device=device).unsqueeze(1) + offset
    j = torch.arange(keys, device=device).unsqueeze(0)
    visible = torch.ones(queries, keys, dtype=torch.bool, device=device)
    if causal:
        visible &= j <= i
    if window:
        visible &= j > i - window
    count = visible.sum(1).to(precision)
    spread = (2 * (count / kappa).clamp_min(1e-300).log().clamp_min(0)
              / d).sqrt()
    tau = beta.to(precision).clamp_min(0).unsqueeze(1) * spread
    return tau.masked_fill(count == 0, math.inf), visible


def rectified_map(q, k, beta, *, causal=True, power=2, kappa=1.0,
                  normalize=True, window=None, offset=None,
                  precision=torch.float64):
    """A of one view, [B, Hq, Nq, Nk], and what survives, as bool."""
    groups = q.shape[1] // k.shape[1]
    k = k.repeat_interleave(groups, dim=1)
    offset = k.shape[2] - q.shape[2] if offset is None else offset
    if not isinstance(beta, torch.Tensor):  # as_tensor would wait for a copy.
        beta = torch.full((), float(beta), device=q.device)
    beta = beta.expand(q.shape[1])
    kappa = kappa.to(precision) if isinstance(kappa, torch.Tensor) else kappa
    rows = unit_rows if normalize else lambda x, p: x.to(p)
    scores = rows(q, precision) @ rows(k, precision).transpose(-1, -2)
    tau, visible = gate(beta, kappa, q.shape[3], q.shape[2], k.shape[2],
                        causal=causal, window=window, offset=offset,
                        device=q.device, precision=precision)
    excess = scores - tau.unsqueeze(-1)
    survives = (excess > 0) & visible
    return torch.where(survives, excess.clamp_min(0) ** power, 0), survives


def attention(q1, k1, q2, k2, v, beta, lam, precision=torch.float64, **words):
    """o in `precision`; arguments as of tda.attention. q2 = None: one view."""
    a, _ = rectified_map(q1, k1, beta, precision=precision, **words)
    if q2 is not None:
        second, _ = rectified_map(q2, k2, beta, precision=precision, **words)
        lam = torch.as_tensor(lam, device=q1.device).to(precision)
        lam = lam.unsqueeze(-1) if lam.dim() == 3 else lam.reshape(-1, 1, 1)
        a = a - lam * second
    groups = q1.shape[1] // v.shape[1]
    return a @ v.repeat_interleave(groups, dim=1).to(precision)
