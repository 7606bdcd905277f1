"""Inputs of the tests, and where they run: GPU where there is one, else CPU."""
import unittest

import torch

import tda
from tda import compiler, reference

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
BOUND = {torch.bfloat16: 5e-3, torch.float16: 1e-3, torch.float32: 5e-5}


def inputs(b=2, hq=4, hkv=2, nq=96, nk=96, d=64, dv=64, dtype=torch.bfloat16,
           views=2, device=DEVICE, seed=0):
    """q1, k1, q2, k2, v (one view: q, k, v) and beta, lam, [Hq]."""
    generator = torch.Generator().manual_seed(seed)

    def make(*shape):
        return torch.randn(*shape, generator=generator).to(dtype).to(device)

    tensors = []
    for _ in range(views):
        tensors += [make(b, hq, nq, d), make(b, hkv, nk, d)]
    tensors.append(make(b, hkv, nk, dv))
    beta = (0.2 + 0.5 * torch.rand(hq, generator=generator)).to(device)
    lam = torch.rand(hq, generator=generator).to(device)
    return tensors, beta, lam


def error(o, wanted):
    """||o - ref|| / ||ref||."""
    away = (o.double() - wanted).norm()
    return (away / wanted.norm().clamp_min(1e-30)).item()


class Case(unittest.TestCase):
    def check(self, tensors, beta, lam, **words):
        """A call against float64."""
        try:
            o = tda.attention(*tensors, beta, lam, **words)
        except tda.UnsupportedError as refusal:
            if compiler.available():
                raise
            # Outside of the shipped set, and nothing here to compile it.
            print(f"not shipped: {words} {str(refusal)[:120]}")
            return None
        wanted = reference.attention(*tensors, beta, lam, **words)
        self.assertLess(error(o, wanted), BOUND[tensors[0].dtype])
        return o
