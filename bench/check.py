"""Checks kernels of a bundle against float64; started by measure.py.

    check.py BUNDLE CONFIGURATION...

Prints a JSON line before and after each configuration. A process of its own,
because a kernel that traps or hangs takes its process with it: measure.py then
names the one that was running and starts this again for those after it.
"""
import hashlib
import json
import pathlib
import sys

import torch

import inputs
import runtime

LENGTHS = (1000, 1536)  # not a multiple of any tile, and one of most
BETAS, LAMBDAS = (1.0, 0.0, 0.8, 3.0), (0.5, 0.3, 1.0, 0.5)


def say(**line):
    print(json.dumps(line), flush=True)


def check(library, bundle, c):
    """error, message and a hash of all output bits of one configuration."""
    program = runtime.Program(library, bundle / "kernels" / c["manifest"])
    problem = program.manifest["problem"]
    dtype = inputs.DTYPES[problem["dtype"]]
    limit, worst, digest = inputs.LIMITS[dtype], 0.0, hashlib.sha256()
    for n in LENGTHS:
        x = inputs.random_inputs(2, 4, n, problem["d"], dtype, BETAS, LAMBDAS,
                                 "cuda")
        out = torch.full_like(x.v, float("nan"))
        call = program.bind(x.tensors() + [out])
        call()
        torch.cuda.synchronize()
        first = out.clone()
        out.fill_(float("nan"))
        call()
        torch.cuda.synchronize()
        if not torch.equal(out.view(torch.int16), first.view(torch.int16)):
            return worst, f"N {n}: two launches differ", ""
        pairs = [(b, h) for b in range(2) for h in range(4)]
        # All rows, then the late ones alone: early rows are never sparse.
        for rows in (torch.arange(n), torch.arange(n // 8, n)):
            verdict = inputs.judge(x, out, pairs, rows.to(out.device), limit)
            worst = max(worst, verdict.error)
            if verdict.message:
                return worst, f"N {n}, {verdict.message}", ""
        digest.update(out.view(torch.int16).cpu().numpy().tobytes())
    return worst, "", digest.hexdigest()


def main():
    bundle = pathlib.Path(sys.argv[1])
    index = {c["name"]: c for c in
             json.loads((bundle / "kernels/index.json").read_text())}
    torch.zeros(1, device="cuda")  # the context that tda_launch uses
    library = runtime.Library(bundle / "lib/libtda_runtime.so")
    for name in sys.argv[2:]:
        say(start=name)
        try:
            error, message, digest = check(library, bundle, index[name])
        except runtime.TdaError as refused:
            error, message, digest = None, str(refused), ""
        say(done=name, error=error, message=message, digest=digest)
        torch.cuda.synchronize()  # raises where the device is lost


if __name__ == "__main__":
    main()
