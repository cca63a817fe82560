"""What the database, the simulator and the clients say of a load, held together."""

import collections

import pytest

from .load import MOST_TOKENS, PRICES, ledger, records, sums

# A record is in the journal some milliseconds after its request has ended; a machine that is busy gets a second.
JOURNAL_BOUND = 1.0


def cost_of(record):
    paid, written = PRICES[record["called_model"]]
    return record["tokens"]["input"] * paid + record["tokens"]["output"] * written


class Books:
    """What the database, the simulator and the clients say, held together."""

    def __init__(self, fleet, log):
        self.log = log
        self.ledger = ledger(fleet.simulator)
        # All that is said was brought by those who have ended: this one has a folder of its own.
        reader = fleet.start("reader")
        self.records = records(reader)
        self.sums = sums(reader)
        self.by_id = collections.defaultdict(list)
        for record in self.records:
            self.by_id[record["request_id"]].append(record)
        self.by_key = collections.defaultdict(list)
        for record in self.records:
            self.by_key[record["metadata"]["load"]].append(record)

    def check_clients(self):
        """Each request that a client had an answer to is there once, none that was refused is, and no other. What is
        missing must have been open when its instance was killed, or have ended within the bound before. Gives both."""
        asked = {one.id: one for one in self.log}
        for identifier, found in self.by_id.items():
            assert len(found) == 1, f"counted twice: {found}"
            assert identifier in asked, f"nobody has asked this: {found}"
        may_miss = [one for one in self.log if self.may_miss(one)]
        for one in self.log:
            found = self.by_id.get(one.id)
            assert one.instance.killed or not one.is_refused, f"nobody listened: {one}"
            if one.status not in (None, 200) or one.is_refused:
                assert not found, f"it was refused, and counted: {one} {found}"
            elif one.is_broken:
                assert one.instance.killed and one.ended >= one.instance.killed, f"broken: {one}"
            else:
                assert found or self.may_miss(one), f"it isn't in the database: {one}"
            if found and one.tokens:
                tokens = found[0]["tokens"]
                assert (tokens["input"], tokens["output"]) == one.tokens
                assert found[0]["estimate"] == "exact"
        return may_miss, [one for one in may_miss if one.id not in self.by_id]

    def may_miss(self, one):
        killed = one.instance.killed
        if killed is None or one.status not in (None, 200) or one.is_refused:
            return False
        return one.is_broken or one.ended > killed - JOURNAL_BOUND

    def check_ledger(self, may_miss):
        """The simulator's ledger and the database, key by key. Gives by how many requests and tokens they differ."""
        open_ones = collections.Counter(one.key for one in may_miss)
        difference = collections.Counter()
        for name, row in self.ledger.items():
            found = self.by_key[name]
            exact = [record for record in found if record["estimate"] == "exact"]
            calls = row["finished"]["calls"] + row["aborted"]["calls"] - len(found)
            assert 0 <= calls <= open_ones[name], (
                f"{name}: the simulator has {calls} requests more than the database, and at most {open_ones[name]} "
                f"were open at the killed instance or had ended within {JOURNAL_BOUND} s before"
            )
            finished = row["finished"]["calls"] - len(exact)
            for member, most in (("input", 100), ("output", MOST_TOKENS)):
                lost = row["finished"][member] - sum(record["tokens"][member] for record in exact)
                assert min(0, finished) * most <= lost <= open_ones[name] * most, (
                    f"{name}: the simulator has {lost} tokens of {member} more than the database, in {finished} "
                    f"answers, and at most {open_ones[name]} were open at the killed instance or had ended within "
                    f"{JOURNAL_BOUND} s before"
                )
                assert open_ones[name] or lost == 0, f"{name}: {lost} tokens of {member}"
                difference[member] += lost
            difference["calls"] += calls
            difference["finished"] += finished
        return difference

    def check_sums(self):
        """The reports, the records and the prices of the catalogue say the same of each key."""
        for found in self.by_key.values():
            row = self.sums[found[0]["key_id"]]
            assert row["requests"] == len(found)
            for member in ("input", "output"):
                assert row[f"{member}_tokens"] == sum(record["tokens"][member] for record in found)
            assert row["cost"] == pytest.approx(sum(map(cost_of, found)), abs=1e-8)
        assert sum(row["requests"] for row in self.sums.values()) == len(self.records)

    def check_budget(self, scope, calls=1, limits=1):
        """A budget is exceeded by the last call at most."""
        costs = [cost_of(record) for name in scope.keys for record in self.by_key[name]]
        dearest = max(costs, default=0)
        bound = limits * scope.dollars + calls * dearest
        assert sum(costs) <= bound + 1e-9, f"{scope.name}: {sum(costs)} of {scope.dollars}, at most {bound}"
        return sum(costs)
