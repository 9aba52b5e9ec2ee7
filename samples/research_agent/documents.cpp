#include "documents.hpp"

#include "decode.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace research {
namespace fs = std::filesystem;
namespace pd = perdure;
namespace {

enum class Kind { plain, markdown, other };

bool is_digits(std::string_view text) noexcept {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Kind kind_of(std::string_view name) noexcept {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || is_digits(name.substr(dot + 1))) return Kind::plain;
  const std::string_view extension = name.substr(dot + 1);
  constexpr std::array<std::pair<std::string_view, Kind>, 6> known{{{"txt", Kind::plain},
                                                                    {"TXT", Kind::plain},
                                                                    {"md", Kind::markdown},
                                                                    {"MD", Kind::markdown},
                                                                    {"markdown", Kind::markdown},
                                                                    {"text", Kind::plain}}};
  for (const auto& [known_extension, kind] : known) {
    if (extension == known_extension) return kind;
  }
  return Kind::other;
}

pd::Error refusal(std::string message) { return pd::Error{pd::Code::refused, std::move(message)}; }

/// Sorts one directory entry into the list; hidden files, links and folders are passed over.
void sort_in(const fs::directory_entry& entry, DocumentList& list) {
  std::string name = entry.path().filename().string();
  std::error_code failure;
  const fs::file_status status = entry.symlink_status(failure);
  if (name.starts_with('.') || failure || !fs::is_regular_file(status)) return;
  const std::uintmax_t size = entry.file_size(failure);
  const auto leave_out = [&](std::string_view reason) {
    list.left_out.push_back({name, name + " " + std::string(reason)});
  };
  if (kind_of(name) == Kind::other) {
    leave_out("is neither .txt nor .md.");
  } else if (name.size() > name_bytes_max) {
    leave_out("has a name of more than 200 bytes.");
  } else if (!failure && size == 0) {
    leave_out("is empty.");
  } else {
    list.documents.push_back({std::move(name), failure ? 0 : std::uint64_t{size}});
  }
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

}  // namespace

Markup markup_of(std::string_view name) noexcept {
  return kind_of(name) == Kind::markdown ? Markup::markdown : Markup::plain;
}

pd::Result<DocumentList> list_documents(const std::string& folder) {
  std::error_code failure;
  const fs::file_status status = fs::status(folder, failure);
  if (!fs::exists(status)) {
    return refusal("The folder " + folder +
                   " does not exist. Name a folder of .txt or .md files with --input.");
  }
  if (!fs::is_directory(status)) {
    return refusal(folder + " is not a folder. Name the folder that holds the documents.");
  }
  DocumentList list;
  fs::directory_iterator entry(folder, failure);
  for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    sort_in(*entry, list);
  }
  if (failure) {
    return refusal("The folder " + folder + " cannot be listed (" + failure.message() +
                   "). Give this user the right to read it.");
  }
  if (list.documents.empty()) {
    return refusal("The folder " + folder +
                   " holds no document. Put .txt or .md files into it (folders inside it and "
                   "symbolic links are not followed).");
  }
  if (list.documents.size() > documents_max) {
    return refusal("The folder " + folder + " holds " + std::to_string(list.documents.size()) +
                   " documents, and one report covers at most " + std::to_string(documents_max) +
                   ". Spread them over several folders.");
  }
  std::ranges::sort(list.documents, {}, &DocumentRef::name);
  std::ranges::sort(list.left_out, {}, &LeftOut::name);
  return list;
}

pd::Result<DocumentText> read_document(const std::string& folder, const std::string& name) {
  const std::string path = (fs::path(folder) / name).string();
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    return refusal(name + " cannot be opened (" + std::strerror(errno) +
                   "). Make it readable for this user, or move it out of the folder.");
  }
  // One byte more than is allowed, so that a file that grows meanwhile is noticed too.
  std::string bytes(document_bytes_max + 1, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    return refusal(name + " cannot be read (" + std::strerror(errno) +
                   "). Check the disk, or move the file out of the folder.");
  }
  if (bytes.size() > document_bytes_max) {
    return refusal(name + " is larger than " + std::to_string(document_bytes_max / 1024) +
                   " KiB, the most that one document may have. Split it.");
  }
  pd::Result<std::string> text = decode_text(bytes);
  if (!text) return refusal(name + " " + text.error().message);
  return DocumentText{name, markup_of(name), std::move(text).value()};
}

}  // namespace research
