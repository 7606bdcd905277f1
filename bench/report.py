"""Turns bench.json of dev/gpu-bench into text: every row, then the targets.

    report.py BENCH.json      prints what bench.txt holds. Needs Python alone.
"""
import json
import sys

# Title; section, kind and shape of the rows it is about; the figure; must, aim.
# Ratios are times over cuDNN's softmax on the same inputs: at most. TFLOP/s: at
# least.
TARGETS = [
    ("null d128 N16384", ("table", "null", 128, 16384), "to_cudnn", .85, .80),
    ("null d128 N32768", ("table", "null", 128, 32768), "to_cudnn", .85, .80),
    ("null d64 N16384", ("table", "null", 64, 16384), "to_cudnn", .68, .60),
    ("real layer0", ("real", "layer0", 64, 4096), "to_cudnn", .90, .70),
    ("real layer2", ("real", "layer2", 64, 4096), "to_cudnn", .90, .70),
    ("dense d128 N16384", ("table", "dense", 128, 16384), "tflops", 650, 710),
    ("dense d64 N16384", ("table", "dense", 64, 16384), "tflops", 590, 650),
    ("null d128 N2048", ("table", "null", 128, 2048), "to_cudnn", 1.0, .90),
    ("null d64 N2048", ("table", "null", 64, 2048), "to_cudnn", 1.0, .90),
    ("dense d128 N2048", ("table", "dense", 128, 2048), "tflops", 500, 560),
    ("dense d64 N2048", ("table", "dense", 64, 2048), "tflops", 500, 560),
]
ADAPTIVE = ("adaptive over the best fixed", 7.0, 3.0)  # percent, worst case


def figure(value, form):
    return form.format(value) if value is not None else "-"


def line(r):
    spread = f"{r['ms_min']:.4f}..{r['ms_max']:.4f}"
    return " | ".join([
        f"{r['section']:7s}", f"{r['case']:34s}", f"{r['name']:13s}",
        f"{r['ms']:9.4f} ms", f"{spread:>18s}", f"{r['tflops']:6.0f}",
        f"{figure(r.get('qk_tflops'), '{:.0f}'):>5s}",
        f"{figure(r.get('to_cudnn'), '{:.3f}'):>6s}",
        f"{figure(r.get('to_triton'), '{:.3f}'):>6s}",
        f"{figure(r.get('error'), '{:.1e}'):>7s}"])


HEAD = " | ".join([
    f"{'section':7s}", f"{'case':34s}", f"{'what':13s}", f"{'median':>12s}",
    f"{'rounds min..max':>18s}", f"{'TFLOP/s':>6s}", f"{'QK':>4s}",
    f"{'/cuDNN':>6s}", f"{'/Triton':>6s}", f"{'error':>6s}"])


def by_case(rows):
    cases = {}
    for r in rows:
        cases.setdefault((r["section"], r["case"]), []).append(r)
    return cases


def adaptive_rows(rows):
    """(case, ms of adaptive, ms and name of the best fixed, percent over it)
    of each case of the density section."""
    result = []
    for (section, case), members in by_case(rows).items():
        ours = {r["name"]: r["ms"] for r in members if r["what"] == "tda"}
        adaptive = ours.pop("adaptive", None)
        ours.pop("default", None)
        if section == "density" and adaptive and ours:
            best = min(ours, key=ours.get)
            result.append((case, adaptive, ours[best], best,
                           100 * (adaptive / ours[best] - 1)))
    return result


def verdict(value, must, aim, most):
    if value is None:
        return "not measured"
    reached = (lambda bound: value <= bound) if most else (
        lambda bound: value >= bound)
    return "aim" if reached(aim) else "must" if reached(must) else "MISSED"


def target_lines(rows):
    lines = [f"{'target':30s} | {'must':>8s} | {'aim':>8s} | {'default':>8s} | "
             f"{'reached':12s} | best schedule"]
    for title, key, metric, must, aim in TARGETS:
        ours = [r for r in rows if r["what"] == "tda" and metric in r and
                (r["section"], r["kind"], r["d"], r["n"]) == key]
        most = metric == "to_cudnn"
        value = next((r[metric] for r in ours if r["name"] == "default"), None)
        best = (min if most else max)(ours, key=lambda r: r[metric],
                                      default=None)
        form, sign = ("{:.3f}", "<=") if most else ("{:.0f}", ">=")
        best_text = (f"{best['name']} {form.format(best[metric])} "
                     f"({verdict(best[metric], must, aim, most)})"
                     if best else "-")
        lines.append(f"{title:30s} | {sign} {must:>5g} | {sign} {aim:>5g} | "
                     f"{figure(value, form):>8s} | "
                     f"{verdict(value, must, aim, most):12s} | {best_text}")
    title, must, aim = ADAPTIVE
    worst = max(adaptive_rows(rows), key=lambda row: row[-1], default=None)
    value = worst[-1] if worst else None
    lines.append(f"{title:30s} | <= {must:>4g}% | <= {aim:>4g}% | "
                 f"{figure(value, '{:.1f}%'):>8s} | "
                 f"{verdict(value, must, aim, True):12s} | "
                 f"{'worst at ' + worst[0] if worst else '-'}")
    return lines


def text(document):
    rows = document["rows"]
    lines = [f"{key}: {value}" for key, value in document.items()
             if isinstance(value, (str, int, float))]
    lines += ["", "Median of the medians of the rounds; TFLOP/s on causal "
              "pairs (TDA 4d + 2dv, softmax 4d),",
              "QK: the scores alone; ratios of times.", "", HEAD]
    for members in by_case(rows).values():
        lines += [line(r) for r in members] + [""]
    compared = adaptive_rows(rows)
    if compared:
        lines += ["adaptive against the best fixed schedule:"]
        lines += [f"  {case:34s} | {ours:9.4f} ms | {best:9.4f} ms ({name}) | "
                  f"{percent:+.1f}%"
                  for case, ours, best, name, percent in compared] + [""]
    lines += target_lines(rows) + [""]
    lines += [f"note: {note}" for note in document["notes"]]
    lines += [f"FAILED {failure}" for failure in document["failures"]]
    lines.append(f"{len(rows)} measurements, {len(document['failures'])} "
                 "failures")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: report.py BENCH.json")
    with open(sys.argv[1]) as file:
        print(text(json.load(file)), end="")
