"""tda.stats and tda.plot_map."""
import os
import struct
import tempfile
import time
import subprocess
import sys
import unittest
import zlib

import torch

import tda
from common import Case, DEVICE, inputs
from tda import reference


class Stats(Case):
    def test_against_whole_maps(self):
        tensors, beta, _ = inputs(nq=130, nk=150)
        beta[1] = 50.0  # Nothing survives there but in the first rows.
        found = tda.stats(*tensors[:4], beta=beta)
        alive = torch.stack([
            reference.rectified_map(tensors[i], tensors[i + 1], beta,
                                    precision=torch.float32)[1]
            for i in (0, 2)])
        _, visible = reference.gate(beta.cpu(), 1.0, 64, 130, 150,
                                    causal=True, window=None, offset=20,
                                    device="cpu")
        entries = visible.sum().item() * 2 * 2 * 4
        self.assertAlmostEqual(found.sparsity.item(),
                               1 - alive.sum().item() / entries, places=3)
        self.assertTrue(torch.equal(
            found.dead_heads.cpu(), (alive.sum((0, 3, 4)) == 0).cpu()))
        either = torch.nn.functional.pad(alive.any(0).cpu(), (0, 42, 0, 62))
        tiles = either.unflatten(3, (3, 64)).unflatten(2, (3, 64)).any(5).any(3)
        seen = torch.nn.functional.pad(visible, (0, 42, 0, 62))
        seen = seen.unflatten(1, (3, 64)).unflatten(0, (3, 64)).any(3).any(1)
        self.assertAlmostEqual(found.live_tiles.item(),
                               tiles.sum().item() / (8 * seen.sum().item()),
                               places=3)

    def test_one_view_and_dead_heads(self):
        (q, k, _), _, _ = inputs(views=1)
        beta = torch.full((4,), 1000.0, device=DEVICE)
        found = tda.stats(q[:, :, 8:], k, beta=beta)
        self.assertEqual(tuple(found.survivors.shape), (1, 2, 4, 88))
        self.assertTrue(found.dead_heads.all())
        self.assertEqual(found.sparsity.item(), 1)
        self.assertEqual(found.live_tiles.item(), 0)


class Plot(Case):
    def test_picture(self):
        tensors, beta, lam = inputs(nq=50, nk=70)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "map.png")
            size = tda.plot_map(path, *tensors[:4], beta=beta, lam=lam, head=3)
            with open(path, "rb") as file:
                data = file.read()
        self.assertEqual(size, (50, 70))
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", data[16:24]), (70, 50))
        start = data.index(b"IDAT")
        length = struct.unpack(">I", data[start - 4:start])[0]
        rows = zlib.decompress(data[start + 4:start + 4 + length])
        self.assertEqual(len(rows), 50 * (1 + 3 * 70))
        # Row 0 sees 21 keys; what it does not see is white.
        self.assertEqual(rows[1 + 3 * 30:1 + 3 * 70], b"\xff" * 120)

    def test_large_maps_shrink(self):
        (q, k, _), beta, _ = inputs(views=1, b=1, nq=2100, nk=3000)
        with tempfile.TemporaryDirectory() as folder:
            size = tda.plot_map(os.path.join(folder, "a.png"), q, k, beta=beta)
        self.assertEqual(size, (700, 1000))

    def test_bad_input(self):
        (q, k, _), beta, _ = inputs(views=1)
        with self.assertRaisesRegex(ValueError, "must end in .png"):
            tda.plot_map("a.jpg", q, k, beta=beta)
        with self.assertRaisesRegex(ValueError, "head 7 is not one of 2 x 4"):
            tda.plot_map("a.png", q, k, beta=beta, head=7)


class Import(unittest.TestCase):
    def test_is_quick(self):
        code = ("import torch, time; a = time.perf_counter(); import tda; "
                "print(time.perf_counter() - a)")
        best = min(float(subprocess.run([sys.executable, "-c", code], text=True,
                                        capture_output=True).stdout)
                   for _ in range(3))
        self.assertLess(best, 0.3)


if __name__ == "__main__":
    unittest.main()
