"""A booking service as a process: lost answers, crashes by plan, and SIGKILL.

usage: service_killed.py BOOKING_SERVICE
"""

import http.client
import json
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse

PROGRAM = sys.argv[1]


class Life:
    """One process on a folder's database."""

    def __init__(self, folder, kind="hotel", *flags):
        self.port_file = folder / f"{kind}.port"
        self.port_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [PROGRAM, "--kind", kind, "--database", str(folder / f"{kind}.sqlite"),
             "--port-file", str(self.port_file), *flags])
        while not self.port_file.exists():
            assert self.process.poll() is None, f"it ended with {self.process.poll()}"
        self.port = int(self.port_file.read_text())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def ask(self, method, path, body=None, headers=None):
        """(status, answer), or None where there was no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, headers or {})
            response = connection.getresponse()
            content = response.read()
            return response.status, json.loads(content) if content else None
        except (http.client.HTTPException, ConnectionError):
            return None
        finally:
            connection.close()

    def do(self, key, trip="t"):
        return self.ask("POST", "/do", {"key": key, "trip": trip, "traveller": "Ada",
                                        "detail": "Cork", "amount_cents": 5})

    def undo(self, key, trip="t"):
        return self.ask("POST", "/undo", {"key": key, "trip": trip})

    def find(self, key):
        return self.ask("GET", "/find?key=" + urllib.parse.quote(key, safe=""))


def rows(folder, sql, kind="hotel"):
    connection = sqlite3.connect(folder / f"{kind}.sqlite")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def expect(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def answers_and_ends(folder):
    done = (200, {"state": "done", "reference": "HO-1"})
    key = "a/b c+d&e=f%20\u00fc"
    with Life(folder) as life:
        expect(life.do(key), done)
        expect(life.do(key), done)
        expect(life.find(key), done)
        expect(life.undo("early"), (200, {"undone": True, "was": "none"}))
        expect(life.do("early"), (410, {"undone": True}))
        expect(life.ask("POST", "/do", {"key": "k"})[0], 400)
        expect(life.ask("GET", "/nowhere")[0], 404)
        expect(life.ask("POST", "/do", {"key": "k", "trip": "t"},
                        {"X-Booking-Service": "car"})[0], 421)
        expect(life.find("k")[1]["state"], "none")
        expect(life.end(), 0)
    assert not (folder / "hotel.sqlite-wal").exists()
    expect(rows(folder, "SELECT count(*), sum(times_done) FROM bookings"), [(2, 1)])


def refuses(folder):
    with Life(folder, "hotel", "--refuse", "1") as life:
        expect(life.do("k"), (409, {"refused": "sold out"}))
        life.kill()
    with Life(folder) as life:
        expect(life.do("k"), (409, {"refused": "sold out"}))


def loses_answers(folder):
    with Life(folder, "hotel", "--lose-reply", "1") as life:
        expect(life.do("k"), None)
        expect(life.undo("early"), None)
        life.kill()
    with Life(folder) as life:
        expect(life.find("k")[1]["state"], "done")
        expect(life.do("early")[0], 410)
    expect(rows(folder, "SELECT DISTINCT fault FROM log WHERE fault != ''"), [("reply lost",)])


def is_killed(folder):
    for number in range(10):
        with Life(folder) as life:
            expect(life.do(f"k{number}")[0], 200)
            life.kill()
    with Life(folder) as life:
        for number in range(10):
            expect(life.find(f"k{number}")[1]["state"], "done")


def crashes(folder):
    """Each request is a crash, before its effect or after it; both are seen, and no third thing."""
    for number in range(24):
        with Life(folder, "hotel", "--crash", "1") as life:
            expect(life.do(f"k{number}"), None)
            expect(life.process.wait(timeout=60), 1)
    faults = dict(rows(folder, "SELECT fault, count(*) FROM log GROUP BY fault"))
    before, after = faults["crash before the effect"], faults["crash after the effect"]
    expect(before + after, 24)
    expect(rows(folder, "SELECT count(*) FROM bookings WHERE state = 'done'"), [(after,)])


def complains(folder):
    for flags in (["--database", "/nonexistent/a.sqlite", "--port-file", str(folder / "p")],
                  ["--database", str(folder / "a.sqlite"), "--port-file", "/nonexistent/p"]):
        done = subprocess.run([PROGRAM, "--kind", "car", *flags], capture_output=True, text=True,
                              timeout=60, check=False)
        expect(done.returncode, 3)
        assert "/nonexistent/" in done.stderr, done.stderr
    expect(subprocess.run([PROGRAM], capture_output=True, timeout=60, check=False).returncode, 2)


def main():
    for check in (answers_and_ends, refuses, loses_answers, is_killed, crashes, complains):
        with tempfile.TemporaryDirectory() as folder:
            print(check.__name__, flush=True)
            check(pathlib.Path(folder))


if __name__ == "__main__":
    main()
