"""Pictures of lines: panels side by side, logarithmic axes, a legend. Plain SVG, light and dark."""

import math
from xml.sax.saxutils import escape

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a6a00", "#56b4e9", "#555555"]
WIDTH, HEIGHT, GAP, LEFT, TOP, LEGEND = 300, 230, 60, 60, 40, 22


def short(number):
    """A number at a tick."""
    if number >= 10000 or number < 0.01:
        return f"{number:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{number:g}"


def ticks(low, high):
    """Powers of ten, and where they are few, what lies between."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1,) if len(powers) > 4 else (1, 2, 5)
    every = [step * 10.0**power for power in powers for step in steps]
    return [tick for tick in every if low * 0.999 <= tick <= high * 1.001]


def lines(title, panels, across, up, reference=None):
    """`panels`: [(heading, {name: [(x, y), ...]})]; values above 0. `reference`: y of a dashed line."""
    names = list(dict.fromkeys(name for _, series in panels for name in series))
    points = [point for _, series in panels for line in series.values() for point in line]
    if not points:
        return ""
    xs, ys = [p[0] for p in points], [p[1] for p in points] + ([reference] if reference else [])
    (left, right), (low, high) = (min(xs), max(xs)), (min(ys), max(ys))
    right, high = max(right, left * 1.01), max(high, low * 1.01)
    low, high = low / 1.15, high * 1.15

    def place(panel, x, y):
        share = (math.log(x) - math.log(left)) / (math.log(right) - math.log(left))
        rise = (math.log(y) - math.log(low)) / (math.log(high) - math.log(low))
        return LEFT + panel * (WIDTH + GAP) + share * WIDTH, TOP + (1 - rise) * HEIGHT

    width = LEFT + len(panels) * (WIDTH + GAP)
    height = TOP + HEIGHT + 56 + LEGEND * math.ceil(len(names) / 2)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="12" '
        'font-family="sans-serif">',
        f"<title>{escape(title)}</title>",
        "<style>svg{background:#fff;color:#222}text{fill:currentColor}"
        "@media(prefers-color-scheme:dark){svg{background:#1b1b1b;color:#ddd}}</style>",
    ]
    for number, (heading, series) in enumerate(panels):
        x0 = LEFT + number * (WIDTH + GAP)
        out.append(f'<text x="{x0 + WIDTH / 2}" y="{TOP - 14}" text-anchor="middle">{escape(heading)}</text>')
        for tick in ticks(low, high):
            _, y = place(number, left, tick)
            out.append(f'<path d="M{x0} {y:.1f}h{WIDTH}" stroke="currentColor" stroke-opacity=".15"/>'
                       f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
        for tick in ticks(left, right):
            x, _ = place(number, tick, low)
            out.append(f'<text x="{x:.1f}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{short(tick)}</text>')
        if reference:
            _, y = place(number, left, reference)
            out.append(f'<path d="M{x0} {y:.1f}h{WIDTH}" stroke="currentColor" stroke-dasharray="5 4"/>')
        for name, line in series.items():
            colour = COLOURS[names.index(name) % len(COLOURS)]
            at = [place(number, x, y) for x, y in line]
            path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
            out.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in at]
        out.append(f'<text x="{x0 + WIDTH / 2}" y="{TOP + HEIGHT + 34}" text-anchor="middle">{escape(across)}</text>')
    middle = TOP + HEIGHT / 2
    out.append(f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{escape(up)}</text>')
    for number, name in enumerate(names):
        x = LEFT + (number % 2) * max(width // 2 - LEFT // 2, 180)
        y = TOP + HEIGHT + 56 + LEGEND * (number // 2)
        out.append(f'<path d="M{x} {y - 4}h22" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="3"/>'
                   f'<text x="{x + 28}" y="{y}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>", ""])
