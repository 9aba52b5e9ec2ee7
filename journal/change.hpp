/// Changes: what one act adds to the journal, as a whole.
///
/// What this is: the rows and records that must become true together (a step's result and the run's
/// head, say), encoded and waiting for the writer to number and seal them.
/// What it promises: a change is committed whole, in one batch. Nothing in it can fail its batch:
/// limits are checked as it is built, and a value that breaks one makes the whole change refused.
/// A payload that is larger than the owner wants in the tables is a blob's: the change has the
/// reference in its row, and the content beside it until the writer has put it where blobs are.
/// A change may carry preconditions: the writer takes it only if they hold as it is numbered.
#pragma once

#include "journal/payload.hpp"
#include "journal/recent_writes.hpp"
#include "journal/record.hpp"
#include "journal/store.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace perdure::journal {

/// Content that is not there yet, and that rows of a change refer to.
struct NewBlob {
  BlobRef ref;
  core::Bytes content;
};

/// Thread: one at a time.
class Change {
 public:
  /// Makes no blobs.
  Change() = default;
  /// Payloads above `inline_bytes_max` become blobs, those of state and of users' rows only above
  /// limits::kInlineStateBytes too.
  explicit Change(std::size_t inline_bytes_max) : inline_bytes_max_(inline_bytes_max) {}

  /// A record of `run` at `index`. Takes a record number of its own.
  template <class T>
  void append(const RunId& run, std::uint32_t index, const T& record) {
    if (index >= core::limits::kRecordsPerRun) return refuse(too_many_records());
    add(Table::records, Key{}.add(run).add(index), record, Numbered::yes);
  }
  /// A row whose key is `key` and the row's own number, which it takes as a record does.
  template <class T>
  void put_numbered(Table table, Key key, const T& row) {
    add(table, key.add(std::uint64_t{0}), row, Numbered::in_key);
  }
  template <class T>
  void put(Table table, const Key& key, const T& row) {
    add(table, key, row, Numbered::no);
  }
  void erase(Table table, const Key& key);
  /// Makes `payload` a blob of this change, if it is large enough and is none yet: for who uses it
  /// again in others.
  void place(Payload& payload);

  /// The writer refuses the change unless this holds. Sealed.
  void require(Precondition precondition) {
    precondition_ = std::make_unique<const Precondition>(std::move(precondition));
  }
  /// The same of what no table says. `holds` is asked under the lock under which changes are
  /// numbered: it is short, and does not call the writer.
  void require(std::function<bool()> holds) {
    condition_ = std::make_unique<const std::function<bool()>>(std::move(holds));
  }
  /// What of all that was numbered, up to `last`, stands against its preconditions.
  [[nodiscard]] std::optional<RecordNumber> conflict(const RecentWrites& recent,
                                                     RecordNumber last) const {
    if (condition_ && !(*condition_)()) return last;
    return precondition_ ? recent.conflict(*precondition_) : std::nullopt;
  }
  /// It got `number`: what it writes that others may have read is no longer as they read it.
  void note_in(RecentWrites& recent, RecordNumber number) const {
    if (!writes_watched_) return;
    for (const Part& part : parts_)
      if (is_watched(part.table)) recent.note(part.table, part.key, number);
  }

  /// What is to be put where blobs are before the change is committed.
  [[nodiscard]] const std::vector<NewBlob>& blobs() const noexcept { return blobs_; }
  /// It was. Their content goes.
  void blobs_are_put() noexcept { blobs_.clear(); }
  /// Why the writer will not take this change: `too_large`, of the first value that broke a limit.
  /// The change then holds nothing, and takes nothing more.
  [[nodiscard]] const std::optional<Error>& refusal() const noexcept { return refusal_; }

  [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }
  /// How many numbers it takes.
  [[nodiscard]] std::size_t records() const noexcept { return records_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return arena_.size(); }

 private:
  friend class Batch;
  enum class Numbered : std::uint8_t { no, yes, in_key };
  struct Part {
    Table table;
    Mutation::Kind what;
    Numbered numbered;
    Kind kind;
    Key key;
    std::size_t offset;
    std::size_t size;
  };
  template <class T>
  void add(Table table, const Key& key, const T& value, Numbered numbered) {
    if (refusal_) return;
    if constexpr (requires { value.payload; }) {
      if (is_too_large(value.payload, limit_of<T>())) {
        T placed = value;
        placed.payload =
            new_blob(core::Bytes(value.payload.inlined().begin(), value.payload.inlined().end()));
        return add(table, key, placed, numbered);
      }
    }
    if (Result<void> kept = check_limits(value); !kept) return refuse(std::move(kept).error());
    if (parts_.empty()) make_room();
    writes_watched_ |= is_watched(table);
    // On 8 bytes, as FlatBuffers want to be read (sealed_head_stamp).
    const std::size_t offset = (arena_.size() + 7) & ~std::size_t{7};
    arena_.resize(offset + kEnvelopeBytes);
    encode_body(value, arena_);
    parts_.push_back(
        {table, Mutation::Kind::put, numbered, T::kKind, key, offset, arena_.size() - offset});
    if (numbered != Numbered::no) ++records_;
  }

  template <class T>
  [[nodiscard]] std::size_t limit_of() const noexcept {
    constexpr bool kIsWrittenOver = T::kKind == Kind::state || T::kKind == Kind::user_row;
    return kIsWrittenOver ? std::max(inline_bytes_max_, core::limits::kInlineStateBytes)
                          : inline_bytes_max_;
  }
  [[nodiscard]] static bool is_too_large(const PayloadView& payload, std::size_t limit) noexcept {
    return payload.inlined().size() > limit;
  }
  /// Where there is no hash to name it by, the change is refused.
  [[nodiscard]] BlobRef new_blob(core::Bytes content);
  void refuse(Error&& why);
  [[nodiscard]] static Error too_many_records();
  /// What an ordinary step takes, at once instead of by doubling.
  void make_room();

  std::size_t inline_bytes_max_ = std::numeric_limits<std::size_t>::max();
  std::optional<Error> refusal_;
  std::unique_ptr<const Precondition> precondition_;
  std::unique_ptr<const std::function<bool()>> condition_;
  bool writes_watched_ = false;
  std::vector<NewBlob> blobs_;
  std::vector<Part> parts_;
  core::Bytes arena_;
  std::size_t records_ = 0;
};

}  // namespace perdure::journal
