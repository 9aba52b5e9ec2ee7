/// The operator's end: an order to whoever has the journal, or into the journal itself.
///
/// What this is: one request to the socket CONTROL and its answer; and the choice between that and
/// a row in a journal that nobody has open.
/// What it promises: an order is given once. When it is not known whether it was taken (the runtime
/// went away before it answered), the error says so, and nothing is tried again. Every wait ends at
/// the deadline.
/// What it does not: give up early. A runtime that is just starting or stopping is waited for.
#pragma once

#include <perdure/result.hpp>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "journal/control_protocol.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace perdure::journal {

/// Gives `request` to the runtime that listens in `directory`, and waits for its answer until
/// `until` of `clock.elapsed`. Empty: nobody listens there. Errors: `timeout`; `closed` (it went
/// away without an answer); as `encode_request`, `decode_reply` and `connect_to_control`. What the
/// runtime refused is in the reply. Thread: any.
[[nodiscard]] Result<std::optional<ControlReply>> ask_runtime(
    const std::filesystem::path& directory, const ControlRequest& request, core::Clock& clock,
    core::Elapsed until);

enum class Delivery : std::uint8_t {
  answered,  ///< A runtime took the order.
  queued,    ///< It is a row in the journal.
};
struct Delivered {
  Delivery how = Delivery::answered;
  ControlReply reply;
};
struct DeliverOptions {
  /// How long somebody who holds the journal and does not listen is waited for, and how long an
  /// answer may take.
  std::chrono::milliseconds within = std::chrono::seconds(10);
};

/// Gives `request` to the runtime that has the journal in `directory` open, or queues it when
/// nobody has. Errors: `held` (somebody has it open, and takes no orders); as `ask_runtime` and
/// `queue_order`.
[[nodiscard]] Result<Delivered> deliver_order(const std::filesystem::path& directory,
                                              const ControlRequest& request, core::Clock& clock,
                                              core::Random& random, DeliverOptions options = {});

}  // namespace perdure::journal
