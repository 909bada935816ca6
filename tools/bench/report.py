#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""report.py OUT-DIRECTORY RESULT.json...: report.html and report.md

What bench.py, guests.py, count.py and scale.py measured, as one page that needs nothing beside
itself, and as tables. A result is a dictionary:

	title, notes [text], lines [text: ratios, or why there is none],
	rows [{group, name, x [number: of curves], figures {name: [a value of each round]}}],
	charts [name of the figure to draw bars of],
	curves [name of the figure to draw lines of, for each group, over x]
"""

import html
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

BROWSERS = ("chromium", "google-chrome", "chrome")
BAR, GAP, LEFT, WIDTH, TALL = 22, 6, 150, 560, 220	# pixels
COLOURS = ("#2a6fb0", "#c46a1b", "#4a8f4a", "#8a5aa8", "#a83a4a", "#6b6b6b", "#2f8f8f")
STYLE = """body{font:15px/1.45 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;
color:#222}h2{border-bottom:1px solid #ccc;margin-top:2em}table{border-collapse:collapse}
td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid #eee}td:first-child,
td:nth-child(2),th:first-child,th:nth-child(2){text-align:left}svg text{font:12px sans-serif}
.note{color:#555}"""
CANNOT = """The lab is an emulator on a small machine: a VM inside a VM. Ratios of runs side by
side can be shown, and counts of exits, interrupts and instructions. Absolute IOPS and
latencies mean nothing elsewhere, caches cost nothing there, and an exit or interrupt costs
a millisecond. Where the rounds do not agree there is no ratio."""


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(values):
    """(low, median, high); the middle half of four rounds or more."""
    middle = statistics.median(values)
    if len(values) < 4:
        return min(values), middle, max(values)
    low, _, high = statistics.quantiles(values, n=4)
    return low, middle, high


def groups_of(result):
    names = []
    for row in result["rows"]:
        if row["group"] not in names:
            names.append(row["group"])
    return names


def chart(result, figure):
    """Bars of a figure's medians, a line over the middle half of the rounds."""
    rows = [row for row in result["rows"] if figure in row["figures"]]
    if not rows:
        return ""
    series = list(dict.fromkeys(row["name"] for row in rows))
    top = max(spread(row["figures"][figure])[2] for row in rows) or 1
    parts, y = [], 4
    for group in groups_of(result):
        parts.append(f'<text x="0" y="{y + 14}" font-weight="bold">{html.escape(group)}</text>')
        y += 20
        for row in rows:
            if row["group"] != group:
                continue
            low, middle, high = (v * WIDTH / top for v in spread(row["figures"][figure]))
            colour = COLOURS[series.index(row["name"]) % len(COLOURS)]
            mid = y + BAR / 2
            parts.append(
                f'<text x="{LEFT - 8}" y="{mid + 4}" text-anchor="end">'
                f'{html.escape(row["name"])}</text>'
                f'<rect x="{LEFT}" y="{y}" width="{max(middle, 1):.1f}" height="{BAR}" '
                f'fill="{colour}"/><path d="M{LEFT + low:.1f} {mid}H{LEFT + high:.1f}" '
                'stroke="#000" stroke-width="2"/>'
                f'<text x="{LEFT + max(middle, high) + 6:.1f}" y="{mid + 4}">'
                f'{number(statistics.median(row["figures"][figure]))}</text>')
            y += BAR + GAP
        y += 4
    return (f"<h3>{html.escape(figure)}</h3>"
            f'<svg width="{LEFT + WIDTH + 90}" height="{y}" role="img" '
            f'aria-label="{html.escape(figure)}">{"".join(parts)}</svg>')


def curve(result, figure, group):
    """Lines of a figure's medians over x, one for each name; x as words, side by side."""
    rows = [row for row in result["rows"]
            if row["group"] == group and figure in row["figures"]]
    if not rows:
        return ""
    xs = sorted({row["x"] for row in rows})
    series = list(dict.fromkeys(row["name"] for row in rows))
    top = max(statistics.median(row["figures"][figure]) for row in rows) or 1
    wide = WIDTH / max(len(xs) - 1, 1)
    parts = [f'<path d="M{LEFT} 10V{TALL}H{LEFT + WIDTH}" fill="none" stroke="#888"/>']
    parts += [f'<text x="{LEFT + i * wide:.1f}" y="{TALL + 18}" text-anchor="middle">'
              f'{number(x)}</text>' for i, x in enumerate(xs)]
    parts += [f'<text x="{LEFT - 8}" y="{TALL - part * (TALL - 10) + 4:.1f}" '
              f'text-anchor="end">{number(top * part)}</text>' for part in (0, 0.5, 1)]
    for nth, name in enumerate(series):
        colour = COLOURS[nth % len(COLOURS)]
        spots = [(LEFT + xs.index(row["x"]) * wide,
                  TALL - statistics.median(row["figures"][figure]) / top * (TALL - 10))
                 for row in rows if row["name"] == name]
        parts.append(f'<path d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in spots)}" '
                     f'fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
                  for x, y in spots]
        parts.append(f'<text x="{LEFT + WIDTH + 10}" y="{30 + 18 * nth}" '
                     f'fill="{colour}">{html.escape(name)}</text>')
    title = html.escape(f"{figure}, over {group}")
    return (f'<h3>{title}</h3><svg width="{LEFT + WIDTH + 110}" height="{TALL + 26}" '
            f'role="img" aria-label="{title}">{"".join(parts)}</svg>')


def drawings(result):
    """All bars and lines of a result."""
    made = [chart(result, figure) for figure in result["charts"]]
    made += [curve(result, figure, group) for figure in result.get("curves", ())
             for group in groups_of(result)]
    return list(filter(None, made))


def cells(result):
    """(head, lines) of the table of medians."""
    figures = list(dict.fromkeys(f for row in result["rows"] for f in row["figures"]))
    lines = [[row["group"], " ".join([row["name"], *([number(row["x"])] if "x" in row else [])]),
              *(number(statistics.median(row["figures"][f])) if row["figures"].get(f) else "-"
                for f in figures)] for row in result["rows"]]
    return ["", "", *figures], lines


def as_html(results):
    out = ["<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
           f"<title>vhost-kernel: measured</title><style>{STYLE}</style></head><body>"
           f"<h1>vhost-kernel: measured</h1><p class=\"note\">{html.escape(CANNOT)}</p>"]
    for result in results:
        out.append(f"<h2>{html.escape(result['title'])}</h2>")
        out += [f"<p class=\"note\">{html.escape(note)}</p>" for note in result["notes"]]
        out += drawings(result)
        head, lines = cells(result)
        out.append("<h3>Medians</h3><table><tr>" + "".join(
            f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>")
        out += ["<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>"
                for line in lines]
        out.append("</table>")
        if result["lines"]:
            out.append("<ul>" + "".join(f"<li>{html.escape(line)}</li>"
                                        for line in result["lines"]) + "</ul>")
    return "\n".join(out) + "\n</body></html>\n"


def as_markdown(results):
    out = ["# vhost-kernel: measured", "", CANNOT, ""]
    for result in results:
        out += [f"## {result['title']}", "", *result["notes"], ""]
        head, lines = cells(result)
        out += ["| " + " | ".join(line) + " |" for line in
                [head, ["---"] * len(head), *lines]]
        out += ["", *(f"- {line}" for line in result["lines"]), ""]
    return "\n".join(out)


def view(path, results):
    """Open it in a browser without a display, if there is one: all is drawn, nothing is
    asked of anybody else."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        return f"not opened: there is none of {', '.join(BROWSERS)}"
    with tempfile.TemporaryDirectory() as home:
        shot = os.path.join(home, "shot.png")
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
             f"--user-data-dir={home}", f"--screenshot={shot}", "--window-size=1000,3000",
             "--host-resolver-rules=MAP * ~NOTFOUND", f"file://{os.path.abspath(path)}"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=300)
    wanted = sum(len(drawings(result)) for result in results)
    charts, tables = done.stdout.count("<svg"), done.stdout.count("<table")
    outside = re.findall(r"""(?:src|href)=["'][^"'#]+""", done.stdout)
    if done.returncode or charts != wanted or tables != len(results) or outside:
        sys.exit(f"report: {browser} ended with {done.returncode}, drew {charts} charts of "
                 f"{wanted}, {tables} tables of {len(results)}, asked for {outside}")
    return f"opened by {os.path.basename(browser)}: {charts} charts, {tables} tables"


def save(path, **result):
    """For the tools that measure."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as f:
        json.dump(result, f, indent=1)


def main(top, *paths):
    results = []
    for path in paths:
        with open(path) as f:
            results.append(json.load(f))
    os.makedirs(top, exist_ok=True)
    for name, text in (("report.html", as_html(results)), ("report.md", as_markdown(results))):
        with open(os.path.join(top, name), "w") as f:
            f.write(text)
        print(os.path.join(top, name))
    print(view(os.path.join(top, "report.html"), results))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
