"""Numbers: what a measurement gave, round by round, and what can be said of it."""

import statistics


class Series:
    """One figure over the rounds, in the order of the rounds. A round that failed is no number."""

    def __init__(self, values):
        self.values = list(values)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def least(self):
        return min(self.values)

    @property
    def most(self):
        return max(self.values)


class Ratio:
    """Ours over theirs: of the medians, and the least and most of the rounds' own pairs."""

    def __init__(self, ours, theirs):
        self.of_medians = ours.median / theirs.median
        pairs = [a / b for a, b in zip(ours.values, theirs.values, strict=True)]
        self.least = min(pairs)
        self.most = max(pairs)


def fastest(candidates):
    """Of the peer's ways of waiting, its best: the comparison is with that one."""
    return min(candidates, key=lambda series: series.median)
