"""Draws what searches did on recorded tables, and prints the table of regrets.

    TDA_REGRET_TABLE=searches.json build/test/unit/TuneTest \\
      --gtest_filter='Regret*'
    plot.py searches.json [--triton TRITON.json] -o DIR

DIR/tuning-model.svg: predicted against measured time of every candidate.
DIR/tuning-search.svg: the best so far, over the best of all, by the number of
measurements; a line a problem and their median. The table is Markdown. Needs
matplotlib.
"""
import argparse
import json
import pathlib
import statistics
import sys

try:
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError as missing:
    sys.exit(f"plot: error: {missing}; pip install matplotlib")

GREY = "#808080"
COLOURS = {"null": "#0084C6", "real": "#009E73", "dense": "#D55E00"}


def style():
    plt.rcParams.update({
        "svg.hashsalt": "tda", "font.size": 11, "savefig.transparent": True,
        "text.color": GREY, "axes.labelcolor": GREY, "axes.edgecolor": GREY,
        "xtick.color": GREY, "ytick.color": GREY, "legend.frameon": False,
        "legend.labelcolor": GREY, "axes.spines.top": False,
        "axes.spines.right": False, "grid.color": GREY, "grid.alpha": 0.25,
        "axes.grid": True})


def save(figure, path):
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)
    print(f"wrote {path}", file=sys.stderr)


def draw_model(rows, path):
    figure, axes = plt.subplots(figsize=(5.5, 5))
    low, high = 1e30, 0
    for density, colour in COLOURS.items():
        points = [p for r in rows if r["density"] == density
                  for p in r["points_us"]]
        if not points:
            continue
        axes.plot([m for _, m in points], [p for p, _ in points], "o",
                  markersize=2.5, color=colour, alpha=0.6, label=density)
        low = min(low, min(min(p) for p in points))
        high = max(high, max(max(p) for p in points))
    axes.plot([low, high], [low, high], color=GREY, linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="measured, µs",
             ylabel="predicted, µs",
             title=f"every candidate on {rows[0]['device']}")
    axes.legend()
    save(figure, path)


def draw_search(rows, path):
    figure, axes = plt.subplots(figsize=(6.5, 4))
    longest = max(len(r["best_so_far_us"]) for r in rows)
    curves = []
    for r in rows:
        curve = [100 * (us / r["best_us"] - 1) for us in r["best_so_far_us"]]
        curve += [curve[-1]] * (longest - len(curve))
        curves.append(curve)
        axes.plot(range(1, longest + 1), curve, linewidth=0.8, alpha=0.6,
                  color=COLOURS.get(r["density"], GREY))
    axes.plot(range(1, longest + 1),
              [statistics.median(c) for c in zip(*curves)],
              color=GREY, linewidth=3, label="median")
    axes.axhline(3, color=GREY, linestyle=":", linewidth=1)
    axes.set(xlabel="measurements", ylabel="over the best of all, %",
             ylim=(0, None), title=f"{len(rows)} problems, best so far")
    axes.legend()
    save(figure, path)


def print_table(rows):
    def regret(r, name):
        us = r[name]
        return 100 * (us / r["best_us"] - 1) if us else float("nan")

    print("| problem | data | lengths | best, µs | default | searched | "
          "predicted | measurements |\n|---|---|---|---|---|---|---|---|")
    for r in rows:
        words = dict(w.split("=") for w in r["problem"].split() if "=" in w)
        lengths = dict(w.split("=") for w in r["shape"].split(","))
        print(f"| views {words['views']}, d {words['d']} | {r['density']} | "
              f"H {lengths['Hq']}, N {lengths['Nk']} | {r['best_us']:.1f} | "
              f"{regret(r, 'default_us'):+.1f}% | "
              f"{regret(r, 'searched_us'):+.1f}% | "
              f"{regret(r, 'predicted_us'):+.1f}% | "
              f"{r['measured']} of {r['candidates']} |")
    for name in ("default_us", "searched_us", "predicted_us"):
        values = [regret(r, name) for r in rows]
        print(f"{name[:-3]}: median {statistics.median(values):+.1f}%, "
              f"worst {max(values):+.1f}%", file=sys.stderr)


def print_triton(rows, document):
    print("\n| problem | data | ours, µs | Triton, µs | its tuning, s |\n"
          "|---|---|---|---|---|")
    # The peer knows no promise of unit rows; its inputs are such rows.
    ours = {(r["problem"].replace(" unit", ""), r["shape"], r["density"]): r
            for r in rows}
    for t in document["rows"]:
        mine = ours.get((t["problem"], t["shape"], t["density"]))
        print(f"| {t['problem']}, {t['shape']} | {t['density']} | "
              f"{format(mine['searched_us'], '.1f') if mine else '-'} | "
              f"{t['median_us']:.1f} | {t['tuning_seconds']:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("searches", type=pathlib.Path)
    parser.add_argument("--triton", type=pathlib.Path)
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    options = parser.parse_args()
    try:
        rows = json.loads(options.searches.read_text())
        triton = (json.loads(options.triton.read_text())
                  if options.triton else None)
    except (OSError, ValueError) as error:
        sys.exit(f"plot: error: {error}")
    if not rows:
        sys.exit(f"plot: error: {options.searches} holds no search")
    style()
    options.folder.mkdir(parents=True, exist_ok=True)
    draw_model(rows, options.folder / "tuning-model.svg")
    draw_search(rows, options.folder / "tuning-search.svg")
    print_table(rows)
    if triton:
        print_triton(rows, triton)


if __name__ == "__main__":
    main()
