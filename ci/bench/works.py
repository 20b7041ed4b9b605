"""What is measured. Each work has lanes; a round runs every lane once, one after the other."""

from figures import Series


class Lane:
    def __init__(self, name, once):
        self.name = name
        self.once = once    # () -> dict of figures
        self.rounds = []    # what it gave, warm-up excluded

    def series(self, figure):
        return Series(round[figure] for round in self.rounds)


def measure(title, lanes, rounds, say):
    """A B C, A B C, …: whatever changes on the machine meets every lane alike. The first round only
    warms up and is thrown away. Fills in the lanes."""
    for number in range(rounds + 1):
        for lane in lanes:
            result = lane.once()
            seconds = result["ready_ms"] / 1000
            what = f"round {number}/{rounds}" if number > 0 else "warm-up"
            say(f"{title}, {what}: {lane.name} {seconds:.3f} s")
            if number > 0:
                lane.rounds.append(result)
    return lanes


PORT = "testcontainers-go, ForListeningPort"
SQL = "testcontainers-go, ForSQL"
ON_PREPARED = "testcontainers-go on assay's prepared image"
PREPARED = "assay"
ENGINE = "the engine alone: create and start of `true`"
FIRST_BOOT = "assay, no prepared image (--first-boot)"


def database_lanes(service, ours, peer, engine):
    lanes = [Lane(PREPARED, lambda: ours.time("--service", service, "--select", service))]
    if peer is not None:
        lanes += [
            Lane(PORT, lambda: peer.time("one", service, "--wait", "port")),
            Lane(SQL, lambda: peer.time("one", service, "--wait", "sql")),
            Lane(ON_PREPARED, lambda: peer.time("one", service, "--image", "prepared")),
        ]
    lanes.append(Lane(FIRST_BOOT, lambda: ours.time("--service", service, "--select", service,
                                                    "--first-boot")))
    if engine.usable:
        lanes.append(Lane(ENGINE, lambda: engine.time(service)))
    return lanes


def stack_lanes(ours, peer):
    lanes = [Lane(PREPARED, ours.time)]
    if peer is not None:
        lanes += [
            Lane(PORT, lambda: peer.time("stack")),
            Lane(ON_PREPARED, lambda: peer.time("stack", "--image", "prepared")),
        ]
    lanes.append(Lane(FIRST_BOOT, lambda: ours.time("--first-boot")))
    return lanes


def groups(order):
    """Services that are ready together only (the nodes of a Redis cluster) are measured together."""
    members = {}
    for service in order["services"]:
        members.setdefault(service["group"] or service["name"], []).append(service["name"])
    return members


def alone_lanes(order, ours):
    def once(names):
        return lambda: ours.time(*[part for name in names for part in ("--service", name)])
    return [Lane(group, once(names)) for group, names in groups(order).items()]
