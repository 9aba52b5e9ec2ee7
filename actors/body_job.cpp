#include "actors/body_job.hpp"

#include "core/crash_point.hpp"
#include "core/limits.hpp"

#include <algorithm>

namespace perdure::actors {
namespace {

using namespace std::chrono;

/// What the deadline makes of a body's own outcome: a value stands, a failure becomes `timeout`.
detail::BodyResult after_deadline(detail::BodyResult result, milliseconds timeout) {
  if (result.has_value()) return result;
  const Error& own = result.assume_error();
  Error error{Code::timeout, "the step's timeout of " + std::to_string(timeout.count()) +
                                 " ms had passed when its body returned: " + own.to_string()};
  // What the body's own code implies must not be lost with the code.
  error.effect = own.known_effect();
  return error;
}

}  // namespace

detail::BodyResult within_limits(detail::BodyResult result) {
  if (result.has_value()) {
    if (result.assume_value().size() <= core::limits::kPayloadBytes) return result;
    return Error{Code::too_large, "the step's result has " +
                                      std::to_string(result.assume_value().size()) +
                                      " bytes, more than the limit of " +
                                      std::to_string(core::limits::kPayloadBytes) +
                                      ": write it as a pd::Blob, piece by piece"};
  }
  if (std::string& message = result.assume_error().message;
      message.size() > core::limits::kErrorMessageBytes)
    message.resize(core::limits::kErrorMessageBytes);
  return result;
}

void keep_large(BodyCompletion& completion, const LargeContent& large) {
  if (completion.result.has_error()) return;
  const Bytes& value = completion.result.assume_value();
  if (value.size() <= large.inline_bytes_max) return;
  Result<journal::BlobRef> kept = large.writer.keep(value, journal::Admission::under_way);
  if (kept.has_value()) {
    completion.blob = kept.assume_value();
  } else {
    completion.lost = std::move(kept).assume_error();
  }
}

BodyJob::BodyJob(BodyOrder order, std::shared_ptr<CompletionSink> sink, Timers& timers,
                 core::Clock& clock, LargeContent large)
    : order_(std::move(order)),
      sink_(std::move(sink)),
      timers_(timers),
      clock_(clock),
      large_(large) {}

BodyJob::~BodyJob() {
  if (done_) return;
  BodyCompletion completion;
  completion.address = std::move(order_.address);
  completion.never_ran = true;
  sink_->completed(std::move(completion), RunOn::caller);
}

/// What it read goes with a failure too: that may have come of rows that have changed since.
void BodyJob::end_transaction(StoredTransaction& transaction, BodyCompletion& completion) const {
  completion.transacted = std::make_shared<Transacted>(transaction.take());
  completion.stale_runs = order_.stale_runs;
  if (completion.transacted->broken && completion.result.has_value())
    completion.result = *completion.transacted->broken;
  if (completion.result.has_value()) return;
  completion.transacted->writes.clear();
  // Nothing of it is there, whatever went wrong.
  Error& error = completion.result.assume_error();
  if (!error.effect) error.effect = ErrorEffect::refused;
}

/// As keep_large, of rows.
void BodyJob::keep_large_rows(Transacted& transacted, BodyCompletion& completion) {
  if (completion.result.has_error()) return;
  const std::size_t most = std::max(large_.inline_bytes_max, core::limits::kInlineStateBytes);
  for (auto& [key, row] : transacted.writes) {
    if (!row.value || row.value->bytes.size() <= most) continue;
    Result<journal::BlobRef> kept =
        large_.writer.keep(row.value->bytes, journal::Admission::under_way);
    if (kept.has_error()) {
      completion.lost = std::move(kept).assume_error();
      return;
    }
    row.value->blob = kept.assume_value();
    row.value->shed();
  }
}

void BodyJob::run_by(BodyRunner* runner) noexcept {
  core::crash_point(core::CrashPoint::body_before);
  const milliseconds timeout = order_.leaf->options().timeout;
  Step::Facts facts{order_.address.run,
                    order_.address.path.to_string(),
                    &order_.leaf->name().text,
                    order_.address.attempt,
                    std::nullopt,
                    order_.stop.get_token(),
                    &large_.blobs};
  detail::Meter meter;
  facts.meter = &meter;
  std::shared_ptr<std::atomic<bool>> passed;
  std::optional<TimerId> timer;
  const core::Elapsed begun = clock_.elapsed();
  if (timeout > milliseconds::zero()) {
    facts.deadline = time_point_cast<system_clock::duration>(clock_.wall() + timeout);
    passed = std::make_shared<std::atomic<bool>>(false);
    timer = timers_.schedule(begun + timeout, [passed, stop = order_.stop]() mutable {
      passed->store(true);
      stop.request_stop();
    });
  }
  BodyCompletion completion;
  std::optional<StoredTransaction> transaction;
  if (order_.leaf->options().effect == Effect::transactional)
    facts.rows = &transaction.emplace(large_.rows);
  {
    Step step(std::move(facts));
    completion.result = runner != nullptr ? runner->run(order_, step) : order_.leaf->run(step);
  }
  if (transaction) end_transaction(*transaction, completion);
  if (timer) timers_.cancel(*timer);
  if (passed && passed->load())
    completion.result = after_deadline(std::move(completion.result), timeout);
  completion.charged = meter.read();
  completion.result = within_limits(std::move(completion.result));
  const core::Elapsed ended = clock_.elapsed();
  keep_large(completion, large_);
  if (completion.transacted) keep_large_rows(*completion.transacted, completion);
  completion.busy_us = duration_cast<microseconds>(ended - begun).count();
  completion.address = std::move(order_.address);
  if (runner != nullptr) runner->ended(completion);
  done_ = true;
  core::crash_point(core::CrashPoint::body_after);
  sink_->completed(std::move(completion), RunOn::caller);
}

}  // namespace perdure::actors
