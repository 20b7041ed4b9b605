"""From the lanes of the works to the rows of the table: ours, theirs, ratio, goal, verdict."""

import works
from figures import Ratio, Series, fastest


def seconds(value_ms):
    return f"{value_ms / 1000:.2f} s"


def spread(series, write=seconds):
    def number(value):
        return write(value).split()[0]
    return f"{write(series.median)} ({number(series.least)}–{number(series.most)})"


class Row:
    """goal_ratio and goal_limit are upper limits; None: there is no such goal."""

    def __init__(self, work, ours, peer=None, *, goal_ratio=None, goal_limit=None, write=seconds,
                 strict=False):
        self.work = work
        self.ours = ours
        self.peer = peer
        self.ratio = Ratio(ours, peer) if peer is not None else None
        self.goal_ratio = goal_ratio
        self.goal_limit = goal_limit
        self.write = write
        self.strict = strict

    def goal(self):
        parts = []
        if self.goal_ratio is not None:
            parts.append(f"≤ {self.goal_ratio} ×")
        if self.goal_limit is not None:
            parts.append(f"{'<' if self.strict else '≤'} {self.write(self.goal_limit)}")
        return ", ".join(parts) or "–"

    def verdict(self):
        """What could not be measured is never met."""
        if self.goal_ratio is not None and self.ratio is None:
            return "not measured"
        met = self.goal_ratio is None or self.ratio.of_medians <= self.goal_ratio
        if self.goal_limit is not None:
            limit = self.goal_limit
            met = met and (self.ours.median < limit if self.strict else self.ours.median <= limit)
        return "–" if self.goal() == "–" else "met" if met else "**missed**"

    def cells(self):
        peer = spread(self.peer, self.write) if self.peer is not None else "–"
        ratio = "–"
        if self.ratio is not None:
            ratio = f"{self.ratio.of_medians:.2f} ({self.ratio.least:.2f}–{self.ratio.most:.2f})"
        return [self.work, spread(self.ours, self.write), peer, ratio, self.goal(), self.verdict()]


def by_name(lanes):
    return {lane.name: lane for lane in lanes}


def best_of_peer(lanes, figure):
    candidates = [lane.series(figure) for lane in lanes if lane.name in (works.PORT, works.SQL)]
    return fastest(candidates) if candidates else None


def database_rows(title, lanes, limit_ms):
    ours = by_name(lanes)[works.PREPARED]
    return [
        Row(f"{title}: create to first SELECT 1", ours.series("ready_ms"),
            best_of_peer(lanes, "ready_ms"), goal_ratio=0.25, goal_limit=limit_ms, strict=True),
        Row(f"{title}: tear-down", ours.series("down_ms"), best_of_peer(lanes, "down_ms")),
    ]


def stack_rows(lanes):
    ours = by_name(lanes)[works.PREPARED]
    return [
        Row("standard profile: first create to all ready", ours.series("ready_ms"),
            best_of_peer(lanes, "ready_ms"), goal_ratio=0.5),
        Row("standard profile: tear-down", ours.series("down_ms"),
            best_of_peer(lanes, "down_ms"), goal_limit=1000),
    ]


def mebibytes(kib):
    return f"{kib / 1024:.1f} MiB"


def memory_row(lane):
    """50 MB, in KiB."""
    return Row("full profile: assay's own peak memory, guardian included", lane.series("peak_kib"),
               goal_limit=50e6 / 1024, write=mebibytes, strict=True)


def slowest_sentence(stack_lanes, alone_lanes):
    """How near the stack comes to what no parallel start can beat: its slowest service, alone."""
    slowest = max(alone_lanes, key=lambda lane: lane.series("ready_ms").median)
    stack = by_name(stack_lanes)[works.PREPARED].series("ready_ms")
    ratio = stack.median / slowest.series("ready_ms").median
    return (f"The whole standard profile takes {ratio:.2f} × as long as its slowest service alone "
            f"({slowest.name}).\n")


def whole_row(title, values_ms, limit_ms):
    return Row(title, Series(values_ms), goal_limit=limit_ms, strict=True)


def markdown(heading, rows):
    lines = ["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def goals_table(rows):
    return markdown(["work", "assay", "testcontainers-go", "ratio", "goal", ""],
                    [row.cells() for row in rows])


def lanes_table(measured):
    """measured: {title: lanes}. Every lane, with the tries that a SELECT took once "ready" was
    said: more than one means that it was said too early."""
    rows = []
    for title, lanes in measured.items():
        for lane in lanes:
            tries = [round["tries"] for round in lane.rounds if "tries" in round]
            early = str(sum(count > 1 for count in tries)) if tries else "–"
            rows.append([title, lane.name, spread(lane.series("ready_ms")),
                         spread(lane.series("down_ms")), early])
    return markdown(["work", "way", "ready", "removed", "said ready too early, rounds"], rows)


def alone_table(lanes):
    ordered = sorted(lanes, key=lambda lane: -lane.series("ready_ms").median)
    return markdown(["service, alone", "ready", "removed"],
                    [[lane.name, spread(lane.series("ready_ms")), spread(lane.series("down_ms"))]
                     for lane in ordered])
