"""Draws bench.json of dev/gpu-bench: two SVG files for the README.

    plot.py BENCH.json -o DIR

DIR/lengths.svg: time against N of ours, cuDNN's softmax and the best Triton TDA
(section lengths). DIR/density.svg: time against beta by schedule (section
density), a panel a head dimension. The background is transparent and the greys
lie between black and white, so that both read on light and dark pages. Needs
matplotlib.
"""
import argparse
import json
import pathlib
import sys

try:
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullFormatter
except ImportError as missing:
    sys.exit(f"plot: error: {missing}; pip install matplotlib")

GREY = "#808080"
# Colours of Okabe and Ito that keep their contrast on white and on black.
COLOURS = ("#D55E00", "#0084C6", "#009E73", "#C06AA0", "#B58900", "#56B4E9")
MARKERS = "osD^vP"
PEERS = {"cudnn": ("softmax, cuDNN", "--"), "triton": ("TDA, Triton", ":")}


def style():
    plt.rcParams.update({
        "svg.hashsalt": "tda", "font.size": 11, "savefig.transparent": True,
        "text.color": GREY, "axes.labelcolor": GREY, "axes.edgecolor": GREY,
        "xtick.color": GREY, "ytick.color": GREY, "legend.frameon": False,
        "legend.labelcolor": GREY, "axes.spines.top": False,
        "axes.spines.right": False, "grid.color": GREY, "grid.alpha": 0.25,
        "axes.grid": True, "lines.linewidth": 2, "lines.markersize": 5})


def save(figure, path, document):
    figure.supxlabel(document.get("device", ""), x=0.99, ha="right",
                     fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    print(path)


def milliseconds(axis):
    form = FuncFormatter(lambda value, _: f"{value:g}")
    axis.set_major_formatter(form)
    axis.set_minor_formatter(NullFormatter())


def lengths(rows, path, document):
    rows = [r for r in rows if r["section"] == "lengths"]
    if not rows:
        print("plot: no section lengths in the file; lengths.svg is not drawn")
        return
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for (what, label), colour, marker in zip(
            [("tda", "TDA, tda")] + [(k, PEERS[k][0]) for k in PEERS],
            COLOURS, MARKERS):
        best = {}
        for r in rows:
            if r["what"] == what:
                # Per head: the number of heads falls where N is large.
                ms = r["ms"] / (r["batch"] * r["heads"])
                best[r["n"]] = min(ms, best.get(r["n"], ms))
        if best:
            n = sorted(best)
            axes.plot(n, [best[i] for i in n], marker=marker, color=colour,
                      label=label, linestyle=PEERS.get(what, ("", "-"))[1])
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    milliseconds(axes.yaxis)
    sizes = sorted({r["n"] for r in rows})
    axes.set_xticks(sizes, [f"{n // 1024}k" if n >= 1024 else str(n)
                            for n in sizes])
    axes.minorticks_off()
    axes.set_xlabel("tokens (causal)")
    axes.set_ylabel("milliseconds a head")
    axes.set_title(f"Forward, D {rows[0]['d']}, {rows[0]['dtype']}, random "
                   "unit rows, beta 1", fontsize=11)
    axes.legend()
    save(figure, path, document)


def density(rows, path, document):
    rows = [r for r in rows if r["section"] == "density"
            and (r["kind"].startswith("beta ") or r["kind"] == "mix")]
    dims = sorted({r["d"] for r in rows}, reverse=True)
    if not dims:
        print("plot: no section density in the file; density.svg is not drawn")
        return
    figure, panels = plt.subplots(1, len(dims), squeeze=False, sharey=True,
                                  figsize=(5 * len(dims), 4.4),
                                  layout="constrained")
    names = list(dict.fromkeys(r["name"] for r in rows if r["name"] !=
                               "default"))
    if names == ["cudnn"] or not names:  # the default alone was measured
        names = list(dict.fromkeys(r["name"] for r in rows))
    for axes, d in zip(panels[0], dims):
        here = [r for r in rows if r["d"] == d]
        kinds = list(dict.fromkeys(r["kind"] for r in here))
        place = {kind: i for i, kind in enumerate(kinds)}
        share = {r["kind"]: r["survivors"] for r in here if "survivors" in r}
        for i, name in enumerate(names):
            points = [(place[r["kind"]], r["ms"]) for r in here
                      if r["name"] == name]
            line = [p for p in points if kinds[p[0]] != "mix"]
            look = dict(color=COLOURS[i % 6], marker=MARKERS[i % 6])
            if name == "cudnn":
                look = dict(color=GREY, marker=None)
            axes.plot(*zip(*line) if line else ([], []),
                      label=PEERS.get(name, (name, ""))[0],
                      linestyle=PEERS.get(name, ("", "-"))[1], **look)
            alone = [p for p in points if kinds[p[0]] == "mix"]
            if alone:
                look["marker"] = look["marker"] or "_"
                axes.plot(*zip(*alone), linestyle="none", **look)
        axes.set_xticks(range(len(kinds)), [
            (k.replace("beta ", "β ") if k != "mix" else "β 3, 0\nmixed") +
            (f"\n{100 * share[k]:.2g}%" if k in share and k != "mix" else "")
            for k in kinds], fontsize=9)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("threshold, and keys that survive it")
        first = here[0]
        axes.set_title(f"D {d}, B{first['batch']} H{first['heads']} "
                       f"N{first['n']}, {first['dtype']}", fontsize=11)
    panels[0][0].set_ylabel("milliseconds")
    figure.legend(*panels[0][0].get_legend_handles_labels(), fontsize=9,
                  loc="outside upper center", ncols=len(names))
    save(figure, path, document)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("-o", dest="out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    try:
        document = json.loads(options.results.read_text())
        rows = document["rows"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"plot: error: '{options.results}' is not a bench.json of "
                 f"dev/gpu-bench ({type(error).__name__}: {error})")
    options.out.mkdir(parents=True, exist_ok=True)
    style()
    lengths(rows, options.out / "lengths.svg", document)
    density(rows, options.out / "density.svg", document)


if __name__ == "__main__":
    main()
