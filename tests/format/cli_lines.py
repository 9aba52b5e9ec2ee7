"""Rows of the reader in Python as the perdure command writes them (docs/cli.md)."""

import datetime

SHOWN_BYTES = 64 << 10
COMMON_KEYS = ("agent", "agent_version", "handler")
ALL_SAGAS = 0xFFFFFFFF
ENDED = ("completed", "failed", "cancelled")


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
    if source + "_blob" in fields:
        expected[name + "_blob"] = fields[source + "_blob"]
    if most is not None and size > most:
        expected.update({name: None, name + "_omitted": True})
    return expected


def run_line(row):
    """A run as the command lists it."""
    fields = row["fields"]
    is_parked = fields["status"] == "parked"
    return {"id": row["run"], "key": fields["session_key"], "status": fields["status"],
            "records": fields["count"], "created": time_of(fields["created"]),
            "last_change": time_of(fields.get("stamp", fields["created"])),
            "parked": {key: fields[key] for key in ("code", "reason")} if is_parked else None,
            **{key: fields[key] for key in COMMON_KEYS}}


def caller_of(fields):
    """Who waits for the run's end."""
    caller = fields["caller"]
    return caller and {"agent": caller["agent"], "key": caller["session_key"],
                       "run": caller["run"], "step": caller["path"],
                       "saga": caller["saga"] or None}


def limits_line(limits):
    """Limits, with the units in their names."""
    return limits and {"money_micros": limits["money"],
                       **{key: limits[key] for key in ("tokens", "gpu_us", "attempts", "wall_us")}}


def sum_line(rows, name):
    """What rows of `usage` come to."""
    amounts = [row["fields"][name] or {} for row in rows]
    return {line: sum(each.get(field, 0) for each in amounts)
            for line, field in (("money_micros", "money"), ("tokens", "tokens"),
                                ("gpu_us", "gpu_us"), ("attempts", "attempts"))}


def budget_line(run, payers, budgets, usage):
    """What `perdure show` says of a run's budget."""
    own = next((row["fields"] for row in budgets if row["run"] == run), None)
    payer = run if own or not payers else payers[0]
    rows = [row for row in usage if row["payer"] == payer and (own or row["run"] == run)]
    used, reserved = sum_line(rows, "used"), sum_line(rows, "reserved")
    if not own and not payers and not any((*used.values(), *reserved.values())):
        return None
    raised = own["raised"] if own else 0
    return {"limits": own and limits_line(own["limits"]),
            "when_exhausted": own and ("fail_step" if own["fails_steps"] else "park"),
            "used": used, "assumed": sum_line(rows, "assumed"), "reserved": reserved,
            "draws_on": payers, "raised": time_of(raised),
            "raised_by": own["raised_by"] if raised else None}


def meant_saga(number):
    """Which saga of a run somebody means."""
    return {"saga": None if number in (0, ALL_SAGAS) else number, "all_sagas": number == ALL_SAGAS}


def aborted_line(fields):
    """That a saga was aborted."""
    return {**meant_saga(fields["saga"]), **{key: fields[key] for key in ("code", "who", "why")}}


def saga_line(row, run):
    """A saga of `perdure show`, but for the numbers of its actions."""
    fields, number = row["fields"], row["saga"]
    is_open = fields["state"] in ("open", "forward")
    parent, payer = fields["parent"], fields["paid_with"]
    return {"id": f"{row['run']}.{number}", "run": row["run"], "number": number,
            "left_open": is_open and run["fields"]["status"] in ENDED,
            "parent": f"{fields['parent_run'] or row['run']}.{parent}" if parent else None,
            "paid_with": f"{row['run']}.{payer}" if payer else None,
            "undo_order": "parallel" if fields["parallel"] else "reverse",
            "when_undo_fails": "go_on" if fields["goes_on"] else "stop",
            "code": None if is_open or fields["state"] == "committed" else fields["code"],
            **{key: time_of(fields[key]) for key in ("created", "changed", "deadline")},
            **{key: fields[key]
               for key in ("name", "state", "stuck", "reaches_parked", "who", "why")}}


def content_of(kind, fields):
    """The `content` of a record of `perdure journal`."""
    if kind == "run_created":
        return {**{key: fields[key] for key in (*COMMON_KEYS, "message_key", "seed")},
                "key": fields["session_key"], "caller": caller_of(fields),
                "deadline": time_of(fields["deadline"]), "draws_on": fields["payers"],
                **payload_of("input", fields, "input", "input_type")}
    if kind == "run_ended":
        return {"error": fields["error"], **payload_of("reply", fields, "payload", "type")}
    if kind in ("version_mark", "cancel_requested"):
        return {key: value for key, value in fields.items() if key != "stamp"}
    if kind == "saga_aborted":
        return aborted_line(fields)
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


def wait_line(wait):
    """What a step waits for."""
    return wait and {"begun": time_of(wait["begun"]), "due": time_of(wait["due"]),
                     "by_wall_clock": wait["by_wall_clock"], "run": wait["run"]}


def unfinished_line(path, started, row, wait):
    """A step of `perdure show` that began and did not end."""
    none = {"count": 0, "unclean_ends": 0, "last_stamp": 0, "next_due": 0, "first_error": None,
            "last_error": None, "asks": 0, "progress": None}
    row_or_none = row or none
    status = "waiting" if wait else "backoff" if row_or_none["next_due"] else "unfinished"
    return {"step": path, "name": (started or row or wait)["name"], "status": status,
            "step_kind": wait["step_kind"] if wait else "step",
            "attempts": max(started["attempt"] if started else 0, row_or_none["count"]),
            "started": time_of(started["stamp"]) if started else None,
            "effect": started["effect"] if started else None, "wait": wait_line(wait),
            **{key: row_or_none[key]
               for key in ("unclean_ends", "first_error", "last_error", "asks", "progress")},
            "last_attempt_ended": time_of(row_or_none["last_stamp"]),
            "next_due": time_of(row_or_none["next_due"])}


def child_lines(children):
    """Runs that a run started, of the rows of `children` of that run."""
    return [{"step": fields["path"], "key": fields["session_key"],
             **{key: fields[key] for key in ("run", "agent", "parent_end", "ended", "error")}}
            for fields in sorted(children, key=lambda fields: steps_of(fields["path"]))]


def steps_of(path):
    """The numbers of a path."""
    return [int(part) for part in path.split(".")]


def cancel_line(fields):
    """That the run is to end."""
    return {**{key: fields[key] for key in ("code", "who", "why")},
            "requested": time_of(fields["stamp"]),
            "grace_ends": time_of(fields["stamp"] + fields["grace_ms"] * 1000)}


def begin_line(fields, source, kind):
    """The message that a run handles."""
    return {"message_key": fields["message_key"], "caller": caller_of(fields),
            "deadline": time_of(fields["deadline"]),
            **payload_of("input", fields, source, kind, SHOWN_BYTES)}


def queued_timeline(run, kept, opened):
    """`perdure show` of a run that has only its message: one of `kept`, the rows of its session."""
    messages = [row["fields"] for row in kept
                if row["fields"]["what"] == "message" and not row["fields"]["other"]]
    place = [fields["run"] for fields in messages].index(run["run"])
    fields = messages[place]
    return {"run": run_line(run), "steps": [], "end": None, "unfinished": [], "versions": [],
            "children": [], "cancel": None, "budget": None, "sagas": [], "aborts": [],
            **begin_line(fields, "payload", "type"),
            "queued": {"due": time_of(fields["due"]), "behind": opened,
                       "ahead": sum(not each["due"] for each in messages[:place])}}


def timeline(run, records, attempts, waits, children, budget, sagas):
    """`perdure show`, but for its words to people and who holds the journal."""
    created, started, end, steps = run["fields"]["created"], {}, None, []
    attempts, versions, aborts, cancel = dict(attempts), [], [], None
    for fields in (row["fields"] for row in records if row["kind"] == "step_started"):
        started[fields["path"]] = fields
    for row in records:
        fields = row["fields"]
        if row["kind"] == "step_result":
            steps.append(step_line(fields, started.pop(fields["path"], None), created))
            attempts.pop(fields["path"], None)
        elif row["kind"] == "version_mark":
            versions.append({"name": fields["name"], "version": fields["version"],
                             "recorded": time_of(fields["stamp"])})
        elif row["kind"] == "saga_aborted":
            aborts.append({**aborted_line(fields), "recorded": time_of(fields["stamp"])})
        elif row["kind"] == "cancel_requested":
            cancel = cancel_line(fields)
        elif row["kind"] == "run_ended":
            end = {"ended": time_of(fields["stamp"]), "offset_us": fields["stamp"] - created,
                   "error": fields["error"],
                   **payload_of("reply", fields, "payload", "type", SHOWN_BYTES)}
    left = sorted({*started, *attempts, *waits}, key=steps_of)
    return {"run": run_line(run), "steps": steps, "end": end, "versions": versions,
            "cancel": cancel, "queued": None, "budget": budget, "aborts": aborts,
            "sagas": [saga_line(row, run) for row in sagas],
            "children": child_lines(children.values()),
            **begin_line(records[0]["fields"], "input", "input_type"),
            "unfinished": [unfinished_line(path, started.get(path), attempts.get(path),
                                           waits.get(path)) for path in left]}


def arrival_line(row):
    """What came for a session, as `perdure session` shows it."""
    fields = row["fields"]
    return {"number": row["number"], "sent": time_of(fields["stamp"]), "step": fields["path"],
            "other_run": fields["other"], "caller": caller_of(fields),
            **{key: time_of(fields[key]) for key in ("due", "deadline")},
            "limits": limits_line(fields["limits"]), **meant_saga(fields["saga"]),
            **{key: fields[key] for key in ("what", "name", "agent_version", "message_key", "run",
                                            "by_wall_clock", "who", "why", "grace_ms", "error")},
            **payload_of("payload", fields, "payload", "type")}


def user_row_line(row):
    """A row of a user's table."""
    return {"key": row["user_key"], "number": row["number"],
            **payload_of("value", row["fields"], "payload", "type")}


def state_line(row):
    """A value of a session's state."""
    return {"name": row["fields"]["name"], **payload_of("value", row["fields"], "payload", "type")}
