#include "journal/arrival.hpp"

namespace perdure::journal {

std::optional<CallerInfo> owned(const std::optional<Caller>& caller) {
  if (!caller) return std::nullopt;
  return CallerInfo{caller->session, std::string(caller->agent), std::string(caller->session_key),
                    caller->run,     StepPath(caller->path),     payers_of(caller->payers),
                    caller->saga};
}

std::optional<Caller> view_of(const std::optional<CallerInfo>& caller) {
  if (!caller) return std::nullopt;
  return Caller{caller->session,           caller->agent,          caller->session_key, caller->run,
                caller->path.components(), ids_of(caller->payers), caller->saga};
}

Arrival owned(const ArrivalRow& row, RecordNumber number) {
  Arrival arrival;
  arrival.what = row.what;
  arrival.number = number;
  arrival.agent = row.agent;
  arrival.session_key = row.session_key;
  arrival.name = row.name;
  arrival.type = row.type;
  arrival.payload = Payload(row.payload);
  arrival.message_key = row.message_key;
  arrival.agent_version = row.agent_version;
  arrival.run = row.run;
  arrival.path = StepPath(row.path);
  arrival.other = row.other;
  arrival.caller = owned(row.caller);
  arrival.due = row.due;
  arrival.by_wall_clock = row.by_wall_clock != 0;
  arrival.deadline = row.deadline;
  if (row.error) arrival.error = to_error(*row.error);
  arrival.who = row.who;
  arrival.why = row.why;
  arrival.grace_ms = row.grace_ms;
  arrival.stamp = row.stamp;
  arrival.limits = row.limits;
  arrival.saga = row.saga;
  return arrival;
}

ArrivalRow view_of(const Arrival& arrival) {
  ArrivalRow row;
  row.what = arrival.what;
  row.agent = arrival.agent;
  row.session_key = arrival.session_key;
  row.name = arrival.name;
  row.type = arrival.type;
  row.payload = view_of(arrival.payload);
  row.message_key = arrival.message_key;
  row.agent_version = arrival.agent_version;
  row.run = arrival.run;
  row.path = arrival.path.components();
  row.other = arrival.other;
  row.caller = view_of(arrival.caller);
  row.due = arrival.due;
  row.by_wall_clock = arrival.by_wall_clock ? 1 : 0;
  row.deadline = arrival.deadline;
  if (arrival.error) row.error = view_of(*arrival.error);
  row.who = arrival.who;
  row.why = arrival.why;
  row.grace_ms = arrival.grace_ms;
  row.stamp = arrival.stamp;
  row.limits = arrival.limits;
  row.saga = arrival.saga;
  return row;
}

}  // namespace perdure::journal
