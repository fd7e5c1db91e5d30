"""Rows of a label and one cell for each side, fitted to a width, and painted if wanted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

LABEL = 24


class Paint(IntEnum):
    """How a cell looks on a terminal; the numbers are those of ANSI."""

    PLAIN = 0
    BOLD = 1
    DIM = 2
    RED = 31
    GREEN = 32
    YELLOW = 33


@dataclass(frozen=True, slots=True)
class Cell:
    """A short text and its paint."""

    text: str
    paint: Paint = Paint.PLAIN

    def render(self, width: int, *, painted: bool) -> str:
        """Return the text, cut or filled to the width."""
        fitted = self.text[:width].ljust(width)
        return f"\x1b[{self.paint}m{fitted}\x1b[0m" if painted and self.paint else fitted


@dataclass(frozen=True, slots=True)
class Row:
    """A label and its cells, or a label alone, which then takes the whole width."""

    label: Cell
    cells: Sequence[Cell] = ()

    def render(self, width: int, *, painted: bool) -> str:
        """Return one line of the width, at most."""
        if not self.cells:
            return self.label.render(width, painted=painted).rstrip()
        column = column_width(width, len(self.cells))
        cells = (f" {cell.render(column - 1, painted=painted)}" for cell in self.cells)
        label = self.label.render(label_width(width), painted=painted)
        return (label + "".join(cells)).rstrip()


def row(label: str, *cells: Cell | str) -> Row:
    """Build a row; text alone is a plain cell."""
    as_cells = (Cell(cell) if isinstance(cell, str) else cell for cell in cells)
    return Row(Cell(label), tuple(as_cells))


def label_width(width: int) -> int:
    """Return the width of the labels: what they need, but never more than half."""
    return min(LABEL, width // 2)


def column_width(width: int, columns: int) -> int:
    """Return the width of one column, the space before it included."""
    return max((width - label_width(width)) // columns, 1)


def render(rows: Iterable[Row], width: int, *, painted: bool) -> list[str]:
    """Return the rows as lines."""
    return [row.render(width, painted=painted) for row in rows]


def percent(share: float | None) -> str:
    """Write a share as a percentage; a dash where there is none."""
    return "-" if share is None else f"{share:.0%}".replace("%", " %")


def graded(share: float | None, text: str) -> Cell:
    """Paint a text by how good a share is."""
    if share is None:
        return Cell(text, Paint.DIM)
    if share >= 0.9:
        return Cell(text, Paint.GREEN)
    return Cell(text, Paint.YELLOW if share >= 0.5 else Paint.RED)
