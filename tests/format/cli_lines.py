"""Rows of the reader in Python as the perdure command writes them (docs/cli.md)."""

import datetime

SHOWN_BYTES = 64 << 10
COMMON_KEYS = ("agent", "agent_version", "handler")


def time_of(stamp):
    """A stamp as the command writes it; null for zero."""
    if stamp == 0:
        return None
    start = datetime.datetime(1970, 1, 1)
    return (start + datetime.timedelta(microseconds=stamp)).isoformat(timespec="microseconds") + "Z"


def payload_of(name, fields, source, kind, most=None):
    """The command's keys for a payload."""
    size = fields[source + "_bytes"]
    expected = {name: fields[source], name + "_type": fields[kind], name + "_bytes": size}
    if most is not None and size > most:
        expected.update({name: None, name + "_omitted": True})
    return expected


def run_line(row):
    """A run as the command lists it."""
    fields = row["fields"]
    is_parked = fields["status"] == "parked"
    return {"id": row["run"], "key": fields["session_key"], "status": fields["status"],
            "records": fields["count"], "created": time_of(fields["created"]),
            "last_change": time_of(fields["stamp"]),
            "parked": {key: fields[key] for key in ("code", "reason")} if is_parked else None,
            **{key: fields[key] for key in COMMON_KEYS}}


def content_of(kind, fields):
    """The `content` of a record of `perdure journal`."""
    if kind == "run_created":
        return {**{key: fields[key] for key in (*COMMON_KEYS, "message_key", "seed")},
                "key": fields["session_key"], **payload_of("input", fields, "input", "input_type")}
    if kind == "run_ended":
        return {"error": fields["error"], **payload_of("reply", fields, "payload", "type")}
    same_name = {"step_started": ("name", "effect", "attempt"),
                 "step_result": ("step_kind", "name", "attempts", "busy_us", "error")}[kind]
    content = {"step": fields["path"], **{key: fields[key] for key in same_name}}
    if kind == "step_result":
        content.update(payload_of("result", fields, "payload", "type"))
    return content


def record_line(row):
    """A line of `perdure journal`."""
    return {**{key: row[key] for key in ("index", "number", "kind", "stored_bytes")},
            "stamp": time_of(row["fields"]["stamp"]),
            "content": content_of(row["kind"], row["fields"])}


def step_line(fields, started, created):
    """A step of `perdure show` that ended."""
    return {"step": fields["path"],
            **{key: fields[key] for key in ("step_kind", "name", "attempts", "busy_us", "error")},
            "status": "failed" if fields["error"] else "completed",
            "started": time_of(started["stamp"]) if started else None,
            "effect": started["effect"] if started else None,
            "ended": time_of(fields["stamp"]), "offset_us": fields["stamp"] - created,
            **payload_of("result", fields, "payload", "type", SHOWN_BYTES)}


def unfinished_line(path, started, row):
    """A step of `perdure show` that began and did not end."""
    none = {"count": 0, "unclean_ends": 0, "last_stamp": 0, "next_due": 0, "first_error": None,
            "last_error": None}
    row_or_none = row or none
    return {"step": path, "name": (started or row)["name"],
            "status": "backoff" if row_or_none["next_due"] else "unfinished",
            "attempts": max(started["attempt"] if started else 0, row_or_none["count"]),
            "started": time_of(started["stamp"]) if started else None,
            "effect": started["effect"] if started else None,
            **{key: row_or_none[key] for key in ("unclean_ends", "first_error", "last_error")},
            "last_attempt_ended": time_of(row_or_none["last_stamp"]),
            "next_due": time_of(row_or_none["next_due"])}


def timeline(run, records, attempts):
    """`perdure show`, but for its words to people and who holds the journal."""
    created, started, end, steps = run["fields"]["created"], {}, None, []
    first = records[0]["fields"]
    attempts = dict(attempts)
    for fields in (row["fields"] for row in records if row["kind"] == "step_started"):
        started[fields["path"]] = fields
    for row in records:
        fields = row["fields"]
        if row["kind"] == "step_result":
            steps.append(step_line(fields, started.pop(fields["path"], None), created))
            attempts.pop(fields["path"], None)
        elif row["kind"] == "run_ended":
            end = {"ended": time_of(fields["stamp"]), "offset_us": fields["stamp"] - created,
                   "error": fields["error"],
                   **payload_of("reply", fields, "payload", "type", SHOWN_BYTES)}
    left = sorted({*started, *attempts}, key=lambda path: [int(part) for part in path.split(".")])
    return {"run": run_line(run), "message_key": first["message_key"], "steps": steps, "end": end,
            **payload_of("input", first, "input", "input_type", SHOWN_BYTES),
            "unfinished": [unfinished_line(path, started.get(path), attempts.get(path))
                           for path in left]}
