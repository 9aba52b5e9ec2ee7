// Rows from a hostile journal: the body behind a good envelope, and values without one.
#include "journal/record.hpp"
#include "journal/session_rows.hpp"
#include "tests/fuzz/property.hpp"

#include <cstdint>
#include <span>

namespace perdure::fuzz {
namespace {

using journal::RecordBuffer;

const core::ByteView kKey = core::as_bytes(std::string_view("key"));

/// `body` as it lies behind an envelope that holds.
core::Bytes sealed(journal::Kind kind, core::ByteView body) {
  core::Bytes value(journal::kEnvelopeBytes);
  value.insert(value.end(), body.begin(), body.end());
  journal::seal(kKey, value, kind, 7);
  return value;
}

template <class T>
core::Bytes encoded(const T& row) {
  core::Bytes value(journal::kEnvelopeBytes);
  journal::encode_body(row, value);
  journal::seal(kKey, value, T::kKind, 7);
  return value;
}

/// What reads as a `T` can be written, and reads and writes the same from then on.
template <class T>
void read_write_read(core::ByteView body) {
  RecordBuffer buffer;
  const Result<void> loaded = buffer.load(kKey, sealed(T::kKind, body));
  require(loaded.has_value(), "an envelope that was just sealed holds");
  const Result<T> row = buffer.as<T>();
  if (row.has_error()) {
    require(row.error().code == Code::corrupt || row.error().code == Code::newer_format,
            "a bad body is damage or newer", row.error().message);
    return;
  }
  (void)journal::check_limits(row.value());
  const core::Bytes once = encoded(row.value());
  RecordBuffer again;
  require(again.load(kKey, once).has_value(), "what was written can be loaded");
  const Result<T> second = again.as<T>();
  require(second.has_value(), "what was written can be read",
          second.has_error() ? second.error().message : "");
  require(encoded(second.value()) == once, "it is written the same again");
}

void read_raw(core::ByteView value) {
  RecordBuffer buffer;
  if (buffer.load(kKey, value).has_error()) return;
  (void)buffer.as<journal::RunCreated>();
  (void)buffer.as<journal::StepResult>();
  (void)buffer.as<journal::HeadRow>();
}

using Read = void (*)(core::ByteView);
constexpr Read kReads[] = {
    &read_raw,
    &read_write_read<journal::RunCreated>,
    &read_write_read<journal::StepStarted>,
    &read_write_read<journal::StepResult>,
    &read_write_read<journal::RunEnded>,
    &read_write_read<journal::Identity>,
    &read_write_read<journal::Counters>,
    &read_write_read<journal::SessionRow>,
    &read_write_read<journal::MessageKeyRow>,
    &read_write_read<journal::RunRow>,
    &read_write_read<journal::HeadRow>,
    &read_write_read<journal::ReadyRow>,
    &read_write_read<journal::DueRow>,
    &read_write_read<journal::AttemptsRow>,
    &read_write_read<journal::Checkpoint>,
    &read_write_read<journal::VersionMark>,
    &read_write_read<journal::CancelRequested>,
    &read_write_read<journal::ArrivalRow>,
    &read_write_read<journal::OpenRow>,
    &read_write_read<journal::WaitRow>,
    &read_write_read<journal::StateRow>,
    &read_write_read<journal::ChildRow>,
    &read_write_read<journal::UserRow>,
    &read_write_read<journal::BudgetRow>,
    &read_write_read<journal::UsageRow>,
    &read_write_read<journal::SagaAborted>,
    &read_write_read<journal::SagaRow>,
    &read_write_read<journal::UndoRow>,
    &read_write_read<journal::UndoStateRow>,
};

}  // namespace
}  // namespace perdure::fuzz

/// The first byte chooses the kind of row, the rest is its body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace perdure;
  if (size == 0) return 0;
  const core::ByteView body = std::as_bytes(std::span(data, size)).subspan(1);
  fuzz::kReads[data[0] % std::size(fuzz::kReads)](body);
  return 0;
}
