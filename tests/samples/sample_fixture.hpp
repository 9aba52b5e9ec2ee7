/// What the tests of the research sample share.
///
/// What this is: a folder that goes away with its test, and short ways to make a document, a study
/// or the licence texts of this machine.
#pragma once

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "samples/research_agent/documents.hpp"
#include "samples/research_agent/sections.hpp"
#include "samples/research_agent/summarise.hpp"

namespace research {

/// A folder of its own under the system's temporary folder.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "research-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string of(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, const std::string& contents) const {
    std::ofstream(path_ / name, std::ios::binary) << contents;
  }

 private:
  std::filesystem::path path_;
};

inline std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline DocumentText plain(std::string text) {
  return {"plain.txt", Markup::plain, std::move(text)};
}
inline DocumentText markdown(std::string text) {
  return {"text.md", Markup::markdown, std::move(text)};
}

inline Study study_of(DocumentText document) {
  Study study{std::move(document), {}, {}};
  study.outline = find_sections(study.document);
  study.summary = summarise(study.document, study.outline);
  return study;
}

inline Study study_of(const std::string& name, const std::string& text) {
  return study_of(DocumentText{name, markup_of(name), text});
}

inline const std::string licences = "/usr/share/common-licenses";

/// A licence text of this machine. Debian and Ubuntu have them all.
inline DocumentText licence(const std::string& name) {
  return read_document(licences, name).value();
}

inline bool have_licences() { return std::filesystem::exists(licences + "/GPL-3"); }

inline std::vector<std::string> titles(const Outline& outline) {
  std::vector<std::string> result;
  for (const Section& section : outline.sections) result.push_back(section.title);
  return result;
}

}  // namespace research
