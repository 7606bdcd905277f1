"""Compiles what schedules.json names, for a bundle of dev/gpu-bench.

    compile_kernels.py --compiler TDA_COMPILE --schedules FILE --arch sm_NN DIR

Writes DIR/<problem>.<label>/attention.{json,ptx,cubin} and DIR/index.json, the
list of what is there. A configuration that does not compile is reported by
name, with the compiler's message, and the rest goes on; the exit code is then
3, except where the problem is marked optional. Needs Python alone.
"""
import argparse
import json
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

JOBS = 2


def configurations(path):
    """One dict for each problem and schedule of the file, in its order."""
    try:
        problems = json.loads(path.read_text())["problems"]
        return [dict(name=f"{p['name']}.{label}", problem=p["name"],
                     words=p["problem"], label=label, schedule=schedule,
                     optional=bool(p.get("optional", False)))
                for p in problems for label, schedule in p["schedules"].items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.exit(f"compile_kernels: error: {path} is not a list of schedules "
                 f"({type(error).__name__}: {error}); see bench/README.md")


def compile_one(compiler, arch, folder, c):
    """Compiles one configuration; fills in 'manifest' or 'message'."""
    target = folder / c["name"]
    command = [str(compiler), "--attention", c["words"], "--arch", arch,
               "-o", str(target)]
    if c["schedule"]:
        command += ["--schedule", c["schedule"]]
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        return dict(c, message=str(error))
    if done.returncode:
        text = done.stderr.strip() or done.stdout.strip()
        return dict(c, message=text or f"exit code {done.returncode}")
    manifest = json.loads((target / "attention.json").read_text())
    for unused in target.glob("*.h"):
        unused.unlink()
    return dict(c, manifest=f"{c['name']}/attention.json",
                resolved=manifest["schedule"],
                arch=manifest["target"]["arch"],
                ptxas=manifest["compiler"]["ptxas"],
                cubin=manifest["files"]["cubin"] is not None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--compiler", type=pathlib.Path, required=True)
    parser.add_argument("--schedules", type=pathlib.Path, required=True)
    parser.add_argument("--arch", required=True)
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)

    wanted = configurations(options.schedules)
    with ThreadPoolExecutor(JOBS) as pool:
        done = list(pool.map(lambda c: compile_one(
            options.compiler, options.arch, options.folder, c), wanted))
    failed = 0
    for c in done:
        if "message" in c:
            failed += not c["optional"]
            print(f"{'left out' if c['optional'] else 'FAILED'} {c['name']} "
                  f"(\"{c['schedule']}\"): {c['message']}", flush=True)
        else:
            form = "cubin" if c["cubin"] else "PTX only"
            print(f"ok {c['name']} ({form}): {c['resolved']}", flush=True)
    (options.folder / "index.json").write_text(json.dumps(done, indent=1))
    if all("message" in c for c in done):
        sys.exit("compile_kernels: error: nothing compiled (above)")
    sys.exit(3 if failed else 0)


if __name__ == "__main__":
    main()
