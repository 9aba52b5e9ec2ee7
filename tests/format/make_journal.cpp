// Makes the journals that the reader in Python is held against.
//
// usage: make_journal all JOURNAL   every kind of record, row and payload; closed cleanly
//        make_journal some JOURNAL  a little of it
//        make_journal blobs JOURNAL what of it is in blobs
//        make_journal hold JOURNAL LOG_BYTES
//                                   that, or the journal that is there, left open, its log
//                                   limited to so many bytes. Then it does what the lines of
//                                   standard input say, and says `done` after each: `write N` adds
//                                   as many records, each in a commit of its own; `large N` one of
//                                   that many bytes; `checkpoint N` brings everything into the
//                                   tables but N records that are added meanwhile. At the end of
//                                   its input it closes cleanly, which is only in the log then.
//        make_journal payload       the payload that the page spells out, in hexadecimal
//        make_journal hashes        XXH3 of inputs of many lengths
#include <perdure/error.hpp>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/random.hpp"
#include "journal/directory.hpp"
#include "journal/gate.hpp"
#include "journal/reader.hpp"
#include "journal/step_path.hpp"
#include "journal/writer.hpp"
#include "tests/format/checked.hpp"
#include "tests/format/held_journal.hpp"
#include "tests/format/payload_samples.hpp"
#include "tests/format/sample_blobs.hpp"
#include "tests/format/sample_run.hpp"
#include "tests/format/sample_sagas.hpp"
#include "tests/format/sample_session.hpp"
#include "tests/format/sample_user_rows.hpp"

namespace perdure::format_test {
namespace {

using namespace journal;
using Path = Run::Path;

Error error_of(Code code, std::string message) {
  Error error;
  error.code = code;
  error.message = std::move(message);
  return error;
}

/// Everything that a journal can hold.
class Maker {
 public:
  Maker(JournalForWriting& journal, core::ManualClock& clock, core::Random& random)
      : clock_(clock),
        random_(random),
        journal_(journal),
        writer_(journal.store(), gate_, WriterOptions{.last_number = journal.last_number()}) {}

  void some() {
    plain_runs(20);
    effects();
    waiting();
    parked();
    budgets();
    write_sessions(writer_, clock_, random_);
    write_sagas(writer_, clock_, random_);
    write_user_rows(writer_);
  }
  void blobs() { write_blobs(journal_.store(), writer_, clock_, random_); }
  void all() {
    plain_runs(300);
    payloads();
    sizes();
    failures();
    effects();
    paths();
    waiting();
    parked();
    budgets();
    keys();
    write_sessions(writer_, clock_, random_);
    write_sagas(writer_, clock_, random_);
    blobs();
    write_user_rows(writer_);
  }
  Run start(const std::string& agent, const std::string& key, const std::string& message = "start",
            const Sample& input = {"void", {}}) {
    Run run = draw();
    run.create(agent, key, message, input);
    return run;
  }
  Run draw() {
    clock_.advance(std::chrono::milliseconds(1));
    return Run(core::draw_run_id(clock_, random_), writer_, clock_);
  }
  void plain_runs(int count) {
    for (int i = 0; i < count; ++i) {
      Run run = start("trip", "Größe/" + std::to_string(++plain_) + "-東京");
      run.step({1}, "book", text_sample(static_cast<std::size_t>(i % 40)));
      run.complete({"void", {}});
    }
  }
  void close() {
    const RecordNumber last = writer_.last_number();
    check(writer_.stop());
    check(journal_.close_cleanly(last, clock_.wall().time_since_epoch().count()));
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
    for (std::uint16_t code = 1; code <= static_cast<std::uint16_t>(Code::saga_stuck); ++code) {
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
      const Sample progress = text_sample(step % 4 * 500);
      if (step % 4 != 0) row.progress = progress.second;
      row.asks = step % 3;
      row.asked_ms = step % 3 * 1000;
      row.spent_ms = step % 2 * 77;
      run.attempts(row, RunStatus::waiting);
    }
  }
  void parked() {
    start("parked", "long").park(Code::diverged, std::string(16'383, 'r') + "öö");
    start("parked", "bare").park(Code::suspected_crash, "");
  }
  /// A run with limits, one that it called, which has others, one that draws on both, and one
  /// without limits that used something.
  void budgets() {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    Run first = draw();
    first.create("budget", "first", "start", {"void", {}}, {first.id()});
    const Stamp created = first.now() - 3000;
    first.budget({{.money = 5'000'000, .tokens = 0, .gpu_us = kMost, .attempts = 7, .wall_us = 1},
                  1,
                  created});
    first.usage(first.id(), {{1, 2, 3, 4}, {5, 6, 7, 8}, {0, 2, 0, 0}});
    Run second = draw();
    second.create("budget", "second", "start", {"void", {}}, {second.id(), first.id()});
    second.budget({{.tokens = 9}, 0, second.now() - 3000, "größe", second.now()});
    Run third = draw();
    third.create("budget", "third", "start", {"void", {}}, {second.id(), first.id()});
    for (const RunId& payer : {second.id(), first.id()})
      third.usage(payer, {{.tokens = 100, .attempts = 1}, {}, {.tokens = 100}});
    Run free = draw();
    free.create("budget", "free", "start", {"void", {}});
    free.usage(free.id(), {{.money = 1'234'567}, {.gpu_us = 1}, {}});
    for (Run* const run : {&first, &second, &third, &free}) run->complete({"void", {}});
  }
  void keys() {
    start(std::string(256, 'n'), std::string(1024, 'k'), std::string(1024, 'm'));
    start("keys", "", "");
    start("keys", "no \xff utf-8", "\xf0\x9f\x98\x80");
    for (std::size_t size = 1; size < 300; size += 13)
      start("keys", std::string(size, 'l'), std::string(size, 'w'));
  }

  core::ManualClock& clock_;
  core::Random& random_;
  JournalForWriting& journal_;
  Gate gate_;
  Writer writer_;
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

void make(const std::string& path, void (Maker::*fill)()) {
  core::ManualClock clock;
  core::SeededRandom random(11);
  const auto journal = checked(JournalForWriting::open(path, clock, random));
  Maker maker(*journal, clock, random);
  (maker.*fill)();
  maker.close();
}

void hold(const std::string& path, std::uint64_t log_bytes) {
  if (!std::filesystem::exists(path + "/CURRENT")) make(path, &Maker::some);
  core::ManualClock clock;
  core::SeededRandom opened(12);
  HeldJournal held(path, clock, opened, log_bytes);
  // Each opening draws other runs.
  const RecordNumber last = held.journal().last_number();
  core::SeededRandom random(last);
  Maker maker(held.journal(), clock, random);
  Run live = maker.start("live", std::to_string(last));
  std::uint32_t step = 0;
  const auto write = [&](std::uint32_t count, std::size_t bytes) {
    for (; count > 0; --count) live.step({++step}, "live", text_sample(bytes));
  };
  constexpr std::size_t kSmall = 30;
  std::cout << "done" << std::endl;
  std::string word;
  for (std::uint32_t number = 0; std::cin >> word >> number;) {
    if (word == "write") write(number, kSmall);
    if (word == "large") write(1, number);
    if (word == "checkpoint") held.checkpoint([&] { write(number, kSmall); });
    std::cout << "done" << std::endl;
  }
  maker.close();
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
  if (words.size() == 2 && (words[0] == "all" || words[0] == "some" || words[0] == "blobs")) {
    make(words[1], words[0] == "all"    ? &Maker::all
                   : words[0] == "some" ? &Maker::some
                                        : &Maker::blobs);
    return 0;
  }
  if (words.size() == 3 && words[0] == "hold") {
    hold(words[1], std::stoull(words[2]));
    return 0;
  }
  std::cerr
      << "usage: make_journal all|some|blobs JOURNAL | hold JOURNAL LOG_BYTES | payload | hashes\n";
  return 2;
}

}  // namespace
}  // namespace perdure::format_test

int main(int count, char** words) { return perdure::format_test::run({words + 1, words + count}); }
