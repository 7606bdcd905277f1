"""Times Triton's own tuner on the kernel of bench/peers.py.

    compare_triton.py --out FILE.json [--budget SECONDS] [--peers DIR]

For each case: what the first call takes, which compiles and times the 12
configurations (TRITON_CACHE_DIR must be empty), which one wins, and what the
kernel then takes: medians of CUDA events, the L2 cold. Starts no case after the
budget.
"""
import argparse
import json
import pathlib
import statistics
import sys
import time

# (head dimension, beta, whether empty tiles are skipped, tokens), 16 heads.
CASES = [(128, 1.0, True, 8192), (64, 1.0, True, 8192),
         (128, 0.0, False, 8192), (64, 0.0, False, 8192)]
HEADS = 16


def kernel_ms(torch, call):
    """Median and quartiles of at least 15 calls."""
    flush = torch.empty(256 << 20, dtype=torch.uint8, device="cuda")
    for _ in range(5):
        call()
    events = [(torch.cuda.Event(enable_timing=True),
               torch.cuda.Event(enable_timing=True)) for _ in range(21)]
    torch.cuda._sleep(5_000_000)
    for start, stop in events:
        flush.zero_()
        start.record()
        call()
        stop.record()
    torch.cuda.synchronize()
    times = sorted(a.elapsed_time(b) for a, b in events)
    return times[10], times[5], times[15]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--budget", type=float, default=45)
    parser.add_argument("--peers", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent)
    options = parser.parse_args()
    sys.path.insert(0, str(options.peers))
    try:
        import torch
        import triton
        import peers
    except ImportError as error:
        sys.exit(f"compare_triton: error: {error}; it needs PyTorch, Triton "
                 "and bench/peers.py")
    began = time.perf_counter()
    rows = []
    for d, beta, skip, n in CASES:
        if time.perf_counter() - began > options.budget:
            print(f"left out for the budget: d={d} beta={beta}", flush=True)
            continue
        torch.manual_seed(0)
        q1, k1, q2, k2 = (peers.unit(1, HEADS, n, d) for _ in range(4))
        v = torch.randn(1, HEADS, n, d, device="cuda", dtype=torch.bfloat16)

        def call():
            return peers.triton_tda(q1, k1, q2, k2, v, beta, 0.5, skip)

        torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        tuning = time.perf_counter() - start
        median, low, high = kernel_ms(torch, call)
        best = str(peers._tda_fwd.best_config)
        rows.append(dict(
            problem=f"views=2 d={d} dv={d} dtype=bf16 causal power=2",
            shape=f"B=1,Hq={HEADS},Hkv={HEADS},Nq={n},Nk={n}",
            density="null" if beta else "dense", skip=skip,
            configurations=len(peers.triton_configs()),
            tuning_seconds=round(tuning, 3), median_us=round(median * 1e3, 2),
            quartiles_us=[round(low * 1e3, 2), round(high * 1e3, 2)],
            config=best))
        print(f"triton d={d} beta={beta} skip={skip}: tuned in {tuning:.1f} s, "
              f"{median * 1e3:.1f} us with {best}", flush=True)
        p = torch.cuda.get_device_properties(0)
        options.out.write_text(json.dumps(dict(
            device=p.name, sms=p.multi_processor_count,
            torch=torch.__version__, triton=triton.__version__, rows=rows),
            indent=1) + "\n")


if __name__ == "__main__":
    main()
