/// A store and the blobs beside it.
///
/// What this is: a Store in front of another that says where blobs are: tables belong to one
/// generation of a journal, blobs to all.
/// What it promises: all else is the inner store's.
#pragma once

#include "journal/blobs.hpp"
#include "journal/store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace perdure::journal {

/// Thread: as Store says.
class StoreWithBlobs final : public Store {
 public:
  /// `inner` outlives it.
  StoreWithBlobs(Store& inner, std::unique_ptr<Blobs> blobs)
      : inner_(inner), blobs_(std::move(blobs)) {}

  [[nodiscard]] Result<void> commit(std::span<const Mutation> batch,
                                    Durability durability) override {
    return inner_.commit(batch, durability);
  }
  [[nodiscard]] Result<std::unique_ptr<Snapshot>> snapshot() override { return inner_.snapshot(); }
  void when_failed(std::function<void(const Error&)> hook) override {
    inner_.when_failed(std::move(hook));
  }
  [[nodiscard]] Blobs* blobs() noexcept override { return blobs_.get(); }
  [[nodiscard]] std::optional<std::string> pinned_by() const override { return inner_.pinned_by(); }

 private:
  Store& inner_;
  const std::unique_ptr<Blobs> blobs_;
};

}  // namespace perdure::journal
