#include "journal/control_protocol.hpp"

#include "core/limits.hpp"
#include "journal/payload_check.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace perdure::journal {
namespace {

using What = ArrivalRow::What;
namespace limits = core::limits;

constexpr std::array kVerbs = {ControlVerb::retry_now, ControlVerb::resume,    ControlVerb::cancel,
                               ControlVerb::kill,      ControlVerb::signal,    ControlVerb::message,
                               ControlVerb::raise,     ControlVerb::compensate};
constexpr std::uint16_t kDone = 0;
constexpr std::uint16_t kRefused = 1;

core::ByteView key() noexcept { return core::as_bytes(std::string_view("control")); }

void add_number(core::Bytes& out, std::uint64_t number, std::size_t bytes) {
  for (; bytes > 0; --bytes, number >>= 8U) out.push_back(static_cast<std::byte>(number & 255U));
}
std::uint64_t number_at(core::ByteView bytes, std::size_t at, std::size_t count) {
  std::uint64_t number = 0;
  while (count > 0) number = (number << 8U) | std::to_integer<std::uint64_t>(bytes[at + --count]);
  return number;
}

core::Bytes framed(std::uint16_t verb, const ArrivalRow& row) {
  core::Bytes value(kEnvelopeBytes);
  encode_body(row, value);
  seal(key(), value, ArrivalRow::kKind, 0);
  core::Bytes frame;
  frame.reserve(kControlHeaderBytes + value.size());
  add_number(frame, value.size(), 4);
  add_number(frame, kControlVersion, 2);
  add_number(frame, verb, 2);
  frame.insert(frame.end(), value.begin(), value.end());
  return frame;
}

Result<void> check_text(std::string_view what, std::string_view text, std::size_t limit) {
  if (text.empty()) return Error{Code::misuse, std::string(what) + " is empty: give one"};
  if (text.size() > limit)
    return Error{Code::too_large, std::string(what) + " has " + std::to_string(text.size()) +
                                      " bytes, more than the limit of " + std::to_string(limit)};
  if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
    return Error{Code::misuse, std::string(what) + " has a control character in it"};
  return success();
}

Result<void> check_address(std::string_view agent, std::string_view session_key) {
  PERDURE_TRY(check_text("the agent's name", agent, limits::kNameBytes));
  if (agent.find('/') != std::string_view::npos)
    return Error{Code::misuse, "the agent's name has a '/' in it, which parts it from the key"};
  return check_text("the session's key", session_key, limits::kKeyBytes);
}

/// Whether the parts are set that only sessions fill in.
bool is_of_a_session(const Arrival& what) {
  return what.caller || what.other || what.error || !what.path.components().empty();
}

Result<void> check_mail(const ControlRequest& request) {
  const Arrival& what = request.what;
  const bool is_message = request.verb == ControlVerb::message;
  PERDURE_TRY(check_address(what.agent, what.session_key));
  PERDURE_TRY(check_text(is_message ? "the handler's name" : "the signal's name", what.name,
                         limits::kNameBytes));
  if (what.limits != Limits{}) return Error{Code::misuse, "mail sets no limits: only a raise does"};
  if (what.saga != 0) return Error{Code::misuse, "mail names no saga"};
  if (!is_message && !what.message_key.empty())
    return Error{Code::misuse, "a signal has no message key: only a message does"};
  if (!what.message_key.empty())
    PERDURE_TRY(check_text("the message's key", what.message_key, limits::kKeyBytes));
  // Who gives orders sends bytes: another process's blobs are not this one's.
  if (what.payload.blob || !is_well_formed_payload(what.payload.bytes))
    return Error{Code::undecodable,
                 "the payload is not encoded as values are: encode it as JSON "
                 "through the perdure command, or with perdure::encode"};
  return success();
}

Result<void> check_word(const ControlRequest& request) {
  const Arrival& what = request.what;
  if (!what.run)
    return Error{Code::misuse,
                 "the " + std::string(to_string(request.verb)) + " names no run: give its id"};
  if (what.grace_ms < 0) return Error{Code::misuse, "the grace period is negative: give 0 or more"};
  if (!what.name.empty() || what.payload.size() != 0 || !what.message_key.empty())
    return Error{Code::misuse, "a " + std::string(to_string(request.verb)) +
                                   " has no payload: only a signal and a message do"};
  const bool ends_it = request.verb == ControlVerb::cancel || request.verb == ControlVerb::kill;
  if (request.verb == ControlVerb::compensate && what.saga == 0)
    return Error{Code::misuse, "the compensate names no saga: give its number, or all"};
  if (request.verb != ControlVerb::compensate && what.saga != 0 &&
      !(ends_it && what.saga == kAllSagas))
    return Error{Code::misuse,
                 "a " + std::string(to_string(request.verb)) + " is about no saga of its own"};
  const bool raises = request.verb == ControlVerb::raise;
  if (raises && what.limits == Limits{})
    return Error{Code::misuse, "the raise names no limit: give one, such as --money or --tokens"};
  if (!raises && what.limits != Limits{})
    return Error{Code::misuse, "a " + std::string(to_string(request.verb)) +
                                   " sets no limits: only a raise does"};
  return success();
}

/// The row in a frame. Borrowed from `buffer`.
Result<ArrivalRow> row_in(const ControlHeader& header, core::ByteView body, RecordBuffer& buffer) {
  if (body.size() != header.size)
    return Error{Code::corrupt, "its header announces " + std::to_string(header.size) +
                                    " bytes, and " + std::to_string(body.size()) + " came"};
  PERDURE_TRY(buffer.load(key(), body));
  return buffer.as<ArrivalRow>();
}

}  // namespace

std::string_view to_string(ControlVerb verb) noexcept {
  switch (verb) {
    case ControlVerb::retry_now: return "retry-now";
    case ControlVerb::resume: return "resume";
    case ControlVerb::cancel: return "cancel";
    case ControlVerb::kill: return "kill";
    case ControlVerb::signal: return "signal";
    case ControlVerb::message: return "message";
    case ControlVerb::raise: return "raise";
    case ControlVerb::compensate: return "compensate";
  }
  return "unrecognised";
}

What row_of(ControlVerb verb) noexcept {
  switch (verb) {
    case ControlVerb::retry_now:
    case ControlVerb::resume: return What::retry_now;
    case ControlVerb::cancel: return What::cancel;
    case ControlVerb::kill: return What::kill;
    case ControlVerb::signal: return What::signal;
    case ControlVerb::message: return What::message;
    case ControlVerb::raise: return What::raise;
    case ControlVerb::compensate: return What::abort_saga;
  }
  return What::signal;
}

Result<void> check_request(const ControlRequest& request) {
  const Arrival& what = request.what;
  if (std::ranges::find(kVerbs, request.verb) == kVerbs.end())
    return Error{Code::newer_format, "this Perdure does not know the verb " +
                                         std::to_string(static_cast<unsigned>(request.verb)) +
                                         ": use a newer one"};
  if (what.what != row_of(request.verb))
    return Error{Code::misuse, "a " + std::string(to_string(request.verb)) +
                                   " can't be asked for by a " + std::string(to_string(what.what))};
  if (is_of_a_session(what))
    return Error{Code::misuse, "the request has parts that only a session may fill in"};
  PERDURE_TRY(check_limits(view_of(what)));
  const bool is_mail = request.verb == ControlVerb::signal || request.verb == ControlVerb::message;
  return is_mail ? check_mail(request) : check_word(request);
}

Result<core::Bytes> encode_request(const ControlRequest& request) {
  PERDURE_TRY(check_request(request));
  return framed(static_cast<std::uint16_t>(request.verb), view_of(request.what));
}

core::Bytes encode_reply(const ControlReply& reply) {
  ArrivalRow row;
  row.what = What::reply;
  row.why = reply.words;
  row.run = reply.run;
  if (reply.error) row.error = view_of(*reply.error);
  return framed(reply.error ? kRefused : kDone, row);
}

Result<ControlHeader> read_header(core::ByteView bytes) {
  if (bytes.size() < kControlHeaderBytes)
    return Error{Code::corrupt, "a frame has a header of " + std::to_string(kControlHeaderBytes) +
                                    " bytes, and " + std::to_string(bytes.size()) + " came"};
  const ControlHeader header{static_cast<std::uint32_t>(number_at(bytes, 0, 4)),
                             static_cast<std::uint16_t>(number_at(bytes, 4, 2)),
                             static_cast<std::uint16_t>(number_at(bytes, 6, 2))};
  if (header.version != kControlVersion)
    return Error{Code::newer_format,
                 "the other side speaks version " + std::to_string(header.version) +
                     " of the control protocol, this Perdure version " +
                     std::to_string(kControlVersion) +
                     ": use the perdure command of the version that the program was built with"};
  if (header.size > kControlBytesMax)
    return Error{Code::too_large, "a frame of " + std::to_string(header.size) +
                                      " bytes was announced, the limit is " +
                                      std::to_string(kControlBytesMax)};
  if (header.size <= kEnvelopeBytes)
    return Error{Code::corrupt, "a frame of " + std::to_string(header.size) +
                                    " bytes was announced, which holds no row"};
  return header;
}

Result<ControlRequest> decode_request(const ControlHeader& header, core::ByteView body) {
  RecordBuffer buffer;
  PERDURE_TRY(const ArrivalRow row, row_in(header, body, buffer));
  // Limits ahead of the copy: a path, say, has room for no more.
  PERDURE_TRY(check_limits(row));
  ControlRequest request{static_cast<ControlVerb>(header.verb), owned(row, 0)};
  PERDURE_TRY(check_request(request));
  return request;
}

Result<ControlReply> decode_reply(const ControlHeader& header, core::ByteView body) {
  RecordBuffer buffer;
  PERDURE_TRY(const ArrivalRow row, row_in(header, body, buffer));
  ControlReply reply{std::string(row.why), row.run, std::nullopt};
  if (row.error) reply.error = to_error(*row.error);
  if (row.what != What::reply || (header.verb == kRefused) != reply.error.has_value())
    return Error{Code::corrupt, "the answer contradicts itself"};
  return reply;
}

Result<ControlAddress> parse_address(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos)
    return Error{Code::misuse, "'" + std::string(text.substr(0, 80)) +
                                   "' is no address of a session: give agent/key"};
  ControlAddress address{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
  PERDURE_TRY(check_address(address.agent, address.key));
  return address;
}

}  // namespace perdure::journal
