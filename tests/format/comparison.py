"""Holds all that the reader in Python says of a journal against what the perdure command says."""

import json

import cli_lines
import fixture
import journal_reader
from fixture import perdure, read, same


class ComparingTest(fixture.FormatTest):
    """What comparing two readers takes."""

    def assert_same(self, found, expected, place):
        if not same(found, expected):
            self.assertEqual(found, expected, place)
            self.fail(f"{place}: {found} and {expected} differ in their types")

    def compare(self, directory, every=1):
        """Each run, or each of so many, and its records as both read them; gives the number of all
        records."""
        runs, records, attempts = (read(directory, table) for table in
                                   ("runs", "records", "attempts"))
        listed = json.loads(perdure(directory, "runs", "--all"))["runs"]
        self.assertEqual(len(listed), len(runs))
        for run, line in zip(runs, listed):
            self.assert_same(cli_lines.run_line(run), line, run["run"])
        for run in runs[-1::-every]:
            of_run = [row for row in records if row["run"] == run["run"]]
            lines = perdure(directory, "journal", run["run"]).splitlines()
            self.assertEqual(len(of_run), len(lines))
            for row, line in zip(of_run, lines):
                self.assert_same(cli_lines.record_line(row), json.loads(line),
                                 f"{run['run']} {row['index']}")
            shown = json.loads(perdure(directory, "show", run["run"]))
            self.assertTrue(shown.pop("explanation"))
            shown.pop("holder")
            rows = {row["fields"]["path"]: row["fields"] for row in attempts
                    if row["run"] == run["run"]}
            self.assert_same(cli_lines.timeline(run, of_run, rows), shown, run["run"])
        self.compare_rows(directory, runs)
        return len(records)

    def compare_rows(self, directory, runs):
        """What the command shows of no run: the numbers of rows, and how they hang together."""
        before, moment = None, journal_reader.Journal(directory).moment
        # A live writer may make a checkpoint in between.
        while before != moment.tables.transaction:
            before = moment.tables.transaction
            report = json.loads(perdure(directory, "verify"))
            rows = {table: read(directory, table) for table in journal_reader.TABLES}
            moment = journal_reader.Journal(directory).moment
        self.assertTrue(report["sound"], report)
        counts = {table: len(lines) for table, lines in rows.items()}
        counts["records"] += len(runs)  # The heads.
        self.assertEqual(counts, report["rows"])
        self.assertEqual(report["log"], {"sound": True, "batches": len(moment.chain),
                                         "bytes": sum(entry.size for entry in moment.chain)})
        self.assertEqual({row["run"] for row in rows["ready"]},
                         {run["run"] for run in runs
                          if run["fields"]["status"] in ("running", "parked")})
        due = {(row["run"], row["fields"]["path"]): row["at"] for row in rows["due"]}
        self.assertEqual(due, {(row["run"], row["fields"]["path"]): row["fields"]["next_due"]
                               for row in rows["attempts"] if row["fields"]["next_due"]})
        for row in rows["due"] + rows["attempts"]:
            path = [int(part) for part in row["fields"]["path"].split(".")]
            self.assertEqual(row["hash"], journal_reader.path_hash(path))
        self.check_hashes(directory)

    def check_hashes(self, directory):
        journal = journal_reader.Journal(directory)
        for row in journal.rows("sessions"):
            fields = row["fields"]
            self.assertEqual(row["session"],
                             journal_reader.session_hash(fields["agent"], fields["key"]))
        for row in journal.rows("keys"):
            self.assertEqual(row["hash"], journal_reader.message_hash(row["fields"]["key"]))
