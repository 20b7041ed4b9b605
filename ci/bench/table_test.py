#!/usr/bin/env python3
"""What the table says of figures: python3 ci/bench/table_test.py"""

import sys

sys.dont_write_bytecode = True

import unittest

import table
import works
from figures import Ratio, Series, fastest


def lane(name, *ready_ms):
    made = works.Lane(name, None)
    made.rounds = [{"ready_ms": value, "down_ms": 100.0} for value in ready_ms]
    return made


class Figures(unittest.TestCase):
    def test_a_ratio_is_of_the_medians_and_shows_the_spread_of_the_pairs(self):
        ratio = Ratio(Series([1, 2, 9]), Series([10, 10, 10]))
        self.assertEqual((ratio.of_medians, ratio.least, ratio.most), (0.2, 0.1, 0.9))

    def test_rounds_that_are_not_pairs_are_refused(self):
        with self.assertRaises(ValueError):
            Ratio(Series([1, 2]), Series([1]))

    def test_the_peer_is_compared_at_its_best(self):
        self.assertEqual(fastest([Series([3, 3]), Series([2, 2])]).median, 2)


class Verdicts(unittest.TestCase):
    def row(self, ours, theirs=None, **goal):
        return table.Row("work", Series([ours]), Series([theirs]) if theirs else None, **goal)

    def test_met_when_ratio_and_limit_hold(self):
        self.assertEqual(self.row(400, 1600, goal_ratio=0.25, goal_limit=500).verdict(), "met")

    def test_missed_when_only_the_ratio_holds(self):
        self.assertEqual(self.row(600, 6000, goal_ratio=0.25, goal_limit=500).verdict(), "**missed**")

    def test_missed_when_only_the_limit_holds(self):
        self.assertEqual(self.row(400, 1000, goal_ratio=0.25, goal_limit=500).verdict(), "**missed**")

    def test_the_limit_itself_is_too_much_where_less_is_asked(self):
        self.assertEqual(self.row(500, goal_limit=500, strict=True).verdict(), "**missed**")
        self.assertEqual(self.row(500, goal_limit=500).verdict(), "met")

    def test_without_the_peer_a_goal_against_it_is_not_measured(self):
        self.assertEqual(self.row(1, goal_ratio=0.25, goal_limit=500).verdict(), "not measured")


class Tables(unittest.TestCase):
    def test_databases_are_compared_with_the_faster_way_to_wait(self):
        lanes = [lane(works.PREPARED, 300.0), lane(works.PORT, 2000.0), lane(works.SQL, 1500.0)]
        row = table.database_rows("PostgreSQL", lanes, 500)[0]
        self.assertEqual(row.cells()[1:], ["0.30 s (0.30–0.30)", "1.50 s (1.50–1.50)",
                                           "0.20 (0.20–0.20)", "≤ 0.25 ×, < 0.50 s", "met"])

    def test_says_how_near_the_stack_comes_to_its_slowest_service(self):
        sentence = table.slowest_sentence([lane(works.PREPARED, 3000.0)],
                                          [lane("redis", 500.0), lane("rabbitmq", 2000.0)])
        self.assertIn("1.50 ×", sentence)
        self.assertIn("(rabbitmq)", sentence)

    def test_counts_the_rounds_in_which_ready_was_said_too_early(self):
        early = lane(works.PORT, 1.0, 1.0)
        early.rounds[0]["tries"], early.rounds[1]["tries"] = 3, 1
        self.assertTrue(table.lanes_table({"MySQL": [early]}).endswith("| 1 |\n"))

    def test_sizes_keep_their_unit(self):
        one = works.Lane("full", None)
        one.rounds = [{"peak_kib": 20480}]
        self.assertEqual(table.memory_row(one).cells()[1], "20.0 MiB (20.0–20.0)")


class Rounds(unittest.TestCase):
    def test_lanes_alternate_and_the_first_round_is_thrown_away(self):
        ran = []

        def once(name):
            return lambda: ran.append(name) or {"ready_ms": float(len(ran))}

        lanes = works.measure("t", [works.Lane("a", once("a")), works.Lane("b", once("b"))], 2,
                              lambda text: None)
        self.assertEqual(ran, ["a", "b"] * 3)
        self.assertEqual(lanes[0].series("ready_ms").values, [3.0, 5.0])


if __name__ == "__main__":
    unittest.main()
