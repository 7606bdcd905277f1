"""Measures the kernels of a bundle beside every peer; run by dev/gpu-bench.

    measure.py --bundle DIR --out DIR [--only SECTION,...] [--quick]
               [--budget SECONDS]

First each kernel is checked against float64 in a process of its own; those that
fail are counted and not timed. Then case after case: the output of everything
that takes part is checked on the very input, then all are timed in turns
(timer.py). OUT/bench.json has one record a measurement and is written after
each case, so what was measured survives whatever comes later; OUT/bench.txt is
the table (report.py). The exit code is 1 if anything failed or was left out.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent

try:
    import torch
except ImportError as missing:
    sys.exit(f"gpu-bench: error: this Python ({sys.executable}) cannot import "
             f"PyTorch ({missing}); install it, or name another with PYTHON=")

import contestants
import inputs
import report
import runtime
import sections
from timer import ORDER_SEED, Timer

STUCK_SECONDS = 90  # without progress, before the run is given up
START_SECONDS = 60  # for the checking process to start
CHECK_SECONDS = 25  # for the check of one kernel
BUILDERS = 12  # processes that compile Triton kernels


class Run:
    """What a run has found so far, and where it is written."""

    def __init__(self, out, facts):
        self.out, self.facts = out, facts
        self.rows, self.failures, self.notes = [], [], []
        self.pairs_noted = set()
        self.now, self.since = "start", time.monotonic()

    def enter(self, what):
        self.now, self.since = what, time.monotonic()

    def say(self, text):
        print(text, flush=True)

    def fail(self, text):
        self.failures.append(text)
        self.say(f"FAILED {text}")

    def note(self, text):
        self.notes.append(text)
        self.say(f"note: {text}")

    def save(self):
        document = dict(self.facts, failures=self.failures, notes=self.notes,
                        rows=self.rows)
        part = self.out / "bench.json.part"
        part.write_text(json.dumps(document, indent=1))
        part.rename(self.out / "bench.json")
        (self.out / "bench.txt").write_text(report.text(document))

    def watch(self):
        """Ends the process when the device has not answered for long: a
        kernel that hangs can be ended in no other way."""
        def loop():
            while True:
                time.sleep(1)
                if time.monotonic() - self.since > STUCK_SECONDS:
                    self.fail(f"{self.now}: no answer for {STUCK_SECONDS} s; "
                              "the run ends here")
                    self.save()
                    os._exit(1)
        threading.Thread(target=loop, daemon=True).start()


def shell(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True,
                              timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def clocks():
    fields = "clocks.sm,clocks.max.sm,clocks.mem,power.limit,temperature.gpu"
    text = shell("nvidia-smi", f"--query-gpu={fields}",
                 "--format=csv,noheader").splitlines()
    return f"{fields}: {text[0]}" if text else "unknown"


def facts(bundle, options, index):
    device = torch.cuda.get_device_properties(0)
    driver = shell("nvidia-smi", "--query-gpu=driver_version",
                   "--format=csv,noheader").splitlines()
    return {
        "device": f"{device.name}, {device.multi_processor_count} SMs",
        "clocks_before": clocks(),
        "driver": driver[0] if driver else "unknown",
        "cuda": torch.version.cuda,
        "ptxas": next((c["ptxas"] for c in index if c.get("ptxas")),
                      "none: PTX through the driver"),
        "commit": (bundle / "REVISION").read_text().strip(),
        "command": "dev/gpu-bench --run" +
                   (f" --only {options.only}" if options.only else "") +
                   (" --quick" if options.quick else ""),
        "inputs": f"random unit rows, seed {inputs.SEED}, lambda 0.5, causal, "
                  "two views; real tensors of the bundle; cold L2",
        "order": f"drawn for each round, seed {ORDER_SEED} and the case",
        "peers": contestants.versions(),
        "kernels": index,
    }


def ask_checker(run, bundle, todo):
    """One run of check.py: the lines that it finished, the configuration that
    it was at when it ended, and why it ended ("" where all is done)."""
    child = subprocess.Popen(
        [sys.executable, str(HERE / "check.py"), str(bundle), *todo],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    errors, done, running, patience = [], [], None, None

    def wait(seconds):
        nonlocal patience
        if patience:
            patience.cancel()
        patience = threading.Timer(seconds, child.kill)
        patience.daemon = True
        patience.start()
        run.enter(f"check {running or todo[0]}")

    drain = threading.Thread(
        target=lambda: errors.append(child.stderr.read()), daemon=True)
    drain.start()
    wait(START_SECONDS)
    for line in child.stdout:
        if not line.startswith("{"):
            continue
        line = json.loads(line)
        running = line.get("start")
        if "done" in line:
            done.append(line)
        wait(CHECK_SECONDS)
    child.wait()
    patience.cancel()
    drain.join(5)
    if child.returncode == 0:
        return done, None, ""
    if child.returncode == -9:
        return done, running, "no answer: hung, and was ended"
    lines = "".join(errors).strip().splitlines() or ["no message"]
    named = [text for text in lines if re.match(r"\S*(Error|error)", text)]
    return done, running, (f"ended its process ({child.returncode}): "
                           f"{(named or lines)[-1]}")


def check_all(run, bundle, configurations):
    """Names of the configurations that agree with float64."""
    by_name = {c["name"]: c for c in configurations}
    good, todo = {}, list(by_name)
    while todo:
        done, running, why = ask_checker(run, bundle, todo)
        for line in done:
            name = line["done"]
            todo.remove(name)
            if line["message"]:
                run.fail(f"check {name}: {line['message']}")
            else:
                good[name] = line["digest"]
                run.say(f"checked {name}: error {line['error']:.2e}")
        if running:
            run.fail(f"check {running}: {why}")
            todo.remove(running)
        elif todo and not done:
            run.fail(f"no kernel was checked: {why}")
            break
    compare_bits(run, "check", [(by_name[n], bits)
                                for n, bits in good.items()])
    return set(good)


def path_of(configuration):
    """Path of the resolved schedule; mma_sync is not written out."""
    words = dict(w.strip().split(" = ")
                 for w in configuration["resolved"].split(","))
    return words.get("path", "mma_sync")


def compare_bits(run, where, results):
    """results: (configuration, hash). Schedules of one path must agree bit for
    bit; across paths sums are taken in other ways, which is only noted."""
    first = {}
    for c, bits in results:
        one = first.setdefault((c["problem"], path_of(c)), (c, bits))
        if one[1] != bits:
            run.fail(f"{where}: {c['name']} and {one[0]['name']} differ in "
                     "bits")
    by_problem = {}
    for (problem, _), (c, bits) in first.items():
        one = by_problem.setdefault(problem, (c, bits))
        pair = (c["name"], one[0]["name"])
        if one[1] != bits and pair not in run.pairs_noted:
            run.pairs_noted.add(pair)  # once, not for each input
            run.note(f"{where}: {pair[0]} and {pair[1]}, of two paths, differ "
                     "in bits")


def build_peers():
    """Starts compiling the Triton kernels; a list of processes."""
    return [subprocess.Popen(
        [sys.executable, str(HERE / "peers.py"), "--build", "128,64",
         f"{part}/{BUILDERS}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for part in range(BUILDERS)]


def measure_case(run, timer, bundle, case, programs):
    """Checks and times one case; adds its records."""
    run.enter(f"{case.section} {case.name()}: inputs")
    case, x = contestants.make_inputs(bundle, case)
    where = f"{case.section} {case.name()}"
    ours = contestants.ours(case, x, programs)
    verdicts, outputs = {}, []
    for one in ours:
        run.enter(f"{where}: {one.name}")
        one.out.fill_(float("nan"))
        try:
            one.call()
        except runtime.TdaError as refused:
            verdicts[one.name] = inputs.Verdict(None, None, str(refused))
            continue
        torch.cuda.synchronize()
        verdicts[one.name] = inputs.judge_sample(x, one.out)
        outputs.append((one.configuration, one.out))
    # Bits are compared on the device: the first of each path stands for it.
    results, seen = [], []
    for c, out in outputs:
        same = next((i for i, other in enumerate(seen)
                     if torch.equal(other.view(torch.int16),
                                    out.view(torch.int16))), len(seen))
        if same == len(seen):
            seen.append(out)
        results.append((c, same))
    compare_bits(run, where, results)

    rivals = []
    for make in contestants.peers(case, x):
        run.enter(f"{where}: peer {make.name}")
        try:
            one = make(timer)
            result = one.call()
            torch.cuda.synchronize()
            if one.limit is not None:
                verdicts[one.name] = inputs.judge_sample(
                    x, result, one.limit, one.slack)
            rivals.append(one)
        except Exception as error:  # a peer may fail in any way of its own
            run.note(f"{where}: peer {make.name}: {type(error).__name__}: "
                     f"{str(error).strip().splitlines()[:1]}")
            torch.cuda.synchronize()

    able = []
    for one in ours + rivals:
        verdict = verdicts.get(one.name)
        if verdict and verdict.message:
            run.fail(f"{where}: {one.name}: {verdict.message}")
        else:
            able.append(one)
    times = timer.compare({one.name: one.call for one in able}, where)
    share = next((v.survivors for v in verdicts.values() if not v.message),
                 None)
    records = [contestants.record(case, x, one, times[one.name],
                                  verdicts.get(one.name), share)
               for one in able]
    contestants.add_ratios(records)
    run.rows += records
    for r in records:
        run.say(report.line(r))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bundle", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--budget", type=float, default=None)
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else sections.SECTIONS
    for name in wanted:
        if name not in sections.SECTIONS:
            sys.exit(f"gpu-bench: error: no section '{name}'; known: "
                     f"{', '.join(sections.SECTIONS)}")
    if not torch.cuda.is_available():
        sys.exit("gpu-bench: error: PyTorch sees no GPU here "
                 f"(torch {torch.__version__}, CUDA {torch.version.cuda})")

    started = time.monotonic()
    budget = options.budget or (100 if options.quick else 300)
    bundle = options.bundle
    options.out.mkdir(parents=True, exist_ok=True)
    index = json.loads((bundle / "kernels/index.json").read_text())
    run = Run(options.out, facts(bundle, options, index))
    for key, value in run.facts.items():
        if key != "kernels":
            run.say(f"{key}: {value}")
    run.watch()
    for c in index:
        if "message" in c and not c["optional"]:
            run.fail(f"{c['name']} did not compile: {c['message']}")
        elif "message" in c:
            run.note(f"{c['name']} does not compile: {c['message']}")
    compiled = [c for c in index if "message" not in c]

    builders = build_peers() if contestants.HAVE_TRITON else []
    run.enter("check")
    good = check_all(run, bundle, compiled)
    run.save()
    if not good:
        for process in builders:
            process.kill()
        sys.exit("gpu-bench: error: no kernel passed its check; nothing to "
                 "measure")
    for process in builders:
        run.enter("compiling the Triton peer")
        try:
            process.wait(STUCK_SECONDS - 5)
        except subprocess.TimeoutExpired:
            process.kill()
    if any(process.returncode for process in builders):
        run.note("not all Triton kernels were compiled ahead; the run compiles "
                 "them as it meets them")
    run.say(f"ready to measure after {time.monotonic() - started:.0f} s")

    run.enter("load")
    torch.zeros(1, device="cuda")  # the context that the kernels load into
    library = runtime.Library(bundle / "lib/libtda_runtime.so")
    programs = []
    for c in compiled:
        if c["name"] in good:
            program = runtime.Program(library,
                                      bundle / "kernels" / c["manifest"])
            program.pointer_checks(False)
            programs.append((c, program))
    timer = Timer(3 if options.quick else 5, 21 if options.quick else 25,
                  run.enter)
    layers = inputs.real_layers(bundle / "data/real")
    left = 0
    for section in wanted:
        for case in sections.cases(section, options.quick, layers):
            if time.monotonic() - started > budget:
                left += 1
                continue
            try:
                measure_case(run, timer, bundle, case, programs)
            except Exception as error:
                run.fail(f"{run.now}: {type(error).__name__}: {error}")
                try:
                    torch.cuda.synchronize()
                    torch.cuda.empty_cache()
                except RuntimeError:
                    run.fail("the device is unusable after that; the run ends "
                             "here")
                    run.save()
                    os._exit(1)
            run.save()
    if left:
        run.fail(f"{left} cases were left out: the budget of {budget:.0f} s is "
                 "spent; see --only and --budget")
    run.facts["clocks_after"] = clocks()
    run.facts["seconds"] = round(time.monotonic() - started, 1)
    run.save()
    run.say("\n" + (options.out / "bench.txt").read_text())
    sys.exit(1 if run.failures else 0)


if __name__ == "__main__":
    sys.exit(main())
