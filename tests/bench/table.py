"""Numbers of rounds, as text: median, worst, spread, and tables that read well as Markdown."""

import statistics


def median(values):
    return statistics.median(values)


def worst(values):
    """The 99th percentile where there are a hundred values to have one, else the largest."""
    if len(values) >= 100:
        return statistics.quantiles(values, n=100, method="inclusive")[98]
    return max(values)


def spread(values):
    """The distance between the quartiles as a share of the median."""
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / middle


def ratios(above, below):
    """The ratio within each round that has both; rounds without one of them are left out."""
    return [a / b for a, b in zip(above, below) if a is not None and b is not None]


def ratio_text(values):
    if not values:
        return "-"
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def markdown(head, rows):
    """A table whose columns line up when it is read as plain text too."""
    widths = [max(len(str(cell)) for cell in column) for column in zip(head, *rows)]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(str(c).ljust(w) for c, w in zip(line, widths)) + " |" for line in lines
    )
