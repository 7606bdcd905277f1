"""The extension module on a driver that runs no kernel (TDA_LIBCUDA).

Launch parameters themselves are tested beside the runtime; here: that tensors
arrive, that the workspace is asked for, and what is refused.
"""
import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path

import torch

from tda import _native, kernels
from tda.problem import Problem

FAKE = "fake" in os.environ.get("TDA_LIBCUDA", "")
WORDS = Problem(2, 64, 64, "bf16").words()


def arguments(b=1, h=2, n=8, d=64):
    q = torch.zeros(b, h, n, d, dtype=torch.bfloat16)
    head = torch.zeros(h)
    return ((q, q, q, q, q, head, head, torch.ones(()), 0, q.clone()),
            bytes([2] * 5 + [1] * 3 + [5, 2]))


@unittest.skipUnless(FAKE, "TDA_LIBCUDA names no fake driver")
class Launch(unittest.TestCase):
    def setUp(self):
        shipped = kernels.index()["gpu"].get(WORDS, {})
        if "sm_90" not in shipped:
            self.skipTest(f"no kernel for '{WORDS}' is installed")
        self.file = kernels.FOLDER / shipped["sm_90"][0]["manifest"]
        # The fake driver looks for the kernels' names in PTX, not in a cubin.
        self.handle = _native.open_memory(
            self.file.read_text(), self.file.with_suffix(".ptx").read_bytes())
        _native.load(self.handle, 0)
        self.sizes = []

    def allocate(self, size):
        self.sizes.append(size)
        buffer = torch.empty(size + 256, dtype=torch.uint8)
        return buffer[-buffer.data_ptr() % 256:]

    def launch(self, values, codes):
        _native.launch(self.handle, 0, values, codes, 0, self.allocate)

    def test_launches_with_a_workspace(self):
        values, codes = arguments()
        self.launch(values, codes)  # In what the program keeps for a stream.
        self.assertEqual(self.sizes, [])
        values, codes = arguments(n=2112)
        self.launch(values, codes)
        self.assertEqual(self.sizes,
                         [_native.check(self.handle, values, codes)])
        self.assertGreater(self.sizes[0], 2 << 20)
        self.assertEqual(json.loads(_native.manifest(self.handle))["name"],
                         self.file.stem)

    def test_refuses(self):
        values, codes = arguments()

        def change(index, value):
            return values[:index] + (value,) + values[index + 1:]

        for changed, text in (
                (change(4, values[4][:, :, :3]), "argument 'v': axis 2 .Nk."),
                (change(4, values[4].view(-1)[1:].as_strided(
                    (1, 2, 7, 64), (1024, 512, 64, 1))), "argument 'v'"),
                (change(9, values[9].expand(1, 2, 8, 64).as_strided(
                    (1, 2, 8, 64), (0, 0, 64, 1))), "elements of this output"),
                (change(8, 1 << 40), "argument 'offset'"),
                (change(5, torch.zeros(3)), "argument 'beta'")):
            with self.assertRaisesRegex(ValueError, text):
                self.launch(changed, codes)
        with self.assertRaisesRegex(ValueError, "one dtype code"):
            self.launch(values, codes[:-1])
        with self.assertRaisesRegex(RuntimeError, "is not loaded on device 1"):
            _native.launch(self.handle, 1, values, codes, 0, self.allocate)
        with self.assertRaises(AttributeError):
            self.launch(change(0, "q"), codes)

    def test_misaligned(self):
        values, codes = arguments()
        shifted = torch.zeros(1 + 1024, dtype=torch.bfloat16)[1:].view(
            1, 2, 8, 64)
        with self.assertRaisesRegex(ValueError, "must be aligned to"):
            self.launch(values[:4] + (shifted,) + values[5:], codes)

    def test_tampered_code(self):
        with tempfile.TemporaryDirectory() as folder:
            for file in self.file.parent.glob(self.file.stem + ".*"):
                shutil.copy(file, folder)
            manifest = Path(folder) / self.file.name
            with open(manifest.with_suffix(".ptx"), "a") as ptx:
                ptx.write("// changed\n")
            with self.assertRaisesRegex(RuntimeError, "is not the file that "
                                        "the manifest describes"):
                _native.open(str(manifest))


class Choice(unittest.TestCase):
    def test_of_the_architecture(self):
        self.assertEqual(kernels.arch_order((9, 0)), ["sm_90", "sm_80"])
        self.assertEqual(kernels.arch_order((8, 6)), ["sm_80"])
        self.assertEqual(kernels.arch_order((12, 0)), ["sm_80"])
        with self.assertRaisesRegex(kernels.UnsupportedError,
                                    "7.5 is not supported: kernels are for 8"):
            kernels.gpu_kernels(Problem(), (7, 5))

    def test_of_the_lengths(self):
        small = kernels.Kernel(1, {"Nk": [0, 512]})
        large = kernels.Kernel(2, {"Nk": [513, 2048], "B": [0, 4]})
        lengths = dict(B=1, Hq=1, Hkv=1, Nq=1, Nk=512)
        self.assertIs(kernels.choose([small, large], lengths), small)
        self.assertIs(kernels.choose([small, large], dict(lengths, Nk=513)),
                      large)
        with self.assertRaisesRegex(kernels.UnsupportedError, "no shipped sch"):
            kernels.choose([small, large], dict(lengths, Nk=4096))


if __name__ == "__main__":
    unittest.main()
