#include "cli/blob.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/json.hpp"
#include "cli/text.hpp"
#include "core/limits.hpp"
#include "journal/blob_directory.hpp"
#include "journal/blob_format.hpp"
#include "journal/payload_json.hpp"

namespace perdure::cli {
namespace {

using journal::BlobId;

std::string quoted(std::string_view text) { return "'" + safe_line(text, 80) + "'"; }

Result<BlobId> find_blob(const journal::BlobDirectory& blobs, std::string_view text) {
  if (const std::optional<BlobId> whole = journal::parse_blob_id(text)) return *whole;
  constexpr std::size_t kFewest = 4;
  if (text.size() < kFewest || text.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return Error{Code::misuse, quoted(text) +
                                   " is no blob: give its id, 64 hexadecimal digits in lower "
                                   "case, or the first of them, at least " +
                                   std::to_string(kFewest)};
  std::optional<BlobId> found;
  bool is_clear = true;
  PERDURE_TRY(blobs.for_each([&](const journal::ListedBlob& blob) -> Result<void> {
    if (!journal::to_string(blob.id).starts_with(text)) return success();
    is_clear = !found || *found == blob.id;
    found = blob.id;
    return success();
  }));
  if (!found) return Error{Code::not_found, "the journal has no blob " + quoted(text)};
  if (!is_clear)
    return Error{Code::misuse, "several blobs begin with " + quoted(text) + ": give more digits"};
  return *found;
}

Result<void> write_as_json(journal::BlobReader& reader, const Screen& screen) {
  if (reader.bytes() > core::limits::kPayloadBytes)
    return Error{Code::too_large, "the blob has " + std::to_string(reader.bytes()) +
                                      " bytes, and is no payload: leave --json out"};
  core::Bytes content(static_cast<std::size_t>(reader.bytes()));
  PERDURE_TRY(reader.read(content));
  const Result<std::string> json = journal::payload_to_json(content);
  if (json.has_error())
    return Error{Code::undecodable, "the blob's content is no payload (" +
                                        json.assume_error().message + "): leave --json out"};
  screen.out << safe_json(json.assume_value()) << '\n';
  return success();
}

Result<void> write_as_it_is(journal::BlobReader& reader, const Screen& screen) {
  std::vector<char> piece(journal::kBlobChunkBytes);
  while (screen.open()) {
    PERDURE_TRY(const std::size_t count,
                reader.read(std::as_writable_bytes(std::span(piece.data(), piece.size()))));
    if (count == 0) break;
    screen.out.write(piece.data(), static_cast<std::streamsize>(count));
  }
  return success();
}

}  // namespace

Result<void> show_blob(const std::filesystem::path& journal, std::string_view text,
                       const Screen& screen) {
  const journal::BlobDirectory blobs(journal);
  PERDURE_TRY(const BlobId id, find_blob(blobs, text));
  PERDURE_TRY(const std::unique_ptr<journal::BlobReader> reader,
              journal::BlobReader::open(blobs.place().file(id), id));
  return screen.format == Format::json ? write_as_json(*reader, screen)
                                       : write_as_it_is(*reader, screen);
}

}  // namespace perdure::cli
