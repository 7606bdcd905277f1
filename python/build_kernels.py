"""Compiles the kernels that a wheel ships.

    build_kernels.py --compiler TDA_COMPILE [--set all|few] [--schedules FILE]
                     [--jobs N] FOLDER

Writes FOLDER/*.{ptx,cubin,json}, FOLDER/libtda_cpu_kernels.so and
FOLDER/index.json, which python/tda/kernels.py reads. FILE gives tuned
schedules by problem, see SCHEDULES below. Needs Python, the compiler and a C
compiler (CC); cubins come where ptxas is installed.
"""
import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
# The package itself needs torch; this file of it does not.
import importlib.util  # noqa: E402

_spec = importlib.util.spec_from_file_location(
    "tda_problem", Path(__file__).parent / "tda" / "problem.py")
_module = importlib.util.module_from_spec(_spec)
sys.modules["tda_problem"] = _module
_spec.loader.exec_module(_module)
Problem = _module.Problem

ARCHS = ("sm_80", "sm_90")
# {"WORDS": {"sm_90": [{"covers": {"Nk": [0, 2048]}, "schedule": "tile_n = 64"},
#                      {"covers": {}, "schedule": ""}]}}: of a problem the
# first entry that covers the lengths is taken. Not named: the default schedule.
SCHEDULES = Path(__file__).parent / "schedules.json"


def problems(which):
    """(gpu problems, cpu problems)."""
    if which == "few":
        both = [Problem(2, d, d, "bf16") for d in (64,)]
        return both, both + [Problem(1, 64, 64, "f32")]
    gpu = [Problem(views, d, d, dtype, causal, 0, 2.0, normalize, "head", stats)
           for views, d, dtype, causal, normalize, stats in itertools.product(
               (1, 2), (64, 128), ("bf16", "f16"), (True, False),
               (True, False), (False, True))]
    cpu = [Problem(views, d, d, dtype, causal, 0, 2.0, True, "head", stats)
           for views, d, dtype, causal, stats in itertools.product(
               (1, 2), (64, 128), ("bf16", "f16", "f32"), (True, False),
               (False, True))]
    return gpu, cpu


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit(f"build_kernels: error: {' '.join(map(str, command))}\n"
                 f"{done.stderr}{done.stdout}")


def compile_gpu(compiler, folder, problem, arch, number, variants):
    """The rows of the index for one problem and architecture."""
    rows = []
    for i, variant in enumerate(variants):
        name = f"{arch}_{number}_{i}"
        command = [compiler, "--attention", problem.words(), "--arch", arch,
                   "--name", name, "-o", folder]
        if variant["schedule"]:
            command += ["--schedule", variant["schedule"]]
        run(command)
        (folder / f"{name}.h").unlink()
        rows.append({"covers": variant["covers"], "manifest": f"{name}.json"})
    return problem.words(), arch, rows


def compile_cpu(compiler, folder, problem, symbol):
    run([compiler, "--attention", problem.words(), "--arch", "cpu", "--name",
         symbol, "--emit=object", "-o", folder / f"{symbol}.o"])
    return problem.words(), symbol


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--compiler", type=Path, required=True)
    parser.add_argument("--set", choices=("all", "few"), default="all")
    parser.add_argument("--schedules", type=Path, default=SCHEDULES)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    compiler = shutil.which(str(options.compiler)) or options.compiler
    tuned = (json.loads(options.schedules.read_text())
             if options.schedules.exists() else {})
    gpu, cpu = problems(options.set)
    unknown = set(tuned) - {problem.words() for problem in gpu}
    if unknown:
        sys.exit(f"build_kernels: error: {options.schedules} names problems "
                 f"that are not shipped: {'; '.join(sorted(unknown))}")
    folder = options.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    index = {"gpu": {}, "cpu": {}}
    default = [{"covers": {}, "schedule": ""}]
    with ThreadPoolExecutor(options.jobs) as pool, \
            tempfile.TemporaryDirectory() as objects:
        rows = [pool.submit(compile_gpu, compiler, folder, problem, arch,
                            number,
                            tuned.get(problem.words(), {}).get(arch, default))
                for number, problem in enumerate(gpu) for arch in ARCHS]
        codes = [pool.submit(compile_cpu, compiler, Path(objects), problem,
                             f"tda_cpu_{number}")
                 for number, problem in enumerate(cpu)]
        for words, arch, variants in (row.result() for row in rows):
            index["gpu"].setdefault(words, {})[arch] = variants
        for words, symbol in (code.result() for code in codes):
            index["cpu"][words] = symbol
        run([os.environ.get("CC", "cc"), "-shared", "-o",
             folder / "libtda_cpu_kernels.so", *sorted(Path(objects).iterdir()),
             "-lm", "-s"])
    (folder / "index.json").write_text(json.dumps(index, indent=1))
    print(f"{len(gpu)} problems for {', '.join(ARCHS)}, {len(cpu)} for CPUs "
          f"in {folder}")


if __name__ == "__main__":
    main()
