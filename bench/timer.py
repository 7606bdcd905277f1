"""Times contestants against each other with CUDA events.

All of a case take turns, in several rounds, so that clocks and temperature hit
them alike; each round draws an order of its own, so that nobody always follows
the same other. Each repetition starts with a cold L2 (a buffer larger than it is
cleared, as triton.testing.do_bench does), outside the timed span. The host runs
ahead of the device, so that no launch is waited for.
"""
import random
import statistics
import time

import torch

WARM_MS = 25
FLUSH_BYTES = 256 << 20
SLEEP_CYCLES = 250_000  # a launch: more than the host needs for it
ORDER_SEED = 1  # of the orders, with the name of the case


def orders(names, rounds, where):
    """The order of each round, the same for the same case."""
    draw = random.Random(f"{ORDER_SEED} {where}")
    return [draw.sample(names, len(names)) for _ in range(rounds)]


class Timer:
    def __init__(self, rounds, least, progress):
        """At least `least` repetitions in so many rounds; `progress` is told
        what comes next."""
        self.progress = progress
        self.rounds = rounds
        self.per_round = -(-least // rounds)
        self.buffer = torch.empty(FLUSH_BYTES, dtype=torch.uint8, device="cuda")

    def batch(self, call, count):
        """Milliseconds of `count` calls, after one that is not timed."""
        events = [(torch.cuda.Event(enable_timing=True),
                   torch.cuda.Event(enable_timing=True)) for _ in range(count)]
        call()
        torch.cuda._sleep(SLEEP_CYCLES * count)
        for start, stop in events:
            self.buffer.zero_()
            start.record()
            call()
            stop.record()
        torch.cuda.synchronize()
        return [start.elapsed_time(stop) for start, stop in events]

    def quick(self, call):
        """A rough median, to choose among candidates."""
        return statistics.median(self.batch(call, 5))

    def compare(self, calls, where):
        """{name: call} to {name: ms, ms_min, ms_max (medians of rounds),
        repetitions}."""
        medians = {name: [] for name in calls}
        count = {}
        for name, call in calls.items():
            self.progress(f"{where}: {name}, warm-up")
            warm_until = time.perf_counter() + WARM_MS / 1e3
            while time.perf_counter() < warm_until:
                for _ in range(5):
                    call()
                torch.cuda.synchronize()
            each = self.quick(call)
            # About 5 ms a batch where that is more.
            count[name] = max(self.per_round, min(30, int(5 / max(each, 1e-3))))
        for order in orders(list(calls), self.rounds, where):
            for name in order:
                self.progress(f"{where}: {name}")
                medians[name].append(
                    statistics.median(self.batch(calls[name], count[name])))
        return {name: dict(ms=statistics.median(m), ms_min=min(m),
                           ms_max=max(m),
                           repetitions=count[name] * self.rounds)
                for name, m in medians.items()}
