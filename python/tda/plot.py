"""Drawing an attention map, because people want to look."""
import struct
import zlib

import torch

from . import reference

_SIZE = 1024  # Most pixels along a side.


def plot_map(path, q1, k1, q2=None, k2=None, *, beta, lam=0.0, batch=0, head=0,
             causal=True, power=2, kappa=1.0, normalize=True, window=None,
             offset=None):
    """Writes the map A of one head to a PNG file.

    Queries go down, keys to the right. Red is what the first view adds, blue
    what the second takes away, white is exactly 0; a pixel is the strongest
    entry of those that it stands for. Arguments as of `tda.attention`; `head`
    is a query head. Needs no drawing library; whole rows are in memory.

    Returns the number of pixels, (rows, columns).
    """
    if not str(path).endswith(".png"):
        raise ValueError(f"plot_map: '{path}' must end in .png")
    heads = q1.shape[1]
    if not (0 <= batch < q1.shape[0] and 0 <= head < heads):
        raise ValueError(f"plot_map: batch {batch}, head {head} is not one of "
                         f"{q1.shape[0]} x {heads}")
    if q1.shape[2] == 0 or k1.shape[2] == 0:
        raise ValueError("plot_map: there is no entry to draw")
    group = head // (heads // k1.shape[1])
    pick = lambda t, h: t[batch:batch + 1, h:h + 1]  # noqa: E731
    strength = torch.as_tensor(beta, device=q1.device).expand(heads)[head]
    weight = torch.as_tensor(lam, device=q1.device)
    if weight.dim() == 3:
        weight = weight[batch, head].unsqueeze(1)
    elif weight.dim() == 1:
        weight = weight[head]
    queries, keys = q1.shape[2], k1.shape[2]
    start = keys - queries if offset is None else offset
    step = max(1, -(-queries // _SIZE))
    lines = []
    for row in range(0, queries, step):
        rows = slice(row, min(row + step, queries))
        words = dict(causal=causal, power=power, kappa=kappa, window=window,
                     normalize=normalize, offset=start + row,
                     precision=torch.float32)
        a = reference.rectified_map(pick(q1, head)[:, :, rows],
                                    pick(k1, group), strength, **words)[0]
        if q2 is not None:
            second = reference.rectified_map(pick(q2, head)[:, :, rows],
                                             pick(k2, group), strength,
                                             **words)[0]
            part = weight[rows] if weight.dim() == 2 else weight
            a = a - part * second
        lines.append(_strongest(a[0, 0].float(), -(-keys // _SIZE)).cpu())
    picture = torch.stack(lines)
    with open(path, "wb") as file:
        file.write(_png(picture))
    return tuple(picture.shape)


def _strongest(a, step):
    """One line: the entry of largest magnitude of each block of keys."""
    a = torch.nn.functional.pad(a, (0, -a.shape[1] % step))
    blocks = a.unflatten(1, (-1, step)).transpose(0, 1).flatten(1)
    return blocks.gather(1, blocks.abs().argmax(1, keepdim=True)).squeeze(1)


def _png(picture):
    """8-bit RGB; the scale is the square root, so that weak entries show."""
    scale = picture.abs().max().clamp(min=1e-30)
    shade = ((picture.abs() / scale).sqrt() * 255).round().to(torch.uint8)
    fade = 255 - shade
    white = torch.full_like(shade, 255)
    red = torch.where(picture < 0, fade, white)
    blue = torch.where(picture > 0, fade, white)
    pixels = torch.stack([red, fade, blue], dim=-1)
    height, width = picture.shape
    rows = torch.cat([torch.zeros(height, 1, dtype=torch.uint8),
                      pixels.flatten(1)], dim=1)

    def chunk(kind, data):
        body = kind + data
        return (struct.pack(">I", len(data)) + body +
                struct.pack(">I", zlib.crc32(body)))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(rows.flatten().tolist()))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
            chunk(b"IDAT", data) + chunk(b"IEND", b""))
