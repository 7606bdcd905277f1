"""What a call computes, as the words of `tda-compile --attention`.

Used by the wheel's build too, so this file imports nothing else of the package
and no torch. Beta is always one value a head, kappa and the offset are
operands: they change from call to call without another kernel.
"""
from dataclasses import dataclass

DTYPES = ("bf16", "f16", "f32")


@dataclass(frozen=True)
class Problem:
    views: int = 2
    d: int = 64
    dv: int = 64
    dtype: str = "bf16"
    causal: bool = True
    window: int = 0  # 0: none
    power: float = 2.0
    normalize: bool = True
    lam: str = "head"  # or "token"; unused with one view
    stats: bool = False

    def words(self):
        """Canonical: equal problems have equal words."""
        words = [f"views={self.views}", f"d={self.d}", f"dv={self.dv}",
                 f"dtype={self.dtype}"]
        if self.causal:
            words.append("causal")
        if self.window:
            words.append(f"window={self.window}")
        words.append(f"power={self.power:g}")
        if self.normalize:
            words.append("normalize")
        words += ["kappa=arg", "offset=arg"]
        if self.views == 2:
            words.append(f"lambda={self.lam}")
        if self.stats:
            words.append("stats")
        return " ".join(words)
