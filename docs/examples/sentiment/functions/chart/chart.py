"""Draws the histogram of the scores as SVG.

Event: [how many scores lie in each tenth of the range from -1 to 1]. Result: the SVG's text. It gets
numbers alone, and writes nothing into the picture that it did not make a number of first.
"""

WIDTH, HEIGHT, FOOT = 440, 160, 24
COLOURS = ("#b3403a", "#8a8a8a", "#2f7d4f")


def bar(at, value, most, step):
    height = round(value / most * (HEIGHT - FOOT - 20))
    x, y = round(at * step) + 4, HEIGHT - FOOT - height
    middle = x + round(step / 2) - 4
    colour = COLOURS[(at > 3) + (at > 5)]
    return (
        f'<rect x="{x}" y="{y}" width="{round(step) - 8}" height="{height}" fill="{colour}"/>'
        f'<text x="{middle}" y="{y - 4}" text-anchor="middle">{value}</text>'
    )


def handler(event, context):
    counts = [int(count) for count in event]
    most, step = max(counts + [1]), WIDTH / len(counts)
    bars = "".join(bar(at, value, most, step) for at, value in enumerate(counts))
    ends = "".join(
        f'<text x="{x}" y="{HEIGHT - 6}" text-anchor="{anchor}">{words}</text>'
        for x, anchor, words in (
            (4, "start", "-1, negative"), (WIDTH // 2, "middle", "0"), (WIDTH - 4, "end", "positive, 1"),
        )
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="11">{bars}{ends}</svg>'
    )
