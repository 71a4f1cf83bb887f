"""What a part of the bench gives back, and how it looks in Markdown.

A part is a module with measure(quick), which returns (rows, tables): rows are the figures that have a target, tables all
that was measured. quick: fewer rounds, and only what takes seconds.
"""

from dataclasses import dataclass, field


@dataclass
class Row:
    """One figure and its targets; the lower, the better. must is kept, aim is hoped for; None: there is none."""

    name: str
    figure: float
    unit: str
    must: float | None = None
    aim: float | None = None
    note: str = ""

    @property
    def kept(self):
        return self.must is None or self.figure <= self.must


@dataclass
class Table:
    """Figures side by side. A line is a list of cells; numbers are cut to three digits."""

    title: str
    head: list
    lines: list = field(default_factory=list)
    note: str = ""


def number(value):
    """Three digits say what a measurement knows."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


def _markdown(head, lines):
    cells = [[number(cell) for cell in line] for line in [head, *lines]]
    cells.insert(1, ["---"] * len(head))
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def of_rows(rows):
    """The targets, as one Markdown table."""
    return _markdown(["", "measured", "unit", "must", "aim", ""],
                     [[row.name, row.figure, row.unit, row.must, row.aim,
                       row.note or ("" if row.kept else "missed")] for row in rows])


def of_table(table):
    """One table with its title and note."""
    note = f"\n{table.note}\n" if table.note else ""
    return f"### {table.title}\n\n{_markdown(table.head, table.lines)}{note}"
