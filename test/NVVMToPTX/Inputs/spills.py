"""Compiles attention problems, by default with the default schedule, and says which
of the kernels spill registers or have wgmma serialised, by tda-compile -v. Ends
with 1 where one does, where ptxas said nothing of a kernel, and where a default is
not of the path that --path names."""

import argparse
import itertools
import json
import random
import re
import subprocess
import sys
import tempfile


def grid(dtype):
    """What most models have, and each way to leave the plain kernel."""
    for d, views in itertools.product((64, 96, 128), (1, 2)):
        for extras in itertools.product(("", "causal"), ("", "window=300"),
                                        ("", "stats")):
            yield " ".join((f"views={views} d={d} dtype={dtype}", *filter(None, extras)))


def drawn(seed, count, widest):
    """Anything that has a form: every word is there or not, independent of others."""
    draw = random.Random(seed)
    sizes = range(16, widest + 1, 16)
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


def winners(database):
    """(problem, schedule), each once, of a database of tda-autotune."""
    with open(database, encoding="utf-8") as file:
        entries = json.load(file)["entries"]
    return sorted({(entry["key"]["problem"], entry["winner"]) for entry in entries})


def complaints(problem, schedule, options):
    command = ["tda-compile", "--arch", options.arch, "-v", "--attention", problem]
    if schedule:
        command += ["--schedule", schedule]
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run([*command, "-o", folder], capture_output=True,
                              text=True, check=False)
    found = [line for line in said.stderr.splitlines()
             if "warning:" in line or "error:" in line or "(C75" in line]
    kernels = said.stderr.count("Compiling entry function")
    spills = re.findall(r"(\d+) bytes spill stores, (\d+) bytes spill loads",
                        said.stderr)
    if said.returncode or kernels == 0 or len(spills) < kernels:
        found.append(f"exit status {said.returncode}; ptxas named {kernels} kernels, "
                     f"with the spills of {len(spills)}")
    found += [f"spills {stores} bytes, loads {loads}" for stores, loads in spills
              if (stores, loads) != ("0", "0")]
    path = "wgmma" if "path = wgmma" in said.stderr else "mma_sync"
    if path != options.path:
        found.append(f"the path is {path}, not {options.path}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problems", nargs="*", help="words of tda-compile --attention")
    parser.add_argument("--grid", metavar="DTYPE", help="a grid of problems")
    parser.add_argument("--drawn", metavar="N", type=int, default=0,
                        help="N problems at random")
    parser.add_argument("--database", metavar="FILE",
                        help="the problems of a database, by their winners")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--path", default="wgmma", help="that the schedules must have")
    parser.add_argument("--schedule", help="words of tda-compile --schedule")
    options = parser.parse_args()
    widest = 256 if options.path == "wgmma" else 128
    problems = [*options.problems, *drawn(options.seed, options.drawn, widest)]
    if options.grid:
        problems += grid(options.grid)
    pairs = [(problem, options.schedule) for problem in problems]
    if options.database:
        pairs += winners(options.database)
    bad = 0
    for problem, schedule in pairs:
        found = complaints(problem, schedule, options)
        bad += bool(found)
        for line in found:
            print(f'"{problem}": {line}', flush=True)
    print(f"{bad} of {len(pairs)} problems: spills, serialised wgmma or an error")
    return bad > 0 or not pairs


sys.exit(main())
