"""Counting what survives."""
from typing import NamedTuple

import torch

from . import reference
from .api import attention, rectified_attention

TILE = 64


class Stats(NamedTuple):
    """Tensors on the inputs' device; nothing was copied to the host."""
    survivors: torch.Tensor   # i32 [views, B, Hq, Nq]
    sparsity: torch.Tensor    # f32 []: share of visible entries that are 0
    live_tiles: torch.Tensor  # f32 []: share of visible 64 x 64 tiles with any
    dead_heads: torch.Tensor  # bool [B, Hq]: no view of the head has any


def stats(q1, k1, q2=None, k2=None, *, beta, causal=True, kappa=1.0,
          normalize=True, window=None, offset=None):
    """Survivors of the kernel itself, and what follows from them.

    Args as of `tda.attention`; q2 = k2 = None: one view. Live tiles are found
    beside the kernel, 64 rows at a time in f32, which takes O(Nq Nk) time: for
    looking, not for every step.
    """
    words = dict(causal=causal, kappa=kappa, normalize=normalize,
                 window=window, offset=offset)
    # Whatever v is, the same entries survive.
    v = k1
    if q2 is None:
        _, survivors = rectified_attention(q1, k1, v, beta, return_stats=True,
                                           **words)
    else:
        _, survivors = attention(q1, k1, q2, k2, v, beta, 0.0,
                                 return_stats=True, **words)
    views, batch, heads, queries = survivors.shape
    keys = k1.shape[2]
    start = keys - queries if offset is None else offset
    seen = torch.arange(queries, device=q1.device) + start
    last = seen.clamp(max=keys - 1) if causal else torch.full_like(seen,
                                                                   keys - 1)
    first = (seen - window + 1).clamp(min=0) if window else 0
    visible = (last - first + 1).clamp(min=0).sum() * (views * batch * heads)
    sparsity = 1 - survivors.sum() / visible.clamp(min=1)
    return Stats(survivors, sparsity.float(),
                 _live_tiles(q1, k1, q2, k2, beta, words, start),
                 (survivors == 0).all(3).all(0))


def _live_tiles(q1, k1, q2, k2, beta, words, start):
    """Share of tiles with a visible entry in which either view has one that
    survives."""
    queries, keys = q1.shape[2], k1.shape[2]
    columns = (keys + TILE - 1) // TILE
    live = torch.zeros((), device=q1.device)
    seen = torch.zeros((), device=q1.device)
    for row in range(0, queries, TILE):
        rows = slice(row, min(row + TILE, queries))
        chunk = dict(words, offset=start + row, precision=torch.float32)
        _, alive = reference.rectified_map(q1[:, :, rows], k1, beta, **chunk)
        if q2 is not None:
            alive |= reference.rectified_map(q2[:, :, rows], k2, beta,
                                             **chunk)[1]
        pad = (0, columns * TILE - keys)
        alive = torch.nn.functional.pad(alive.any(2), pad)
        live += alive.unflatten(-1, (columns, TILE)).any(-1).sum()
        _, visible = reference.gate(
            torch.zeros(1, device=q1.device), 1.0,
            q1.shape[3], rows.stop - row, keys, causal=words["causal"],
            window=words["window"], offset=start + row, device=q1.device)
        visible = torch.nn.functional.pad(visible.any(0), pad)
        seen += visible.unflatten(0, (columns, TILE)).any(-1).sum()
    return live / (seen * q1.shape[0] * q1.shape[1]).clamp(min=1)
