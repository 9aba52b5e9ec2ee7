/// Rows of users' tables, with keys of every sort.
#pragma once

#include "journal/writer.hpp"

namespace perdure::format_test {

void write_user_rows(journal::Writer& writer);

}  // namespace perdure::format_test
