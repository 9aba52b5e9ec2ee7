"""Every window of a crash, for each effect class, counted at a real far side.

usage: windows_test.py WINDOW_AGENT

The far side is an HTTP server with an SQLite database. The agent's first process is killed before
the effect, between the effect and its record, or behind the record; or the far side's answer is
lost. The next process goes on, and then the database says how often it happened.
"""

import contextlib
import http.server
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest

AGENT = sys.argv.pop(1)
UNKNOWN = "outcome_unknown"
# class: window: (times that it happened, what the run replied; None: the effect's id).
EXPECTED = {
    "idempotent": {"never": (1, None), "before_effect": (1, None), "before_record": (2, None),
                   "after_record": (1, None), "answer_lost": (2, None)},
    "keyed": {"never": (1, None), "before_effect": (1, None), "before_record": (1, None),
              "after_record": (1, None), "answer_lost": (1, None)},
    "queryable": {"never": (1, None), "before_effect": (1, None), "before_record": (1, None),
                  "after_record": (1, None), "answer_lost": (1, None)},
    "at_most_once": {"never": (1, None), "before_effect": (0, UNKNOWN),
                     "before_record": (1, UNKNOWN), "after_record": (1, None),
                     "answer_lost": (1, "user")},
}


class FarSide(http.server.ThreadingHTTPServer):
    """A shop: each effect is a row, and it is counted by looking."""

    def __init__(self, path, loses_an_answer):
        super().__init__(("127.0.0.1", 0), Desk)
        self.lock = threading.Lock()
        self.loses_an_answer = loses_an_answer
        self.database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.database.execute("create table effects (id integer primary key, key text not null)")
        self.database.execute("create table closed (key text primary key)")

    def find(self, key):
        """The id of an effect under the key, or None."""
        row = self.database.execute("select id from effects where key = ?", (key,)).fetchone()
        return row and row[0]

    def happen(self, key):
        """It happens. What it is called."""
        return self.database.execute("insert into effects (key) values (?)", (key,)).lastrowid

    def answer(self, path, key):
        """(status, text)."""
        found = self.find(key)
        if path == "/find":
            if found is None:
                self.database.execute("insert or ignore into closed values (?)", (key,))
            return (404, "") if found is None else (200, str(found))
        # Another attempt of a queryable tool has the key of the one before: it opens it again.
        self.database.execute("delete from closed where key = ?", (key,))
        if path == "/effect-once" and found is not None:
            return 200, str(found)
        return 200, str(self.happen(key))


class Desk(http.server.BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self):  # pylint: disable=invalid-name
        """The only kind there is."""
        with self.server.lock:
            status, text = self.server.answer(self.path, self.headers["Idempotency-Key"])
            lost = self.server.loses_an_answer and self.path != "/find"
            self.server.loses_an_answer = self.server.loses_an_answer and not lost
        if lost:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):  # pylint: disable=arguments-differ
        """Silence."""


@contextlib.contextmanager
def far_side(path, loses_an_answer):
    """A far side that serves."""
    with FarSide(path, loses_an_answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class WindowsTest(unittest.TestCase):
    """One directory for each cell of the table."""

    def live(self, directory, port, effect, dies):
        """One process of the agent."""
        return subprocess.run([AGENT, directory / "journal", str(port), effect, dies],
                              capture_output=True, text=True, timeout=120, check=False)

    def end(self, directory, port, effect, window):
        """What the run replied, in the process in which it ended."""
        dies = "never" if window == "answer_lost" else window
        first = self.live(directory, port, effect, dies)
        if dies == "never":
            self.assertEqual(first.returncode, 0, first.stderr)
            return first.stdout.strip()
        self.assertEqual(first.returncode, -signal.SIGKILL, first.stderr)
        second = self.live(directory, port, effect, "never")
        self.assertEqual(second.returncode, 0, second.stderr)
        return second.stdout.strip()

    def test_every_cell_of_the_table(self):
        """What each class promises, in each window."""
        for effect, windows in EXPECTED.items():
            for window, (times, reply) in windows.items():
                with self.subTest(effect=effect, window=window), \
                        tempfile.TemporaryDirectory() as made:
                    directory = pathlib.Path(made)
                    lost = window == "answer_lost"
                    with far_side(directory / "shop.db", lost) as server:
                        said = self.end(directory, server.server_port, effect, window)
                        rows = server.database.execute("select id, key from effects").fetchall()
                    self.assertEqual(len(rows), times)
                    self.assertEqual(len({key for _, key in rows}), min(times, 1))
                    self.assertEqual(said, reply if reply is not None else str(rows[-1][0]))

    def test_rows_change_once_in_every_window(self):
        """The far side is the journal itself."""
        for window in ("never", "before_effect", "before_record", "after_record"):
            with self.subTest(window=window), tempfile.TemporaryDirectory() as made:
                self.assertEqual(self.end(pathlib.Path(made), 0, "transactional", window), "1")


if __name__ == "__main__":
    unittest.main()
