"""Holds all that the reader in Python says of a journal against what the perdure command says."""

import json

import cli_lines
import envelope
import fixture
import flat
import journal_reader
from fixture import perdure, read, same

NUMBERS_OF_DUE = {name: number for number, name in flat.ENUMS["DueWhat"].items()}


class ComparingTest(fixture.FormatTest):
    """What comparing two readers takes."""

    def assert_same(self, found, expected, place):
        if not same(found, expected):
            self.assertEqual(found, expected, place)
            self.fail(f"{place}: {found} and {expected} differ in their types")

    def compare(self, directory, every=1):
        """Each run, or each of so many, and its records as both read them; gives the number of all
        records."""
        runs, records, attempts, waits, kept, children, budgets, usage, sagas = (
            read(directory, table)
            for table in ("runs", "records", "attempts", "waits", "kept", "children", "budgets",
                          "usage", "sagas"))
        opened = {row["session"]: row["fields"]["run"] for row in read(directory, "open")}
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
            for saga in shown["sagas"]:
                # What counts as owed is the command's business.
                self.assertLessEqual(saga.pop("owed"), saga.pop("actions"))
            if run["fields"]["status"] == "queued":
                session = run["fields"]["session"]
                expected = cli_lines.queued_timeline(
                    run, [row for row in kept if row["session"] == session], opened.get(session))
            else:
                expected = cli_lines.timeline(run, of_run, *(
                    {row["fields"]["path"]: row["fields"] for row in table
                     if row["run"] == run["run"]}
                    for table in (attempts, waits, children)), cli_lines.budget_line(
                        run["run"], of_run[0]["fields"]["payers"], budgets, usage),
                    [row for row in sagas if row["run"] == run["run"]])
            self.assert_same(expected, shown, run["run"])
        self.compare_user_rows(directory)
        self.compare_sessions(directory, {run["run"]: run for run in runs}, every)
        self.compare_rows(directory, runs)
        return len(records)

    def compare_sessions(self, directory, runs, every):
        """What came for each session, or each of so many, and what it knows."""
        sessions, inbox, kept, state, opened, children = (
            read(directory, table)
            for table in ("sessions", "inbox", "kept", "state", "open", "children"))
        addresses = {row["session"]: (row["fields"]["agent"], row["fields"]["session_key"], 0)
                     for row in inbox}
        addresses.update({row["session"]: (row["fields"]["agent"], row["fields"]["key"],
                                           row["fields"]["created"])
                          for n, row in enumerate(sessions)
                          if n % every == 0 or row["session"] in addresses})
        run_of = {row["session"]: runs[row["fields"]["run"]] for row in opened}
        for session, (agent, key, created) in addresses.items():
            if "\ufffd" in key:
                continue
            shown = json.loads(perdure(directory, "session", f"{agent}/{key}"))
            shown.pop("holder")
            run = run_of.get(session)
            self.assert_same(
                {"agent": agent, "key": key, "created": cli_lines.time_of(created),
                 "open_run": run and cli_lines.run_line(run),
                 "children": cli_lines.child_lines(
                     row["fields"] for row in children if run and row["run"] == run["run"]),
                 **{name: [cli_lines.arrival_line(row) for row in table
                           if row["session"] == session]
                    for name, table in (("inbox", inbox), ("kept", kept))},
                 "state": [cli_lines.state_line(row) for row in state
                           if row["session"] == session]}, shown, f"{agent}/{key}")

    def compare_user_rows(self, directory):
        """Users' tables, and the rows of each."""
        tables = {}
        for row in read(directory, "rows"):
            tables.setdefault(row["user_table"], []).append(cli_lines.user_row_line(row))
        listed = json.loads(perdure(directory, "rows"))["tables"]
        self.assert_same([{"name": name, "rows": len(rows)} for name, rows in tables.items()],
                         listed, "the tables")
        for name, rows in tables.items():
            self.assert_same({"table": name, "rows": rows, "more": False},
                             json.loads(perdure(directory, "rows", name, "--all")), name)

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
        # The heads.
        counts["records"] += sum(run["fields"]["status"] != "queued" for run in runs)
        self.assertEqual(counts, report["rows"])
        self.compare_blobs(directory, rows, report["blobs"])
        self.assertEqual(report["log"], {"sound": True, "batches": len(moment.chain),
                                         "bytes": sum(entry.size for entry in moment.chain)})
        self.assertEqual({row["run"] for row in rows["ready"]},
                         {run["run"] for run in runs
                          if run["fields"]["status"] in ("running", "parked")})
        self.check_due(rows)
        for row in rows["due"] + rows["attempts"] + rows["waits"] + rows["children"]:
            if row["fields"].get("what") in (None, "retry", "wait", "saga"):
                path = [int(part) for part in row["fields"]["path"].split(".")]
                self.assertEqual(row["hash"], journal_reader.path_hash(path))
            else:
                self.assertEqual(row["hash"], NUMBERS_OF_DUE[row["fields"]["what"]])
        self.assertEqual({row["fields"]["run"] for row in rows["open"]},
                         {run["run"] for run in runs if run["fields"]["status"] in
                          ("running", "waiting", "parked")})
        for row in rows["inbox"]:
            self.assertEqual(row["at_number"], row["number"])
        for row in rows["kept"]:
            self.assertLessEqual(row["at_number"], row["number"])
        self.check_hashes(directory)

    def check_due(self, rows):
        """What is due is what waits for it."""
        due = {(row["run"], row["fields"]["path"], row["fields"]["what"]): row["at"]
               for row in rows["due"]}
        self.assertEqual({at for key, at in due.items() if key[2] == "circle"} - {1}, set())
        due = {key: at for key, at in due.items() if key[2] not in ("grace", "deadline", "circle")}
        expected = {(row["run"], row["fields"]["path"], what): row["fields"][name]
                    for table, what, name in (("attempts", "retry", "next_due"),
                                              ("waits", "wait", "due"))
                    for row in rows[table] if row["fields"][name]}
        expected.update({(row["fields"]["run"], "", "message"): row["fields"]["due"]
                         for row in rows["kept"] if row["fields"]["due"]})
        expected.update({(row["run"], f"0.{row['saga']}", "saga"): row["fields"]["deadline"]
                         for row in rows["sagas"] if row["fields"]["deadline"]
                         and row["fields"]["state"] in ("open", "forward")})
        self.assertEqual(due, expected)

    def check_hashes(self, directory):
        journal = journal_reader.Journal(directory)
        for row in journal.rows("sessions"):
            fields = row["fields"]
            self.assertEqual(row["session"],
                             journal_reader.session_hash(fields["agent"], fields["key"]))
        for row in journal.rows("keys"):
            self.assertEqual(row["hash"], journal_reader.message_hash(row["fields"]["key"]))
        for row in [*journal.rows("state"), *journal.rows("before")]:
            self.assertEqual(row["hash"], journal_reader.message_hash(row["fields"]["name"]))

    def compare_blobs(self, directory, rows, report):
        """Which blobs there are, and which of them rows refer to."""
        referred = {}
        for fields in (row["fields"] for table in rows.values() for row in table):
            for name in envelope.PAYLOADS:
                if name + "_blob" in fields:
                    referred[fields[name + "_blob"]] = fields[name + "_bytes"]
                referred.update(journal_reader.blobs_in(fields.get(name)))
        stored = {line["id"]: line["stored_bytes"] for line in read(directory, "blobs")}
        self.assertLessEqual(referred.keys(), stored.keys())
        others = [size for name, size in stored.items() if name not in referred]
        self.assertEqual(report, {"referred_to": len(referred), "bytes": sum(referred.values()),
                                  "others": len(others), "others_bytes": sum(others)})
