"""The values of a journal's rows: envelopes, and the bodies in them.

`open_envelope` checks a value in the order that docs/journal_format.md gives; `decode` gives the
fields of its body.
"""

import struct

import flat
from xxh3 import xxh3_64

FORMAT = 1
ENVELOPE = 24
VALUE_MAX = ENVELOPE + (64 << 20) + (1 << 20)
KINDS = {1: ("run_created", "RunCreated"), 2: ("step_started", "StepStarted"),
         3: ("step_result", "StepResult"), 4: ("run_ended", "RunEnded"),
         100: ("identity", "Identity"), 101: ("counters", "Counters"),
         102: ("session", "SessionRow"), 103: ("message_key", "MessageKeyRow"),
         104: ("run", "RunRow"), 105: ("head", "HeadRow"), 106: ("ready", "ReadyRow"),
         107: ("due", "DueRow"), 108: ("attempts", "AttemptsRow"),
         109: ("checkpoint", "Checkpoint"), 5: ("version_mark", "VersionMark"),
         6: ("cancel_requested", "CancelRequested"), 110: ("arrival", "ArrivalRow"),
         111: ("open", "OpenRow"), 112: ("wait", "WaitRow"), 113: ("state", "StateRow"),
         114: ("child", "ChildRow"), 115: ("user_row", "UserRow"),
         116: ("budget", "BudgetRow"), 117: ("usage", "UsageRow"),
         7: ("saga_aborted", "SagaAborted"), 118: ("saga", "SagaRow"), 119: ("undo", "UndoRow"),
         120: ("undo_state", "UndoStateRow")}
CODES = (None, "user", "refused", "timeout", "cancelled", "outcome_unknown", "already_started",
         "not_found", "misuse", "too_large", "storage_full", "storage_failed", "corrupt",
         "newer_format", "held", "diverged", "exception", "not_registered", "closed",
         "suspected_crash", "handler_threw", "undecodable", "unsupported", "busy", "deadlock",
         "peer_cancelled", "rate_limited", "overloaded", "context_overflow", "unauthenticated",
         "invalid_request", "over_budget", "saga_aborted", "saga_stuck")
FINAL_CODES = ("refused", "cancelled", "misuse", "too_large", "diverged", "undecodable",
               "outcome_unknown", "deadlock", "peer_cancelled", "context_overflow",
               "unauthenticated", "invalid_request", "over_budget", "saga_aborted",
               "saga_stuck")
REFUSED_CODES = ("refused", "rate_limited", "overloaded", "context_overflow", "unauthenticated",
                 "invalid_request", "over_budget")
FAILURES = ("error", "first_error", "last_error")
PAYLOADS = ("input", "payload", "progress")
AMOUNTS = ("used", "reserved", "assumed", "limits")
RUN_ID = 16


class Damage(Exception):
    """A row was changed after it was written, or contradicts another one."""


class Newer(Exception):
    """A newer Perdure wrote the row."""


def open_envelope(key, value):
    """(kind, number, body) of a value, checked in the order that the document gives."""
    if not ENVELOPE <= len(value) <= VALUE_MAX:
        raise Damage(f"it has {len(value)} bytes")
    checksum, number, form, kind, size = struct.unpack_from("<QQHHI", value)
    if xxh3_64(value[8:], xxh3_64(key)) != checksum:
        raise Damage("its checksum does not match")
    if form != FORMAT:
        raise Newer(f"it has format {form}")
    if size != len(value) - ENVELOPE:
        raise Damage(f"its size field says {size}")
    if kind not in KINDS:
        raise Newer(f"it is of kind {kind}")
    return kind, number, value[ENVELOPE:]


def code_name(number):
    """The name of an error's code."""
    if not 0 < number < len(CODES):
        raise Newer(f"it holds error code {number}")
    return CODES[number]


def decode(kind, body):
    """The fields of a body. Codes are names; an error has what its code implies filled in."""
    try:
        fields = flat.root(KINDS[kind][1], body)
    except flat.DamagedBuffer as why:
        raise Damage(f"its FlatBuffer is damaged: {why}") from why
    except flat.NewerNumber as why:
        raise Newer(str(why)) from why
    for failure in (fields.get(name) for name in FAILURES):
        if failure is None:
            continue
        failure["code"] = code = code_name(failure["code"])
        if failure["retryable"] is None:
            failure["retryable"] = code not in FINAL_CODES
        if failure["effect"] is None:
            failure["effect"] = "refused" if code in REFUSED_CODES else "unknown"
    if "code" in fields:
        fields["code"] = code_name(fields["code"])
    for name in PAYLOADS:
        blob = fields.get(name + "_blob")
        if blob and fields[name]:
            raise Damage("it holds a payload, and a blob in the place of one")
        if blob and blob["bytes"] == 0:
            raise Damage("its payload is a blob of no bytes")
    for of in (fields, fields.get("caller") or {}):
        if len(of.get("payers") or b"") % RUN_ID:
            raise Damage("it holds a part of a run's id")
    if any((number or 0) < 0 for name in AMOUNTS for number in (fields.get(name) or {}).values()):
        raise Damage("it holds a negative amount")
    return fields
