"""The tables of docs/senders.md: what senders do with each irregularity."""

import re
from pathlib import Path

_DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "senders.md"
_NOT_SENDERS = ("", "irregularity", "RFC", "strictest")


class Row:
    """One irregularity: the cells by the name of their column."""

    def __init__(self, columns, cells):
        self.name = cells[0]
        self.group = re.match(r"[A-Z]+", self.name)[0]
        self.irregularity = cells[1]
        self.rfc = cells[columns.index("RFC")]
        self.strictest = cells[columns.index("strictest")]
        self.senders = {column: cell for column, cell in zip(columns, cells) if column not in _NOT_SENDERS}

    def who(self, *beginnings):
        """The senders whose cell begins with one of these."""
        return {name for name, cell in self.senders.items() if cell.startswith(beginnings)}

    def strictest_clauses(self):
        """Pairs: what the strictest do, and who they are by the names that stand there; "and 3 more" is not a name."""
        for clause in self.strictest.split("; "):
            what, names = re.fullmatch(r"([^(]*?)(?: \((.*)\))?", clause).groups()
            yield what, re.split(r", | and ", names) if names else []


def read():
    """All rows, by their names."""
    rows, columns = {}, None
    for line in _DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if cells and cells[1:2] == ["irregularity"]:
            columns = cells
        elif cells and columns and re.fullmatch(r"[A-Z]\d+", cells[0]):
            assert len(cells) == len(columns), line
            rows[cells[0]] = Row(columns, cells)
    return rows
