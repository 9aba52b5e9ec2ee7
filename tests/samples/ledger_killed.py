"""Kills the ledger again and again while its tellers work, and holds what is left against what a
bank must keep: all of its money, and each transfer in its book once.

usage: ledger_killed.py LEDGER PERDURE
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import unittest

LEDGER = ""
PERDURE = ""
ACCOUNTS = 6
TELLERS = 4
TRANSFERS = 400
MONEY = ACCOUNTS * 10_000


class KilledTest(unittest.TestCase):
    """Each test has a journal of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="perdure-ledger-")
        self.addCleanup(folder.cleanup)
        self.journal = pathlib.Path(folder.name) / "bank.journal"
        self.command = [LEDGER, "--journal", str(self.journal), "--accounts", str(ACCOUNTS),
                        "--tellers", str(TELLERS), "--transfers", str(TRANSFERS)]

    def rows(self, table):
        """The rows of a table, as the command shows them; none if there is no such table yet."""
        done = subprocess.run([PERDURE, "rows", table, "--all", "--json", "--journal",
                               self.journal], capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 4), done.stderr)
        return json.loads(done.stdout)["rows"] if done.returncode == 0 else []

    def check_rows(self):
        """What holds whenever the process died."""
        balances = {f"account-{number:04}": 10_000 for number in range(ACCOUNTS)}
        accounts = {row["key"]: row["value"]["cents"] for row in self.rows("accounts")}
        if not accounts:
            return 0
        book = self.rows("book")
        for row in book:
            balances[row["value"]["from"]] -= row["value"]["cents"]
            balances[row["value"]["to"]] += row["value"]["cents"]
        self.assertEqual(accounts, balances)
        self.assertEqual(sum(accounts.values()), MONEY)
        return len(book)

    def test_killed_again_and_again(self):
        dice = random.Random(7)
        killed, sizes = 0, []
        while True:
            ledger = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
            try:
                # Longer each time, so that it gets somewhere on the slowest machine too.
                out, _ = ledger.communicate(timeout=0.05 * dice.random() + 0.004 * killed)
                break
            except subprocess.TimeoutExpired:
                ledger.kill()
                ledger.communicate()
                killed += 1
            if self.journal.joinpath("CURRENT").exists():
                sizes.append(self.check_rows())
            self.assertLess(killed, 500, "it gets nowhere")
        self.assertEqual(ledger.returncode, 0)
        self.assertGreater(killed, 4)
        facts = dict(line.split() for line in out.splitlines())
        self.assertEqual(facts["cents"], str(MONEY))
        self.assertEqual(facts["made"], facts["book"])
        self.assertEqual(int(facts["made"]) + int(facts["refused"]), TELLERS * TRANSFERS)
        self.assertEqual(self.check_rows(), int(facts["made"]))
        self.assertEqual(sizes, sorted(sizes), "a transfer was forgotten")
        subprocess.run([PERDURE, "verify", "--journal", self.journal], check=True,
                       stdout=subprocess.DEVNULL)

    def test_undisturbed_and_once_more(self):
        first = subprocess.run(self.command, capture_output=True, text=True, check=True)
        began = time.monotonic()
        again = subprocess.run(self.command, capture_output=True, text=True, check=True)
        self.assertEqual(first.stdout, again.stdout)
        self.assertLess(time.monotonic() - began, 30)


if __name__ == "__main__":
    PERDURE = sys.argv.pop()
    LEDGER = sys.argv.pop()
    unittest.main()
