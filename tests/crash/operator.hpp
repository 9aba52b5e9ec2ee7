/// An operator at a journal that nobody has open.
///
/// What this is: the orders that `perdure` queues, given between two lives of the workload.
/// What it promises: what was acknowledged is noted as a caller's would be (history.hpp).
/// What it does not: disturb. Orders for what has ended, or is not there, are refused, and that is
/// fine.
#pragma once

#include <filesystem>
#include <string>

namespace perdure::crash {

/// Books an amount under the key `name`, says a word to the listener, and cancels a run. Throws
/// std::runtime_error when the journal can't be written.
void give_orders(const std::filesystem::path& journal, const std::filesystem::path& outside,
                 const std::string& name);

}  // namespace perdure::crash
