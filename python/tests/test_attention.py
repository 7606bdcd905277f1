"""tda.attention: numbers, layouts, operands, and what it refuses."""
import contextlib
import subprocess
import sys
import threading
import time
import unittest
from unittest import mock

import torch

import tda
from common import BOUND, Case, DEVICE, error, inputs
from tda import op, reference


class Numbers(Case):
    def test_two_views(self):
        tensors, beta, lam = inputs()
        o = self.check(tensors, beta, lam)
        self.assertEqual(o.dtype, torch.bfloat16)
        self.assertTrue(torch.equal(o, tda.attention(*tensors, beta, lam)))

    def test_one_view(self):
        (q, k, v), beta, _ = inputs(views=1)
        o = tda.rectified_attention(q, k, v, beta)
        wanted = reference.attention(q, k, None, None, v, beta, None)
        self.assertLess(error(o, wanted), 5e-3)

    def test_dtypes(self):
        for dtype in (torch.float16, torch.float32):
            if dtype == torch.float32 and DEVICE == "cuda":
                continue
            with self.subTest(dtype):
                self.check(*inputs(dtype=dtype))

    def test_words(self):
        tensors, beta, lam = inputs(nq=40, nk=70)
        for words in (dict(causal=False), dict(normalize=False),
                      dict(kappa=2.5), dict(offset=3), dict(power=3),
                      dict(power=1.5), dict(window=17)):
            with self.subTest(words):
                self.check(tensors, beta, lam, **words)

    def test_operands(self):
        tensors, beta, lam = inputs()
        kappa = torch.tensor(2.0, device=DEVICE)
        with_tensor = tda.attention(*tensors, beta, lam, kappa=kappa)
        self.assertTrue(torch.equal(
            with_tensor, tda.attention(*tensors, beta, lam, kappa=2.0)))
        scalar = tda.attention(*tensors, 0.5, 0.25)
        full = torch.full((4,), 0.5, device=DEVICE)
        self.assertTrue(torch.equal(scalar, tda.attention(
            *tensors, full, full / 2)))
        self.assertTrue(torch.equal(scalar, tda.attention(
            *tensors, full[0], full[0] / 2)))
        self.check(tensors, beta, torch.rand(2, 4, 96, device=DEVICE))

    def test_many_kappas(self):
        """Each its own value, also beyond those that are kept."""
        tensors, beta, lam = inputs(nq=8, nk=8)
        for i in range(100):
            o = tda.attention(*tensors, beta, lam, kappa=1 + i / 7)
        wanted = tda.attention(*tensors, beta, lam, kappa=torch.tensor(
            1 + 99 / 7, dtype=torch.float32, device=DEVICE))
        self.assertTrue(torch.equal(o, wanted))
        self.assertLessEqual(len(op._scalars), op._MOST_SCALARS)

    def test_parameters(self):
        tensors, beta, lam = inputs()
        with torch.no_grad():
            o = tda.attention(*tensors, torch.nn.Parameter(beta),
                              torch.nn.Parameter(lam))
        self.assertTrue(torch.equal(o, tda.attention(*tensors, beta, lam)))

    def test_stats_of_the_kernel(self):
        tensors, beta, lam = inputs()
        o, survivors = tda.attention(*tensors, beta, lam, return_stats=True)
        self.assertEqual(tuple(survivors.shape), (2, 2, 4, 96))
        self.assertTrue(torch.equal(o, tda.attention(*tensors, beta, lam)))
        _, alive = reference.rectified_map(tensors[0], tensors[1], beta)
        close = (alive.sum(-1) - survivors[0]).abs().sum() / alive.sum()
        self.assertLess(close.item(), 1e-3)

    def test_empty(self):
        for words in (dict(b=0), dict(nq=0)):
            tensors, beta, lam = inputs(**words)
            o = tda.attention(*tensors, beta, lam)
            self.assertEqual(o.shape, tensors[0].shape)
        tensors, beta, lam = inputs(nk=0)
        o = tda.attention(*tensors, beta, lam)
        self.assertEqual(o.abs().max().item(), 0)


class Layouts(Case):
    def test_tokens_before_heads(self):
        """[B, N, H, D] views, without copies, and o lies alike."""
        tensors, beta, lam = inputs()
        wanted = tda.attention(*tensors, beta, lam)
        views = [t.transpose(1, 2).contiguous().transpose(1, 2)
                 for t in tensors]
        o = tda.attention(*views, beta, lam)
        self.assertTrue(torch.equal(o, wanted))
        self.assertTrue(o.transpose(1, 2).is_contiguous())

    def test_slices_of_a_packed_projection(self):
        tensors, beta, lam = inputs(hkv=4)
        packed = torch.cat([t.transpose(1, 2).flatten(2) for t in tensors], -1)
        views = [part.unflatten(-1, (4, 64)).transpose(1, 2)
                 for part in packed.split(256, -1)]
        self.assertTrue(torch.equal(tda.attention(*views, beta, lam),
                                    tda.attention(*tensors, beta, lam)))

    def test_compile(self):
        tensors, beta, lam = inputs()

        def call(tensors, beta, lam):
            return tda.attention(*tensors, beta, lam) * 2

        compiled = torch.compile(call, fullgraph=True,
                                 backend="inductor" if DEVICE == "cuda"
                                 else "aot_eager")
        self.assertTrue(torch.equal(compiled(tensors, beta, lam),
                                    call(tensors, beta, lam)))

    def test_opcheck(self):
        (q1, k1, q2, k2, v), beta, lam = inputs()
        torch.library.opcheck(
            torch.ops.tda.attention_stats.default,
            (q1, k1, q2, k2, v, beta, lam, None, 1.0, True, 2.0, True, None,
             None),
            test_utils=("test_schema", "test_faketensor"))

    def test_autocast(self):
        tensors, beta, lam = inputs(dtype=torch.float32)
        with torch.autocast(DEVICE, torch.bfloat16):
            o = tda.attention(*tensors, beta, lam)
        self.assertEqual(o.dtype, torch.bfloat16)
        self.assertTrue(torch.equal(o, tda.attention(
            *[t.bfloat16() for t in tensors], beta, lam)))

    def test_threads(self):
        tensors, beta, lam = inputs()
        wanted = tda.attention(*tensors, beta, lam)
        wrong = []

        def work():
            for _ in range(5):
                if not torch.equal(tda.attention(*tensors, beta, lam), wanted):
                    wrong.append(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertFalse(wrong)


class Package(unittest.TestCase):
    def test_import_is_quick(self):
        """Beyond torch itself; the best of three, as the machine is shared."""
        code = ("import time, torch\nstart = time.perf_counter()\nimport tda\n"
                "print(time.perf_counter() - start)")
        best = min(float(subprocess.run(
            [sys.executable, "-c", code], text=True, capture_output=True,
            check=True).stdout) for _ in range(3))
        self.assertLess(best, 0.3)


class BadInput(Case):
    def refused(self, kind, text, change, **words):
        tensors, beta, lam = inputs()
        arguments = dict(zip(("q1", "k1", "q2", "k2", "v"), tensors),
                         beta=beta, lam=lam)
        change(arguments)
        with self.assertRaisesRegex(kind, text):
            tda.attention(*arguments.values(), **words)

    def test_tensors(self):
        def set_(name, function):
            return lambda a: a.__setitem__(name, function(a[name]))

        for name, function, kind, text in (
                ("q2", lambda t: t[:, :, :5], ValueError,
                 "q2 has 5 rows; it must have 96, as q1"),
                ("k2", lambda t: t[:, :1], ValueError,
                 "k2 has 1 heads; it must have 2, as k1"),
                ("v", lambda t: t[:1], ValueError,
                 "v has batch 1; it must be 2"),
                ("k1", lambda t: t[..., :32], ValueError,
                 "k1 has head dimension 32; it must be 64"),
                ("v", lambda t: t.half(), TypeError, "v is torch.float16"),
                ("q1", lambda t: t.double(), TypeError,
                 "q1 is torch.float64; supported are"),
                ("k1", lambda t: t.to("meta"), ValueError, "k1 is on meta"),
                ("q1", lambda t: t[0], ValueError, "q1 has shape .* 4 axes"),
                ("q1", lambda t: 3, TypeError, "q1 must be a tensor, not int"),
                ("q1", lambda t: t.transpose(2, 3).contiguous().transpose(
                    2, 3), ValueError, "the last stride of q1 is 96; it must"),
                ("beta", lambda t: t[:3], ValueError, "beta has shape"),
                ("beta", lambda t: t.half(), TypeError, "beta is torch.flo"),
                ("beta", lambda t: "x", TypeError, "beta must be a float"),
                ("lam", lambda t: t[None], ValueError, "lam has shape"),
                ("lam", lambda t: t.to("meta"), ValueError, "lam is on meta")):
            with self.subTest(text):
                self.refused(kind, text, set_(name, function))

    def test_heads(self):
        tensors, beta, lam = inputs(hq=4, hkv=2)
        tensors[1], tensors[3], tensors[4] = (
            torch.cat([t, t[:, :1]], 1) for t in
            (tensors[1], tensors[3], tensors[4]))
        with self.assertRaisesRegex(ValueError, "4 query heads cannot share 3"):
            tda.attention(*tensors, beta, lam)

    def test_words(self):
        nothing = lambda a: None  # noqa: E731
        self.refused(ValueError, "kappa = 0.0 must be above 0", nothing,
                     kappa=0.0)
        self.refused(ValueError, "power = 0.5 must be at", nothing, power=0.5)
        self.refused(ValueError, "window = 0 must be", nothing, window=0)
        self.refused(TypeError, "a kappa tensor must be torch.float32", nothing,
                     kappa=torch.ones(2, device=DEVICE))
        self.refused(TypeError, "kappa must be a float or an f32 tensor, not "
                     "list", nothing, kappa=[1.0])

    def test_gradients(self):
        self.refused(NotImplementedError, "there is no backward yet",
                     lambda a: a["v"].requires_grad_())
        tensors, beta, lam = inputs()
        tensors[0].requires_grad_()
        with torch.no_grad():
            tda.attention(*tensors, beta, lam)

    def test_zero_head_dimension(self):
        tensors, beta, lam = inputs()
        with self.assertRaisesRegex(ValueError, "head dimension is 0"):
            tda.attention(*[t[..., :0] for t in tensors], beta, lam)

    def test_outside_of_the_shipped_set(self):
        """Named, with what there is, where nothing can be compiled."""
        code = ("import tda, torch\n"
                "q = torch.zeros(1, 1, 4, 48, dtype=torch.bfloat16, "
                f"device='{DEVICE}')\n"
                "tda.attention(q, q, q, q, q, 1.0, 0.5)")
        done = subprocess.run([sys.executable, "-c", code], text=True,
                              capture_output=True,
                              env={**__import__("os").environ,
                                   "TDA_COMPILER": ""})
        self.assertIn("UnsupportedError: no kernel was shipped for 'views=2 "
                      "d=48", done.stderr)
        self.assertIn("set TDA_COMPILER to", done.stderr)


class Scalars(unittest.TestCase):
    """A kappa given as a number, with the CUDA calls replaced: no GPU needed."""

    def setUp(self):
        self.device, self.made = torch.device("cuda", 7), []
        self.value = 2.75

        def fill(device, value):
            self.made.append(threading.get_ident())
            time.sleep(0.05)
            return torch.full((), value)

        for target, name, new in (
                (torch.cuda, "is_current_stream_capturing", lambda: False),
                (torch.cuda, "device", lambda *_: contextlib.nullcontext()),
                (torch.cuda, "stream", lambda *_: contextlib.nullcontext()),
                (torch.cuda, "Stream", mock.Mock()), (op, "_filled", fill)):
            patch = mock.patch.object(target, name, new)
            patch.start()
            self.addCleanup(patch.stop)
        for kept in (op._makers, op._scalars):
            patch = mock.patch.dict(kept, clear=True)
            patch.start()
            self.addCleanup(patch.stop)

    def test_made_once_and_not_by_the_caller(self):
        found, start = [], threading.Barrier(8)

        def call():
            start.wait()
            found.append(op._scalar(self.device, self.value))

        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len({id(tensor) for tensor, _ in found}), 1)
        self.assertTrue(all(stays for _, stays in found))
        self.assertEqual(len(self.made), 1)
        self.assertNotIn(self.made[0], [thread.ident for thread in threads])

    def test_an_error_is_the_callers(self):
        with mock.patch.object(op, "_filled", side_effect=MemoryError("none")):
            with self.assertRaisesRegex(MemoryError, "none"):
                op._scalar(self.device, self.value)
        tensor, _ = op._scalar(self.device, self.value)
        self.assertEqual(tensor.item(), self.value)


if __name__ == "__main__":
    unittest.main()
