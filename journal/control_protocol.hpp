/// What an operator tells a runtime, and what it answers: as values and as bytes.
///
/// What this is: requests and replies of the socket CONTROL, each a length-prefixed frame around a
/// sealed ArrivalRow. So bounds, checksum and verification are those of rows (record.hpp).
/// What it promises: bytes of any kind become a request that keeps the rules below, or an error
/// that says what is wrong with them; a frame of another version is told by its header alone.
/// What it does not: read or write sockets (control_socket.hpp, control_client.hpp).
///
/// A frame, little-endian: u32 size of what follows the header, u16 version of the protocol, u16
/// verb (of a reply: 0 done, 1 refused); then the row, sealed under the key `control`. The header
/// stays as it is in all versions.
#pragma once

#include <perdure/result.hpp>

#include "core/bytes.hpp"
#include "journal/arrival.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::journal {

inline constexpr std::uint16_t kControlVersion = 1;
inline constexpr std::size_t kControlHeaderBytes = 8;
/// What may follow the header.
inline constexpr std::size_t kControlBytesMax = kEnvelopeBytes + kBodyBytesMax;

/// Numbers are never reused.
enum class ControlVerb : std::uint16_t {
  retry_now = 1,   ///< Steps of the run that wait for their next attempt begin it.
  resume = 2,      ///< The run is parked, and is to go on.
  cancel = 3,      ///< The run is asked to end.
  kill = 4,        ///< The run ends without being asked.
  signal = 5,      ///< A signal for a session.
  message = 6,     ///< A message for a session, which makes a run.
  raise = 7,       ///< The budget of the run gets higher limits.
  compensate = 8,  ///< Sagas of the run are aborted: `saga`, or all that are open.
};
/// `"retry-now"` and so on, as the command has it.
[[nodiscard]] std::string_view to_string(ControlVerb verb) noexcept;
[[nodiscard]] ArrivalRow::What row_of(ControlVerb verb) noexcept;

struct ControlRequest {
  ControlVerb verb = ControlVerb::signal;
  /// Its `what` is `row_of(verb)`. Of a signal and a message: `agent`, `session_key`, `name`,
  /// `payload` and `message_key`; of the others `run`, and `who`, `why` and `grace_ms`; of a raise
  /// `limits`; of a compensate `saga`; a cancel and a kill may have all sagas there, to abort them.
  Arrival what;
};

struct ControlReply {
  std::string words;                ///< What happened, for a person.
  std::optional<RunId> run = {};    ///< The run that it is about.
  std::optional<Error> error = {};  ///< Set: nothing happened, and why.
};

/// Whether the request keeps the rules: the fields that its verb needs and no others, well-formed
/// names and payload, all limits. Errors: `misuse`, `too_large`, `undecodable`, naming the field.
[[nodiscard]] Result<void> check_request(const ControlRequest& request);

/// A whole frame. Errors: as `check_request`.
[[nodiscard]] Result<core::Bytes> encode_request(const ControlRequest& request);
[[nodiscard]] core::Bytes encode_reply(const ControlReply& reply);

struct ControlHeader {
  std::uint32_t size = 0;
  std::uint16_t version = 0;
  std::uint16_t verb = 0;
};
/// `bytes` are kControlHeaderBytes. Errors: `newer_format` for another version, naming both;
/// `too_large`; `corrupt` for a size that no row has.
[[nodiscard]] Result<ControlHeader> read_header(core::ByteView bytes);
/// `body` is what followed the header. Errors: as `check_request`; `corrupt`, `newer_format`.
[[nodiscard]] Result<ControlRequest> decode_request(const ControlHeader& header,
                                                    core::ByteView body);
/// Errors: `corrupt`, `newer_format`.
[[nodiscard]] Result<ControlReply> decode_reply(const ControlHeader& header, core::ByteView body);

/// `agent/key` as an address. Errors: `misuse` without a '/', or with an empty or malformed part.
struct ControlAddress {
  std::string agent;
  std::string key;
};
[[nodiscard]] Result<ControlAddress> parse_address(std::string_view text);

}  // namespace perdure::journal
