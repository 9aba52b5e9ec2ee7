// expect: perdure: an optional of something that may itself be empty cannot be stored;
// expect: both would read as null
#include <perdure/blob.hpp>

#include <optional>

auto bytes = perdure::encode(std::optional<perdure::Blob>{});
