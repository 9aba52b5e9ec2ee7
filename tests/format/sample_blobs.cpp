#include "tests/format/sample_blobs.hpp"

#include <perdure/blob.hpp>
#include <perdure/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/limits.hpp"
#include "journal/blobs.hpp"
#include "journal/change.hpp"
#include "journal/reader.hpp"
#include "tests/format/checked.hpp"
#include "tests/format/payload_samples.hpp"
#include "tests/format/sample_run.hpp"

namespace perdure::format_test {
namespace {

using namespace journal;
using What = ArrivalRow::What;

constexpr std::size_t kThreshold = core::limits::kBlobThresholdBytes;
constexpr std::size_t kChunk = 1U << 20U;

template <class T>
Sample sample_of(const std::string& type, const T& value) {
  return {type, checked(encode(value))};
}

/// The session `large/s`, and its run.
class LargeSession {
 public:
  LargeSession(Store& store, journal::Writer& writer, core::ManualClock& clock,
               core::Random& random)
      : blobs_(*store.blobs()),
        writer_(writer),
        clock_(clock),
        random_(random),
        run_id_(core::draw_run_id(clock, random)),
        run_(run_id_, writer, clock, kThreshold) {}

  /// A run that completes: its input, results and reply.
  void complete() {
    clock_.advance(std::chrono::milliseconds(1));
    Run run(core::draw_run_id(clock_, random_), writer_, clock_, kThreshold);
    run.create("large", "completed", "start", text_sample(40'000));
    // On both sides of the threshold.
    for (std::uint32_t i = 0; i < 3; ++i)
      run.step({1, i}, "edge", sample_of("string", std::string(kThreshold - 5 + i, 'e')));
    run.step({2}, "noise", sample_of("vector<byte>", noise(70'000)));
    run.step({3}, "both", sample_of("vector<byte>", mixed()));
    run.step({4}, "the same", text_sample(40'000));
    run.step({5}, "several chunks", text_sample(2 * kChunk + 100'000));
    run.step({6}, "names", names());
    run.complete(names_in_a_blob());
  }
  void wait() {
    run_.create("large", "s", "start", text_sample(50'000));
    Change change(kThreshold);
    const Sample small = text_sample(kChunk - 20'000);
    const Sample large = text_sample(kChunk + 20'000);
    for (const auto& [name, value] : {std::pair("a row's", small), std::pair("a blob's", large)}) {
      const StateRow row{name, value.first, 0, value.second};
      change.put(Table::state, state_row(session_, name), row);
      change.put(Table::before, before_row(run_id_, name), row);
    }
    submit(std::move(change));
  }
  void come() {
    ArrivalRow message = arrival(What::message, "add");
    message.agent_version = 3;
    message.run = core::draw_run_id(clock_, random_);
    Change queued(kThreshold);
    queued.put(Table::runs, Key{}.add(*message.run),
               RunRow{session_, "large", 3, "add", "s", now(), 1});
    put(std::move(queued), Table::kept, message);
    put(Change(kThreshold), Table::kept, arrival(What::signal, "approval"));
    put(Change(kThreshold), Table::inbox, arrival(What::signal, "approval"));
    message.run = core::draw_run_id(clock_, random_);
    put(Change(kThreshold), Table::inbox, message);
  }
  /// What a crash between a blob and its record leaves.
  void leave_one() { static_cast<void>(checked(blobs_.put(noise(5'000), Durability::full))); }

 private:
  [[nodiscard]] Stamp now() const { return clock_.wall().time_since_epoch().count(); }
  [[nodiscard]] std::vector<std::byte> noise(std::size_t size) {
    std::vector<std::byte> bytes(size);
    random_.fill(bytes);
    return bytes;
  }
  /// A chunk that does not shrink, and one that does.
  [[nodiscard]] std::vector<std::byte> mixed() {
    std::vector<std::byte> bytes = noise(kChunk);
    bytes.resize(kChunk + kChunk / 2);
    return bytes;
  }
  [[nodiscard]] Blob blob_of(core::ByteView content) {
    const BlobRef ref = checked(blobs_.put(content, Durability::full));
    return {journal::to_string(ref.id), ref.bytes};
  }
  /// A payload that speaks of two blobs and of no content, and of what only looks like a blob.
  [[nodiscard]] Sample names() {
    return sample_of(
        "names", std::map<std::string, std::vector<Blob>>{
                     {"some", {blob_of(noise(3)), blob_of(noise(2'000)), Blob()}}, {"none", {}}});
  }
  [[nodiscard]] Sample names_in_a_blob() {
    const Blob blob = blob_of(mixed());
    return sample_of("names", std::pair(std::string(kThreshold, 'n'), blob));
  }
  [[nodiscard]] ArrivalRow arrival(What what, std::string_view name) const {
    ArrivalRow row;
    row.what = what;
    row.agent = "large";
    row.session_key = "s";
    row.name = name;
    row.stamp = now();
    row.type = mail_.first;
    row.payload = mail_.second;
    return row;
  }
  void put(Change&& change, Table table, const ArrivalRow& row) {
    change.put_numbered(table, Key{}.add(session_), row);
    submit(std::move(change));
  }
  void submit(Change&& change) {
    static_cast<void>(checked(writer_.submit(std::move(change), Admission::new_work)));
    writer_.commit_here();
    clock_.advance(std::chrono::milliseconds(3));
  }

  Blobs& blobs_;
  journal::Writer& writer_;
  core::ManualClock& clock_;
  core::Random& random_;
  const SessionId session_ = session_hash("large", "s");
  const RunId run_id_;
  Run run_;
  const Sample mail_ = text_sample(90'000);
};

}  // namespace

void write_blobs(Store& store, journal::Writer& writer, core::ManualClock& clock,
                 core::Random& random) {
  LargeSession session(store, writer, clock, random);
  session.complete();
  session.wait();
  session.come();
  session.leave_one();
}

}  // namespace perdure::format_test
