/// What the tests of the booking sample share.
///
/// What this is: a folder that goes away with its test, and short ways to make orders and services'
/// databases in it.
#pragma once

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "samples/booking/database.hpp"
#include "samples/booking/layout.hpp"
#include "samples/booking/ledger.hpp"

namespace booking {

/// A folder of its own under the system's temporary folder.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "booking-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    path_ = pattern;
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string of(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& contents) const {
    std::ofstream(of(name), std::ios::binary) << contents;
  }

 private:
  std::string path_;
};

inline std::string contents_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

inline Order order_of(const std::string& key, const std::string& trip) {
  return {key, trip, "Ada", "Lisbon", 12'300};
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The first value that a query gives; empty where it gives none.
inline std::string value_of(const std::string& file, std::string_view sql) {
  Database database(file, Access::read_only);
  Statement statement(database, sql);
  return statement.step() ? statement.text(0) : "";
}

}  // namespace booking
