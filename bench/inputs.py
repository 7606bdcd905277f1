"""Inputs of the measurements, and the float64 reference that gates them.

Every input is made from a seed or read from files; none is zeros. Kinds:

    null       random unit rows, beta 1       dense    the same, beta 0
    beta X     the same, beta X               mix      the same, beta 3 and 0 on
                                                       alternate heads
    layerN     real tensors of the bundle, heads repeated to the number asked
    sample     the small real tensors of test/data/real, likewise
"""
import math
import pathlib
from dataclasses import dataclass

import torch

SEED = 20261124
LIMITS = {torch.bfloat16: 5e-3, torch.float16: 1e-3}
DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16}


@dataclass
class Inputs:
    q1: torch.Tensor  # [B, H, N, D], as k1, q2, k2 and v
    k1: torch.Tensor
    q2: torch.Tensor
    k2: torch.Tensor
    v: torch.Tensor
    beta: torch.Tensor  # [H], f32, as lam
    lam: torch.Tensor
    source: str  # seed or file, for the record

    def tensors(self):
        return [self.q1, self.k1, self.q2, self.k2, self.v, self.beta, self.lam]


def random_inputs(batch, heads, n, d, dtype, betas, lams, device, seed=SEED):
    """Unit rows and gaussian values; betas and lams cycle over the heads."""
    generator = torch.Generator(device).manual_seed(seed)

    def gaussian():
        return torch.randn(batch, heads, n, d, device=device,
                           generator=generator)

    def unit():
        x = gaussian()
        return (x / x.norm(dim=-1, keepdim=True)).to(dtype)

    def a_head(values):
        return torch.tensor([values[h % len(values)] for h in range(heads)],
                            device=device, dtype=torch.float32)

    return Inputs(unit(), unit(), unit(), unit(), gaussian().to(dtype),
                  a_head(betas), a_head(lams), f"seed {seed}")


def betas_of(kind):
    fixed = {"null": [1.0], "dense": [0.0], "mix": [3.0, 0.0]}
    return fixed[kind] if kind in fixed else [float(kind.split()[1])]


def real_layers(folder):
    """Names of the real inputs in the folder: layer0, layer2, ... or sample."""
    folder = pathlib.Path(folder)
    names = sorted(f.name[:-len("_q1.npy")]
                   for f in folder.glob("layer*_q1.npy"))
    return names or (["sample"] if (folder / "q1.npy").is_file() else [])


def real_inputs(folder, name, heads, device):
    import numpy
    prefix, lam = ("", "lambda") if name == "sample" else (f"{name}_", "lam")

    def read(key):
        return torch.from_numpy(
            numpy.load(pathlib.Path(folder) / f"{prefix}{key}.npy")).to(device)

    def repeated(x):  # [H, ...] to `heads` heads
        return x.repeat(-(-heads // x.shape[0]),
                        *[1] * (x.dim() - 1))[:heads].contiguous()

    def rows(key):  # bit patterns of bf16; [heads, N, D] or [1, heads, N, D]
        x = read(key).view(torch.bfloat16)
        return repeated(x.reshape(-1, *x.shape[-2:]))[None]

    return Inputs(*map(rows, ("q1", "k1", "q2", "k2", "v")),
                  repeated(read("beta").float()), repeated(read(lam).float()),
                  f"data/real {name}")


def reference(x, b, h, rows):
    """float64 output of these rows, the largest s - tau of each, and the
    number of keys of each that survive in either view."""
    n, d = x.q1.shape[-2:]
    tau = max(0.0, x.beta[h].item()) * torch.sqrt(
        2 * torch.log(rows.double() + 1) / d)
    hidden = torch.arange(n, device=rows.device)[None, :] > rows[:, None]

    def excess(q, k):
        s = q[b, h, rows].double() @ k[b, h].double().T - tau[:, None]
        return s.masked_fill_(hidden, -math.inf)

    s1, s2 = excess(x.q1, x.k1), excess(x.q2, x.k2)
    margin = torch.maximum(s1.amax(1), s2.amax(1))
    survivors = ((s1 > 0) | (s2 > 0)).sum(1)
    a = s1.relu_().square_()
    a.sub_(s2.relu_().square_(), alpha=x.lam[h].item())
    return a @ x.v[b, h].double(), margin, survivors


@dataclass
class Verdict:
    error: float     # ||o - ref|| / ||ref||, worst head
    survivors: float  # share of the visible keys of the rows looked at
    message: str     # empty where all is well


def judge(x, out, heads, rows, limit, slack=1e-5):
    """Compares these rows of these (batch, head) pairs of `out`; rows that miss
    their threshold by more than `slack` must be exactly zero."""
    worst, message, alive, visible = 0.0, "", 0, 0
    for b, h in heads:
        ref, margin, survivors = reference(x, b, h, rows)
        got = out[b, h, rows].double()
        alive += survivors.sum().item()
        visible += (rows + 1).sum().item()
        where = f"batch {b} head {h} (beta {x.beta[h].item():.3g})"
        if not torch.isfinite(got).all():
            return Verdict(math.inf, 0.0, f"{where} has NaN or Inf")
        if (got[margin < -slack] != 0).any():
            message = message or f"{where} has a dead row that is not zero"
        error = ((got - ref).norm() / ref.norm().clamp(min=1e-6)).item()
        worst = max(worst, error)
        if error > limit:
            message = message or f"{where}: error {error:.2e} > {limit:.0e}"
    return Verdict(worst, alive / max(visible, 1), message)


def judge_sample(x, out, limit=None, slack=1e-5):
    """Random late rows of the first and last heads: cheap at any length.
    Early rows have a low threshold and would hide the others."""
    batch, heads, n, _ = x.q1.shape
    pairs = sorted({(0, 0), (batch - 1, heads - 1)})
    generator = torch.Generator().manual_seed(SEED)
    rows = torch.randint(n // 8, n, (min(512, n // 2),), generator=generator)
    rows[-1] = n - 1
    return judge(x, out, pairs, rows.to(out.device),
                 LIMITS[out.dtype] if limit is None else limit, slack)
