"""A curve of growth: as a Markdown table, and drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

__all__ = ["Column", "Curve", "draw", "table"]


class Column(NamedTuple):
    """What was measured, in which unit; of ours, or of the thing beside it."""

    what: str
    unit: str
    beside: str = ""

    def __str__(self) -> str:
        name = f"{self.what} ({self.beside})" if self.beside else self.what
        return f"{name}, {self.unit}"


@dataclass
class Curve:
    """Measurements against one number that grows.

    Attributes:
        name: Of its file.
        title: What is shown.
        against: What grows.
        points: The measurements at each number, all with the same columns.
    """

    name: str
    title: str
    against: str
    points: dict[int, Mapping[Column, float]] = field(default_factory=dict)

    @property
    def columns(self) -> list[Column]:
        """What was measured at every point."""
        return list(next(iter(self.points.values()), {}))


def table(curve: Curve) -> str:
    """Return a curve as a table, in Markdown."""
    lines = [
        f"| {' | '.join([curve.against, *map(str, curve.columns)])} |",
        "|---" * (1 + len(curve.columns)) + "|",
    ]
    for number, point in curve.points.items():
        cells = [f"{number:,}", *(_shown(point[column]) for column in curve.columns)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(value: float) -> str:
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"


def draw(curve: Curve, folder: Path) -> Path:
    """Draw a curve, a panel for each unit, what is beside dashed; return the PNG's path."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    columns = curve.columns
    units = list(dict.fromkeys(column.unit for column in columns))
    colours = {what: f"C{i}" for i, what in enumerate(dict.fromkeys(c.what for c in columns))}
    figure, axes = plt.subplots(
        1, len(units), figsize=(5.5 * len(units), 6), squeeze=False, layout="constrained"
    )
    for unit, panel in zip(units, axes[0], strict=True):
        for column in columns:
            if column.unit == unit:
                panel.plot(
                    list(curve.points),
                    [point[column] for point in curve.points.values()],
                    label=f"{column.what} ({column.beside})" if column.beside else column.what,
                    color=colours[column.what],
                    linestyle="--" if column.beside else "-",
                    marker="o",
                    markersize=3,
                )
        panel.set(xscale="log", yscale="log", xlabel=curve.against, ylabel=unit)
        panel.grid(visible=True, which="major", alpha=0.3)
        panel.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)
    figure.suptitle(curve.title)
    path = folder / f"growth-{curve.name}.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path
