/// The output gate: what leaves the process waits here until what it depends on is durable.
///
/// What this is: things that wait for a record number, released in the order of their numbers.
/// What it promises: `open` is called once the watermark has reached the number, never before; after a
/// fatal storage error `fail` is called instead, for what waits and for whatever comes later. Each
/// waiting thing gets exactly one of the two calls.
/// What it does not: run anything long. `open` hands over to a pool or an actor.
#pragma once

#include <perdure/error.hpp>

#include "journal/record.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace perdure::journal {

class Gated {
 public:
  virtual ~Gated() = default;
  virtual void open() noexcept = 0;
  virtual void fail(const Error& why) noexcept = 0;
};

/// Thread: any.
class Gate {
 public:
  /// Calls `thing` (here and now, when `number` is durable already).
  void when_durable(RecordNumber number, std::unique_ptr<Gated> thing);
  /// Everything up to `number` is durable. Numbers that are not news are ignored.
  void advance(RecordNumber number);
  /// Nothing more will become durable.
  void fail(const Error& why);
  [[nodiscard]] RecordNumber watermark() const;

 private:
  mutable std::mutex mutex_;
  RecordNumber watermark_ = 0;
  std::optional<Error> failure_;
  /// By number. Most arrivals are the highest yet, so insertion is at the end.
  std::multimap<RecordNumber, std::unique_ptr<Gated>> waiting_;
};

}  // namespace perdure::journal
