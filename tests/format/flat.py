"""FlatBuffers, for the tables of journal/schema/record.fbs: version 1, written out once more.

The lists are kept apart from the schema on purpose: what this reader knows must stay readable, so
the test holds them against the beginnings of the schema's tables.
"""

import struct

ENUMS = {
    "EffectClass": {1: "idempotent", 2: "keyed", 3: "queryable", 4: "at_most_once",
                    5: "transactional"},
    "StepKind": {1: "step", 2: "sleep", 3: "receive", 4: "call", 5: "send", 6: "spawn", 7: "join",
                 8: "commit", 9: "compensate"},
    "RunStatus": {1: "running", 2: "waiting", 3: "parked", 4: "completed", 5: "failed",
                  6: "cancelled"},
    "DueWhat": {1: "retry", 2: "wait", 3: "message", 4: "grace", 5: "deadline",
                6: "circle", 7: "saga"},
    "ArrivalWhat": {1: "message", 2: "signal", 3: "reply", 4: "cancel", 5: "kill",
                    6: "retry_now", 7: "raise", 8: "abort_saga", 9: "saga_told"},
    "ParentEnd": {1: "wait", 2: "cancel", 3: "abandon"},
    "SagaState": {1: "open", 2: "forward", 3: "committed", 4: "compensating", 5: "compensated",
                  6: "stuck"},
    "UndoWhat": {1: "undo", 2: "pivot", 3: "saga", 4: "run"},
    "UndoState": {1: "happened", 2: "refused", 3: "unknown", 4: "paid", 5: "stuck", 6: "skipped",
                  7: "marked"},
    "ErrorEffect": {0: "refused", 1: "happened", 2: "unknown"},
}
SCALARS = {"bool": "<?", "ubyte": "<B", "ushort": "<H", "uint": "<I", "ulong": "<Q", "long": "<q",
           **{name: "<B" for name in ENUMS}}

# For each table its fields, in the order of their numbers: (name, type, default).
TABLES = {
    "Failure": [("code", "ushort", 1), ("message", "string", ""), ("retryable", "bool", None),
                ("retry_after_ms", "long", None), ("effect", "ErrorEffect", None)],
    "RunCreated": [("agent", "string", ""), ("agent_version", "uint", 1), ("handler", "string", ""),
                   ("session_key", "string", ""), ("message_key", "string", ""),
                   ("input_type", "string", ""), ("input", "[ubyte]", b""), ("seed", "ulong", 0),
                   ("stamp", "long", 0), ("caller", "Caller", None), ("deadline", "long", 0),
                   ("input_blob", "Blob", None), ("payers", "[ubyte]", b"")],
    "Caller": [("session", "Id", None), ("agent", "string", ""), ("session_key", "string", ""),
               ("run", "Id", None), ("path", "[uint]", ()), ("payers", "[ubyte]", b""),
               ("saga", "uint", 0)],
    "Amounts": [("money", "long", 0), ("tokens", "long", 0), ("gpu_us", "long", 0),
                ("attempts", "long", 0)],
    "Limits": [("money", "long", None), ("tokens", "long", None), ("gpu_us", "long", None),
               ("attempts", "long", None), ("wall_us", "long", None)],
    "VersionMark": [("name", "string", ""), ("version", "uint", 1), ("stamp", "long", 0)],
    "CancelRequested": [("code", "ushort", 4), ("who", "string", ""), ("why", "string", ""),
                        ("grace_ms", "long", 0), ("stamp", "long", 0)],
    "SagaAborted": [("saga", "uint", 0), ("code", "ushort", 32), ("who", "string", ""),
                    ("why", "string", ""), ("stamp", "long", 0)],
    "StepStarted": [("path", "[uint]", ()), ("name", "string", ""), ("effect", "EffectClass", 1),
                    ("attempt", "uint", 1), ("stamp", "long", 0)],
    "StepResult": [("path", "[uint]", ()), ("step_kind", "StepKind", 1), ("name", "string", ""),
                   ("type", "string", ""), ("attempts", "uint", 1), ("stamp", "long", 0),
                   ("busy_us", "long", 0), ("error", "Failure", None), ("payload", "[ubyte]", b""),
                   ("payload_blob", "Blob", None)],
    "RunEnded": [("stamp", "long", 0), ("type", "string", ""), ("error", "Failure", None),
                 ("payload", "[ubyte]", b""), ("payload_blob", "Blob", None)],
    "Identity": [("journal", "Id", None), ("created", "long", 0), ("created_by", "string", "")],
    "Counters": [("epoch", "ulong", 0), ("incarnation", "ulong", 0), ("last_number", "ulong", 0),
                 ("last_stamp", "long", 0), ("clean", "uint", 0)],
    "Checkpoint": [("batch", "ulong", 0), ("checksum", "ulong", 0), ("place", "ulong", 0)],
    "SessionRow": [("agent", "string", ""), ("key", "string", ""), ("created", "long", 0)],
    "MessageKeyRow": [("key", "string", ""), ("run", "Id", None)],
    "RunRow": [("session", "Id", None), ("agent", "string", ""), ("agent_version", "uint", 1),
               ("handler", "string", ""), ("session_key", "string", ""), ("created", "long", 0),
               ("queued", "bool", False)],
    "HeadRow": [("count", "uint", 0), ("status", "RunStatus", 1), ("stamp", "long", 0),
                ("code", "ushort", 1), ("reason", "string", ""), ("ahead", "uint", 0)],
    "ReadyRow": [("session", "Id", None)],
    "DueRow": [("what", "DueWhat", 1), ("path", "[uint]", ()), ("by_wall_clock", "bool", False),
               ("begun", "long", 0), ("session", "Id", None)],
    "ArrivalRow": [("what", "ArrivalWhat", 1), ("agent", "string", ""),
                   ("session_key", "string", ""), ("name", "string", ""), ("type", "string", ""),
                   ("payload", "[ubyte]", b""), ("message_key", "string", ""),
                   ("agent_version", "uint", 0), ("run", "Id", None), ("path", "[uint]", ()),
                   ("other", "Id", None), ("caller", "Caller", None), ("due", "long", 0),
                   ("by_wall_clock", "bool", False), ("deadline", "long", 0),
                   ("error", "Failure", None), ("who", "string", ""), ("why", "string", ""),
                   ("grace_ms", "long", 0), ("stamp", "long", 0), ("payload_blob", "Blob", None),
                   ("limits", "Limits", None), ("saga", "uint", 0)],
    "OpenRow": [("run", "Id", None)],
    "WaitRow": [("step_kind", "StepKind", 2), ("path", "[uint]", ()), ("name", "string", ""),
                ("begun", "long", 0), ("due", "long", 0), ("by_wall_clock", "bool", False),
                ("session", "Id", None), ("run", "Id", None)],
    "ChildRow": [("path", "[uint]", ()), ("session", "Id", None), ("agent", "string", ""),
                 ("session_key", "string", ""), ("run", "Id", None),
                 ("parent_end", "ParentEnd", 2), ("ended", "bool", False),
                 ("error", "Failure", None)],
    "StateRow": [("name", "string", ""), ("type", "string", ""), ("absent", "bool", False),
                 ("payload", "[ubyte]", b""), ("payload_blob", "Blob", None)],
    "UserRow": [("type", "string", ""), ("payload", "[ubyte]", b""),
                ("payload_blob", "Blob", None)],
    "BudgetRow": [("limits", "Limits", None), ("fails_steps", "bool", False),
                  ("created", "long", 0), ("raised_by", "string", ""), ("raised", "long", 0)],
    "UsageRow": [("used", "Amounts", None), ("reserved", "Amounts", None),
                 ("assumed", "Amounts", None)],
    "SagaRow": [("name", "string", ""), ("state", "SagaState", 1), ("created", "long", 0),
                ("changed", "long", 0), ("stuck", "uint", 0), ("parent_run", "Id", None),
                ("parent", "uint", 0), ("parallel", "bool", False), ("goes_on", "bool", False),
                ("code", "ushort", 1), ("who", "string", ""), ("why", "string", ""),
                ("deadline", "long", 0), ("reaches_parked", "bool", False),
                ("paid_with", "uint", 0)],
    "UndoRow": [("what", "UndoWhat", 1), ("path", "[uint]", ()), ("name", "string", ""),
                ("tool", "string", ""), ("undo", "string", ""), ("input_type", "string", ""),
                ("output_type", "string", ""), ("payload", "[ubyte]", b""),
                ("payload_blob", "Blob", None), ("settle_ms", "long", 0), ("begun", "uint", 0),
                ("stamp", "long", 0), ("saga", "uint", 0), ("run", "Id", None),
                ("agent", "string", ""), ("session_key", "string", "")],
    "UndoStateRow": [("state", "UndoState", 1), ("ended", "uint", 0), ("not_before", "long", 0),
                     ("error", "Failure", None), ("who", "string", ""), ("why", "string", ""),
                     ("stamp", "long", 0)],
    "AttemptsRow": [("path", "[uint]", ()), ("name", "string", ""), ("count", "uint", 0),
                    ("unclean_ends", "uint", 0), ("first_error", "Failure", None),
                    ("last_error", "Failure", None), ("last_stamp", "long", 0),
                    ("next_due", "long", 0), ("progress", "[ubyte]", b""), ("asks", "uint", 0),
                    ("asked_ms", "long", 0), ("spent_ms", "long", 0)],
}
REQUIRED = {("Identity", "journal"), ("MessageKeyRow", "run"), ("RunRow", "session"),
            ("ReadyRow", "session"), ("OpenRow", "run"), ("Caller", "session"),
            ("Caller", "run"), ("ChildRow", "session"), ("ChildRow", "run")}


class DamagedBuffer(Exception):
    """An offset or a length leads out of the buffer."""


class NewerNumber(Exception):
    """An enumeration has a number that this version does not know."""


class _Buffer:
    def __init__(self, body):
        self.body = body

    def number(self, form, at):
        if at < 0 or at + struct.calcsize(form) > len(self.body):
            raise DamagedBuffer(f"an offset leads to {at}, behind its {len(self.body)} bytes")
        return struct.unpack_from(form, self.body, at)[0]

    def target(self, at):
        """Where the offset at `at` leads."""
        return at + self.number("<I", at)

    def elements(self, at, width):
        """The bytes of the vector that the offset at `at` leads to."""
        start = self.target(at)
        size = self.number("<I", start) * width
        if start + 4 + size > len(self.body):
            raise DamagedBuffer(f"a vector at {start} leaves its {len(self.body)} bytes")
        return self.body[start + 4:start + 4 + size]

    def field(self, kind, at):
        if kind in SCALARS:
            number = self.number(SCALARS[kind], at)
            return name_of(kind, number) if kind in ENUMS else number
        if kind == "string":
            return self.elements(at, 1)
        if kind == "[ubyte]":
            return self.elements(at, 1)
        if kind == "[uint]":
            return tuple(value for value, in struct.iter_unpack("<I", self.elements(at, 4)))
        if kind == "Id":
            self.number("<16s", at)
            return self.body[at:at + 16]
        if kind == "Blob":
            return {"id": self.body[at:at + 32], "bytes": self.number("<32xQ", at)}
        return self.table(kind, self.target(at))

    def table(self, name, at):
        vtable = at - self.number("<i", at)
        vtable_size, table_size = self.number("<H", vtable), self.number("<H", vtable + 2)
        if vtable_size < 4 or vtable + vtable_size > len(self.body):
            raise DamagedBuffer(f"the vtable at {vtable} leaves the buffer")
        if at + table_size > len(self.body):
            raise DamagedBuffer(f"the table at {at} leaves the buffer")
        values = {}
        for n, (field, kind, default) in enumerate(TABLES[name]):
            slot = 4 + 2 * n
            offset = self.number("<H", vtable + slot) if slot < vtable_size else 0
            if offset:
                values[field] = self.field(kind, at + offset)
            elif (name, field) in REQUIRED:
                raise DamagedBuffer(f"the field {field} is missing")
            elif default is not None and kind in ENUMS:
                values[field] = name_of(kind, default)
            else:
                values[field] = default.encode() if kind == "string" else default
        return values


def name_of(enum, number):
    """The name of an enumeration's number."""
    if number not in ENUMS[enum]:
        raise NewerNumber(f"it holds {enum} {number}")
    return ENUMS[enum][number]


def root(name, body):
    """The table `name` that `body` holds, as a dict of its fields. Texts are bytes."""
    buffer = _Buffer(body)
    return buffer.table(name, buffer.target(0))
