"""Threshold Differential Attention for PyTorch.

    import tda
    o = tda.attention(q1, k1, q2, k2, v, beta, lam)      # two views: TDA
    o = tda.rectified_attention(q, k, v, beta)           # one view: TRA

On a GPU a call launches a kernel that was compiled ahead of time; on a CPU the
same calls run compiled loops. What is computed is docs/semantics.md of the
project. `tda.stats` counts what survives, `tda.plot_map` draws a map.
"""
from .api import attention, rectified_attention
from .kernels import UnsupportedError, supported
from .plot import plot_map
from .stats import Stats, stats

__version__ = "0.1.0"
__all__ = ["attention", "rectified_attention", "stats", "Stats", "plot_map",
           "supported", "UnsupportedError"]
