/// What states of leaves share: the outcome, and who asks for it.
///
/// What this is: the part of an operation's state that keeps its decoded value or its failure.
/// What it does not: say what the operation is; the state that is made of it does.
#pragma once

#include <perdure/detail/execution.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace perdure {
inline namespace v0 {
namespace detail {

/// A state of a leaf whose value is a `V`. `Base` is the kind of leaf.
template <class Base, class V>
class LeafState : public Base {
 public:
  using Value = V;

  using Base::Base;
  void start(const Start& start) { this->open(start); }
  void request_stop() noexcept {
    if (!result_) this->stop();
  }
  [[nodiscard]] Error* failure() noexcept {
    return result_->has_error() ? &result_->assume_error() : nullptr;
  }
  [[nodiscard]] V take() {
    if constexpr (!std::is_void_v<V>) return std::move(*result_).assume_value();
  }

  void refuse(Error error) override { result_.emplace(std::move(error)); }

 protected:
  std::optional<Result<V>> result_;
};

/// The same of one whose recorded value is an encoded `V`, or nothing where that is void.
template <class Base, class V>
class DecodedState : public LeafState<Base, V> {
 public:
  using LeafState<Base, V>::LeafState;

  [[nodiscard]] Result<void> accept(ByteView payload) override {
    if constexpr (std::is_void_v<V>) {
      (void)payload;
      this->result_.emplace(success());
    } else {
      PERDURE_TRY(V value, decode<V>(payload));
      this->result_.emplace(BOOST_OUTCOME_V2_NAMESPACE::in_place_type<V>, std::move(value));
    }
    return success();
  }
};

}  // namespace detail
}  // namespace v0
}  // namespace perdure
