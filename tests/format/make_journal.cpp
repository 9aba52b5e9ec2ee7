// Makes the journals that the reader in Python is held against.
//
// usage: make_journal all JOURNAL   every kind of record, row and payload; closed cleanly
//        make_journal hold JOURNAL  the same, left open. Then each number on standard input has
//                                   as many records added, each in a commit of its own; `done`
//                                   says so. It ends with its input.
//        make_journal payload       the payload that the page spells out, in hexadecimal
//        make_journal hashes        XXH3 of inputs of many lengths
#include <perdure/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/random.hpp"
#include "journal/directory.hpp"
#include "journal/gate.hpp"
#include "journal/reader.hpp"
#include "journal/step_path.hpp"
#include "journal/writer.hpp"
#include "tests/format/payload_samples.hpp"

namespace perdure::format_test {
namespace {

using namespace journal;
using Path = std::vector<std::uint32_t>;

template <class T>
T checked(Result<T> result) {
  if (result.has_value()) return std::move(result).assume_value();
  std::cerr << result.error().message << '\n';
  std::exit(1);
}
void check(const Result<void>& result) {
  if (result.has_value()) return;
  std::cerr << result.error().message << '\n';
  std::exit(1);
}

Error error_of(Code code, std::string message) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  return error;
}

/// One run, as a runtime writes it: its rows and records in changes of its own.
class Run {
 public:
  Run(RunId id, Writer& writer, core::ManualClock& clock)
      : id_(id), writer_(writer), clock_(clock) {}

  void create(const std::string& agent, const std::string& key, const std::string& message,
              const Sample& input) {
    const SessionId session = session_hash(agent, key);
    Change change;
    change.put(Table::sessions, Key{}.add(session), SessionRow{agent, key, now()});
    change.put(Table::keys, message_key_row(session, message), MessageKeyRow{message, id_});
    change.put(Table::runs, Key{}.add(id_), RunRow{session, agent, 3, "main", key, now()});
    change.put(Table::ready, Key{}.add(id_), ReadyRow{session});
    append(change, RunCreated{agent, 3, "main", key, message, input.first, input.second,
                              0xFEDC'BA98'7654'3210ULL + count_, now()});
    finish(std::move(change), RunStatus::running);
  }
  void started(const Path& path, const std::string& name, EffectClass effect,
               std::uint32_t attempt) {
    Change change;
    append(change, StepStarted{path, name, effect, attempt, now()});
    finish(std::move(change), RunStatus::running);
  }
  void step(const Path& path, const std::string& name, const Sample& result) {
    Change change;
    append(change, result_of(path, name, result));
    finish(std::move(change), RunStatus::running);
  }
  /// Many results in one change.
  void steps(const std::vector<Sample>& results) {
    Change change;
    std::uint32_t number = 0;
    for (const Sample& result : results) append(change, result_of({++number}, "sample", result));
    finish(std::move(change), RunStatus::running);
  }
  void failed_step(const Path& path, const std::string& name, const Error& error,
                   std::uint32_t attempts) {
    Change change;
    StepResult record;
    record.path = path;
    record.name = name;
    record.type = "void";
    record.attempts = attempts;
    record.stamp = now();
    record.error = view_of(error);
    append(change, record);
    finish(std::move(change), RunStatus::running);
  }
  void attempts(const AttemptsRow& row, RunStatus status) {
    const StepPath path(row.path);
    Change change;
    change.put(Table::attempts, Key{}.add(id_).add(path.hash()), row);
    if (row.next_due != 0)
      change.put(Table::due, due_row(row.next_due, id_, path),
                 DueRow{DueRow::What::retry, row.path});
    if (status == RunStatus::waiting) change.erase(Table::ready, Key{}.add(id_));
    finish(std::move(change), status);
  }
  void park(Code code, const std::string& reason) { finish({}, RunStatus::parked, code, reason); }
  void complete(const Sample& reply) {
    end(RunStatus::completed, {now(), reply.first, std::nullopt, reply.second});
  }
  void fail(const Error& error, RunStatus status) {
    end(status, {now(), "void", view_of(error), {}});
  }
  [[nodiscard]] Stamp now() const { return clock_.wall().time_since_epoch().count(); }

 private:
  StepResult result_of(const Path& path, const std::string& name, const Sample& result) const {
    StepResult record;
    record.path = path;
    record.name = name;
    record.type = result.first;
    record.stamp = now();
    record.busy_us = 1500 + count_;
    record.payload = result.second;
    return record;
  }
  template <class T>
  void append(Change& change, const T& record) {
    change.append(id_, count_++, record);
  }
  void end(RunStatus status, const RunEnded& record) {
    Change change;
    append(change, record);
    change.erase(Table::ready, Key{}.add(id_));
    finish(std::move(change), status);
  }
  void finish(Change&& change, RunStatus status, Code code = Code::user,
              const std::string& reason = "") {
    change.put(Table::records, Key{}.add(id_).add(kHeadIndex),
               HeadRow{count_, status, now(), code, reason});
    static_cast<void>(checked(writer_.submit(std::move(change), Admission::new_work)));
    writer_.commit_here();
    clock_.advance(std::chrono::milliseconds(3));
  }

  RunId id_;
  Writer& writer_;
  core::ManualClock& clock_;
  std::uint32_t count_ = 0;
};

/// Everything that a journal can hold.
class Maker {
 public:
  explicit Maker(const std::string& path)
      : journal_(checked(JournalForWriting::open(path, clock_, random_))),
        writer_(std::make_unique<Writer>(journal_->store(), gate_,
                                         WriterOptions{.last_number = journal_->last_number()})) {}

  void all() {
    plain_runs(300);
    payloads();
    sizes();
    failures();
    effects();
    paths();
    waiting();
    parked();
    keys();
  }
  Run start(const std::string& agent, const std::string& key, const std::string& message = "start",
            const Sample& input = {"void", {}}) {
    clock_.advance(std::chrono::milliseconds(1));
    Run run(core::draw_run_id(clock_, random_), *writer_, clock_);
    run.create(agent, key, message, input);
    return run;
  }
  void plain_runs(int count) {
    for (int i = 0; i < count; ++i) {
      Run run = start("trip", "Größe/" + std::to_string(++plain_) + "-東京");
      run.step({1}, "book", text_sample(static_cast<std::size_t>(i % 40)));
      run.complete({"void", {}});
    }
  }
  void close() {
    const RecordNumber last = writer_->last_number();
    check(writer_->stop());
    check(journal_->close_cleanly(last, clock_.wall().time_since_epoch().count()));
  }

 private:
  void payloads() {
    for (const Sample& sample : typed_samples()) {
      Run run = start("types", sample.first + std::to_string(++plain_), "start", sample);
      run.complete(sample);
    }
    std::vector<Sample> drawn;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) drawn.push_back(random_sample(seed));
    start("random", "one").steps(drawn);
  }
  /// On both sides of the sizes at which a value leaves its page, and its pages.
  void sizes() {
    Run run = start("sizes", "all");
    std::vector<std::size_t> sizes{0, 1, 3'900, 4'050, 8'100, 8'200, 65'500, 65'600, 3'000'000};
    for (std::size_t size = 1'700; size < 2'000; size += 7) sizes.push_back(size);
    std::uint32_t number = 0;
    for (const std::size_t size : sizes) run.step({++number}, "size", text_sample(size));
    run.complete(text_sample(20'000));
  }
  void failures() {
    Run run = start("failing", "all codes");
    for (std::uint16_t code = 1; code <= static_cast<std::uint16_t>(Code::unsupported); ++code) {
      Error error = error_of(static_cast<Code>(code), code % 5 == 0 ? "" : "it failed: ещё раз");
      if (code % 3 != 0) error.retryable = code % 3 == 1;
      if (code % 4 != 0) error.effect = static_cast<ErrorEffect>(code % 3);
      if (code % 2 != 0) error.retry_after = std::chrono::milliseconds(code * 1000 - 3000);
      run.failed_step({code}, "fail", error, code);
    }
    run.failed_step({99}, "talkative", error_of(Code::user, std::string(20'000, 'x') + "ö"), 1);
    run.fail(error_of(Code::refused, "no seats left"), RunStatus::failed);
    start("failing", "cancelled").fail(error_of(Code::cancelled, "enough"), RunStatus::cancelled);
  }
  void effects() {
    Run run = start("effects", "all");
    for (std::uint8_t effect = 1; effect <= 5; ++effect) {
      run.started({effect}, "pay", static_cast<EffectClass>(effect), effect);
      run.step({effect}, "pay", text_sample(2));
    }
    run.started({6}, "pay once", EffectClass::at_most_once, 1);
  }
  void paths() {
    Run run = start("paths", "deep");
    Path path;
    for (std::uint32_t depth = 1; depth <= 64; ++depth) {
      path.push_back(depth * 70'001 % 4'096);
      run.step(path, "deep", {"void", {}});
    }
    const Error error = error_of(Code::timeout, "too deep");
    AttemptsRow row;
    row.path = path;
    row.name = "deep";
    row.count = 1;
    row.first_error = view_of(error);
    run.attempts(row, RunStatus::running);
  }
  void waiting() {
    Run run = start("waiting", "for a retry");
    const Error first = error_of(Code::timeout, "the hotel did not answer");
    Error last = error_of(Code::exception, "connection reset");
    last.effect = ErrorEffect::happened;
    for (std::uint32_t step = 1; step <= 40; ++step) {
      const Path path{step, step % 3, 7};
      AttemptsRow row;
      row.path = path;
      row.name = "book room";
      row.count = step;
      row.unclean_ends = step % 3;
      row.first_error = view_of(first);
      if (step % 2 == 0) row.last_error = view_of(last);
      row.last_stamp = run.now();
      row.next_due = run.now() + step * 1'000'000;
      run.attempts(row, RunStatus::waiting);
    }
  }
  void parked() {
    start("parked", "long").park(Code::diverged, std::string(16'383, 'r') + "öö");
    start("parked", "bare").park(Code::suspected_crash, "");
  }
  void keys() {
    start(std::string(256, 'n'), std::string(1024, 'k'), std::string(1024, 'm'));
    start("keys", "", "");
    start("keys", "no \xff utf-8", "\xf0\x9f\x98\x80");
    for (std::size_t size = 1; size < 300; size += 13)
      start("keys", std::string(size, 'l'), std::string(size, 'w'));
  }

  core::ManualClock clock_;
  core::SeededRandom random_{11};
  std::unique_ptr<JournalForWriting> journal_;
  Gate gate_;
  std::unique_ptr<Writer> writer_;
  int plain_ = 0;
};

void print_hashes() {
  core::Bytes input(3'000);
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = static_cast<std::byte>(i * 2'654'435'761U >> 16U);
  for (const std::uint64_t seed : {0ULL, 1ULL, 0x9E37'79B9'7F4A'7C15ULL}) {
    for (std::size_t size = 0; size < input.size(); size += size < 1'100 ? 1 : 61) {
      const core::ByteView bytes = core::ByteView(input).first(size);
      const core::Hash128 wide = core::hash128(bytes, seed);
      std::printf("%zu %llu %016llx %016llx%016llx\n", size, static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(core::checksum(bytes, seed)),
                  static_cast<unsigned long long>(wide.high),
                  static_cast<unsigned long long>(wide.low));
    }
  }
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 1 && words[0] == "hashes") {
    print_hashes();
    return 0;
  }
  if (words.size() == 1 && words[0] == "payload") {
    std::cout << core::to_hex(page_sample().second) << '\n';
    return 0;
  }
  if (words.size() != 2 || (words[0] != "all" && words[0] != "hold")) {
    std::cerr << "usage: make_journal all|hold JOURNAL | payload | hashes\n";
    return 2;
  }
  Maker maker(words[1]);
  maker.all();
  if (words[0] == "hold") {
    Run live = maker.start("live", "one");
    std::cout << "done" << std::endl;
    for (std::uint32_t commits = 0; std::cin >> commits;) {
      for (; commits > 0; --commits) live.step({commits}, "live", text_sample(30));
      std::cout << "done" << std::endl;
    }
  }
  maker.close();
  return 0;
}

}  // namespace
}  // namespace perdure::format_test

int main(int count, char** words) { return perdure::format_test::run({words + 1, words + count}); }
