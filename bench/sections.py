"""What a run measures: the sections and their cases, most wanted first."""
from dataclasses import dataclass

SECTIONS = ("table", "real", "density", "lengths", "dtypes")


@dataclass(frozen=True)
class Case:
    section: str
    kind: str  # of input, see inputs.py
    d: int
    n: int
    heads: int
    batch: int = 1
    dtype: str = "bf16"
    peers: tuple = ("cudnn", "fa2", "triton", "official")
    only_default: bool = False  # else every schedule of the problem

    def name(self):
        return (f"d{self.d} B{self.batch} H{self.heads} N{self.n} {self.dtype} "
                f"{self.kind}")


def table(quick):
    shapes = [(128, 16384, 16, 1), (64, 16384, 16, 1), (128, 2048, 16, 4),
              (64, 2048, 16, 4), (128, 32768, 8, 1), (128, 8192, 16, 1),
              (64, 8192, 16, 1)]
    return [Case("table", kind, d, n, heads, batch)
            for d, n, heads, batch in shapes[:4 if quick else None]
            for kind in ("null", "dense")]


def real(layers):
    # Length and head dimension are those of the files; 0 is filled in there.
    return [Case("real", layer, 0, 0, 32) for layer in layers]


def density(quick, layers):
    betas = ("0", "0.8", "1") if quick else (
        "0", "0.5", "0.7", "0.8", "0.9", "1", "3")
    cases = [Case("density", kind, d, 8192, 16, peers=("cudnn",))
             for d in (128, 64)
             for kind in (*(f"beta {beta}" for beta in betas), "mix")]
    return cases + [Case("density", layer, 0, 0, 16, peers=("cudnn",))
                    for layer in layers]


def lengths(quick):
    sizes = (1024, 8192, 32768) if quick else [2**i for i in range(9, 18)]
    return [Case("lengths", "null", 128, n, min(16, 2**18 // n),
                 peers=("cudnn", "triton"), only_default=True) for n in sizes]


def dtypes(quick):
    kinds = ("null",) if quick else ("null", "dense")
    problems = [("bf16", 128), ("f16", 128), ("bf16", 64), ("f16", 64),
                ("bf16", 96), ("bf16", 256)]
    return [Case("dtypes", kind, d, 8192, 16, dtype=dtype, peers=("cudnn",),
                 only_default=True) for dtype, d in problems for kind in kinds]


def cases(section, quick, layers):
    return dict(table=lambda: table(quick), real=lambda: real(layers),
                density=lambda: density(quick, layers),
                lengths=lambda: lengths(quick),
                dtypes=lambda: dtypes(quick))[section]()
