/// The runtime's handle: moving and ending, without CAF.
#include <perdure/runtime.hpp>

namespace perdure {
inline namespace v0 {

Runtime& Runtime::operator=(Runtime&& other) noexcept {
  if (this == &other) return *this;
  if (core_) (void)core_->shutdown();
  core_ = std::move(other.core_);
  return *this;
}

Runtime::~Runtime() {
  // Errors have gone to the log and to the event hook; a destructor has nobody else to tell.
  if (core_) (void)core_->shutdown();
}

}  // namespace v0
}  // namespace perdure
