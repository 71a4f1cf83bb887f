"""Measuring in turn: A B C, A B C, ... so that what else the machine does befalls all of them alike."""

import statistics

from result import Table


class Figures:
    """What was measured, by case and by server, a figure a round."""

    def __init__(self):
        self._figures = {}

    def add(self, case, server, figure):
        self._figures.setdefault((case, server), []).append(figure)

    def median(self, case, server):
        return statistics.median(self._figures[case, server])

    def ratio(self, case, server, other):
        """The median of the rounds' ratios."""
        return statistics.median(a / b for a, b in zip(self._figures[case, server], self._figures[case, other]))

    def table(self, title, first, other, note=""):
        """A line a case, a column a server: medians, and behind them the ratio of the first to the other."""
        cases = list(dict.fromkeys(case for case, _ in self._figures))
        servers = list(dict.fromkeys(server for _, server in self._figures))
        return Table(title, ["", *servers, f"{first} / {other}"],
                     [[case, *(self.median(case, server) if (case, server) in self._figures else "-"
                               for server in servers), self.ratio(case, first, other)]
                      for case in cases], note)
