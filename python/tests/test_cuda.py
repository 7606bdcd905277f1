"""What only a GPU shows: streams, graphs, devices, synchronisation, sizes."""
import threading
import unittest

import torch

import tda
from common import Case, inputs


@unittest.skipUnless(torch.cuda.is_available(), "no GPU")
class Cuda(Case):
    def test_many_shapes(self):
        for d in (64, 128):
            for views in (1, 2):
                for words in (dict(b=1, hq=1, hkv=1, nq=1, nk=1),
                              dict(b=3, hq=6, hkv=2, nq=257, nk=511),
                              dict(b=1, hq=4, hkv=4, nq=1, nk=1000)):
                    tensors, beta, lam = inputs(d=d, dv=d, views=2, **words)
                    with self.subTest(d=d, views=views, **words):
                        self.check(tensors, beta, lam)

    def test_no_synchronisation(self):
        tensors, beta, lam = inputs()
        tda.attention(*tensors, beta, lam)  # Loads.
        torch.cuda.set_sync_debug_mode("error")
        try:
            tda.attention(*tensors, beta, lam)
            tda.attention(*tensors, beta, lam, kappa=beta[0])
            tda.stats(*tensors[:4], beta=beta)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    def test_streams(self):
        tensors, beta, lam = inputs(nq=1024, nk=1024)
        wanted = tda.attention(*tensors, beta, lam)
        torch.cuda.synchronize()
        streams = [torch.cuda.Stream() for _ in range(4)]
        results = []
        for stream in streams:
            with torch.cuda.stream(stream):
                for _ in range(4):
                    results.append(tda.attention(*tensors, beta, lam))
        torch.cuda.synchronize()
        for o in results:
            self.assertTrue(torch.equal(o, wanted))

    def test_graph_replay_with_new_beta_and_lambda(self):
        tensors, beta, lam = inputs()
        tda.attention(*tensors, beta, lam, kappa=3.0)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            o = tda.attention(*tensors, beta, lam, kappa=3.5)
        for value in (0.1, 0.9):
            beta.fill_(value)
            lam.fill_(1 - value)
            graph.replay()
            self.assertTrue(torch.equal(
                o, tda.attention(*tensors, beta, lam, kappa=3.5)))

    def test_cuda_graph_of_torch_compile(self):
        tensors, beta, lam = inputs()
        call = torch.compile(lambda *a: tda.attention(*a) + 1, fullgraph=True,
                             mode="reduce-overhead")
        wanted = tda.attention(*tensors, beta, lam) + 1
        for _ in range(4):
            self.assertTrue(torch.equal(call(*tensors, beta, lam), wanted))

    def test_first_kappa_in_a_cuda_graph_of_torch_compile(self):
        """Its tensor must not stay in the graph's memory."""
        tensors, beta, lam = inputs()
        call = torch.compile(lambda *a: tda.attention(*a, kappa=2.25),
                             fullgraph=True, mode="reduce-overhead")
        first = call(*tensors, beta, lam).clone()
        for _ in range(3):
            self.assertTrue(torch.equal(call(*tensors, beta, lam), first))
        self.assertTrue(torch.equal(
            tda.attention(*tensors, beta, lam, kappa=2.25), first))

    def test_capture_while_another_thread_launches(self):
        """Also on streams that launch first while a graph is captured."""
        tensors, beta, lam = inputs(nq=64, nk=64)
        wanted = tda.attention(*tensors, beta, lam)
        torch.cuda.synchronize()
        failures, done = [], threading.Event()

        def launch():
            while not done.is_set():
                with torch.cuda.stream(torch.cuda.Stream()):
                    o = tda.attention(*tensors, beta, lam)
                    torch.cuda.current_stream().synchronize()
                    if not torch.equal(o.cpu(), wanted.cpu()):
                        failures.append("bits")

        thread = threading.Thread(target=launch)
        thread.start()
        try:
            for _ in range(20):
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph,
                                      capture_error_mode="thread_local"):
                    o = tda.attention(*tensors, beta, lam)
                graph.replay()
                torch.cuda.synchronize()
                if not torch.equal(o.cpu(), wanted.cpu()):
                    failures.append("bits of the graph")
        finally:
            done.set()
            thread.join()
        self.assertEqual(failures, [])

    def test_threads_and_streams_with_their_own_lengths(self):
        cases = [inputs(nq=n, nk=n) for n in range(16, 16 + 8)]
        wanted = [tda.attention(*t, beta, lam) for t, beta, lam in cases]
        torch.cuda.synchronize()
        failures = []

        def work(i):
            (tensors, beta, lam), stream = cases[i], torch.cuda.Stream()
            with torch.cuda.stream(stream):
                for _ in range(200):
                    o = tda.attention(*tensors, beta, lam)
                stream.synchronize()
                if not torch.equal(o, wanted[i]):
                    failures.append(i)

        threads = [threading.Thread(target=work, args=(i,))
                   for i in range(len(cases))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    @unittest.skipUnless(torch.cuda.device_count() > 1, "one GPU")
    def test_two_devices(self):
        here, beta, lam = inputs(device="cuda:0")
        wanted = tda.attention(*here, beta, lam)
        there = [t.to("cuda:1") for t in (*here, beta, lam)]
        self.assertTrue(torch.equal(tda.attention(*there).cpu(), wanted.cpu()))
        with self.assertRaisesRegex(ValueError, "v is on cuda:1"):
            tda.attention(*here[:4], there[4], beta, lam)

    def test_mixed_devices(self):
        tensors, beta, lam = inputs()
        with self.assertRaisesRegex(ValueError, "v is on cpu"):
            tda.attention(*tensors[:4], tensors[4].cpu(), beta, lam)
        with self.assertRaisesRegex(ValueError, "beta is on cpu"):
            tda.attention(*tensors, beta.cpu(), lam)
        with self.assertRaisesRegex(TypeError, "torch.float32; on a GPU"):
            tda.attention(*[t.float() for t in tensors], beta, lam)

    def test_misaligned(self):
        tensors, beta, lam = inputs()
        v = torch.zeros(tensors[4].numel() + 1, dtype=torch.bfloat16,
                        device="cuda")[1:].view(tensors[4].shape)
        with self.assertRaisesRegex(ValueError, "argument 'v': .* aligned"):
            tda.attention(*tensors[:4], v, beta, lam)

    def test_more_than_2_to_31_elements(self):
        """o has 2^31 + 2^26 elements; inputs repeat one batch."""
        b, h, n = 528, 64, 1024
        if torch.cuda.mem_get_info()[0] < 30 << 30:
            self.skipTest("needs 30 GiB")
        tensors, beta, lam = inputs(b=1, hq=h, hkv=h, nq=n, nk=64)
        many = [t.expand(b, -1, -1, -1) for t in tensors]
        for i in (1, 3, 4):
            many[i] = many[i].contiguous()
        o = tda.attention(*many, beta, lam, causal=False)
        self.assertGreater(o.numel(), 1 << 31)
        one = tda.attention(*tensors, beta, lam, causal=False)
        for batch in (0, b // 2, b - 1):
            self.assertTrue(torch.equal(o[batch], one[0]))


if __name__ == "__main__":
    unittest.main()
