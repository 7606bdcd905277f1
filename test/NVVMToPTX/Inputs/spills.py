"""Compiles attention problems by the default schedule of an architecture and says
which of the kernels spill registers, or have wgmma serialised, by tda-compile -v.
Ends with 1 where one does, or where ptxas said nothing of a kernel."""

import argparse
import itertools
import random
import subprocess
import sys
import tempfile


def grid():
    """What most models have, and each way to leave the plain kernel."""
    for d, dtype, views in itertools.product((64, 96, 128), ("bf16", "f16"), (1, 2)):
        for extras in itertools.product(("", "causal"), ("", "window=300"),
                                        ("", "stats")):
            yield " ".join((f"views={views} d={d} dtype={dtype}", *filter(None, extras)))


def drawn(seed, count, widest):
    """Anything that has a form: every word is there or not, independent of others."""
    draw = random.Random(seed)
    sizes = [d for d in (16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 256)
             if d <= widest]
    for _ in range(count):
        views, d = draw.choice((1, 2)), draw.choice(sizes)
        dv = draw.choice((d, draw.choice(sizes)))
        words = [f"views={views} d={d} dv={dv} dtype={draw.choice(('bf16', 'f16'))}"]
        extras = ["causal", "window=300", "stats", "norm", "kappa=arg offset=arg",
                  draw.choice(("unit", "normalize")),
                  f"power={draw.choice((1, 3, 2.5))}"]
        extras += ["lambda=token"] * (views == 2)
        words += [word for word in extras if draw.random() < 0.4]
        yield " ".join(words)


def complaints(problem, arch, path):
    command = ["tda-compile", "--arch", arch, "-v", "--attention", problem]
    if path:
        command += ["--schedule", f"path={path}"]
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run([*command, "-o", folder], capture_output=True,
                              text=True, check=False)
    found = [line for line in said.stderr.splitlines()
             if "warning:" in line or "error:" in line or "(C75" in line]
    if not found and (said.returncode or
                      "0 bytes spill stores, 0 bytes spill loads" not in said.stderr):
        found = [f"exit status {said.returncode}, and ptxas named no kernel"]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawn", metavar="N", type=int, default=0,
                        help="N problems at random (default: a grid of problems)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--path", help="of the schedule (default: the architecture's)")
    options = parser.parse_args()
    widest = 256 if options.arch == "sm_90" and options.path != "mma_sync" else 128
    problems = list(drawn(options.seed, options.drawn, widest)
                    if options.drawn else grid())
    bad = 0
    for problem in problems:
        found = complaints(problem, options.arch, options.path)
        bad += bool(found)
        for line in found:
            print(f'"{problem}": {line}', flush=True)
    print(f"{bad} of {len(problems)} problems: spills, serialised wgmma or an error")
    return bad > 0


sys.exit(main())
