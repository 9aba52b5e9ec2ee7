/// Where a session is found: its id, and the address that it stands for.
#pragma once

#include "journal/record.hpp"

#include <string>

namespace perdure::actors {

struct SessionAddress {
  journal::SessionId id;
  std::string agent;
  std::string key;
};

}  // namespace perdure::actors
