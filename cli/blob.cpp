#include "cli/blob.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
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

Error unreadable(Error&& why) {
  // Whoever asked did so well: the files are to blame.
  if (why.code == Code::misuse) why.code = Code::storage_failed;
  return std::move(why);
}

Result<BlobId> find_by_part(const journal::BlobDirectory& blobs, const std::string& part) {
  std::optional<BlobId> found;
  bool is_clear = true;
  Result<void> listed = blobs.for_each([&](const journal::ListedBlob& blob) -> Result<void> {
    if (!journal::to_string(blob.id).starts_with(part)) return success();
    if (found && *found != blob.id) is_clear = false;
    found = blob.id;
    return success();
  });
  if (!listed) return unreadable(std::move(listed).assume_error());
  if (!found) return Error{Code::not_found, "the id of no blob in the journal begins with " + part};
  if (!is_clear)
    return Error{Code::not_found,
                 "the ids of several blobs begin with " + part + ": give more digits"};
  return *found;
}

Result<BlobId> find_blob(const journal::BlobDirectory& blobs, std::string_view text) {
  constexpr std::size_t kFewest = 4;
  std::string digits(text);
  for (char& digit : digits)
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
  if (const std::optional<BlobId> whole = journal::parse_blob_id(digits)) return *whole;
  if (digits.size() < kFewest || digits.size() > 2 * BlobId::kBytes ||
      digits.find_first_not_of("0123456789abcdef") != std::string::npos)
    return Error{Code::misuse, quoted(text) +
                                   " is no blob: give its id, 64 hexadecimal digits, or the first "
                                   "of them, at least " +
                                   std::to_string(kFewest)};
  return find_by_part(blobs, digits);
}

Result<std::unique_ptr<journal::BlobReader>> open_blob(const journal::BlobDirectory& blobs,
                                                       const BlobId& id) {
  auto reader = journal::BlobReader::open(blobs.place().file(id), id);
  if (reader.has_value()) return reader;
  if (reader.assume_error().code == Code::not_found)
    return Error{Code::not_found, "the journal has no blob " + journal::to_string(id)};
  return unreadable(std::move(reader).assume_error());
}

Result<void> write_as_json(const journal::BlobDirectory& blobs, const journal::BlobRef& ref,
                           const Screen& screen) {
  if (ref.bytes > core::limits::kPayloadBytes)
    return Error{Code::too_large, "the blob has " + std::to_string(ref.bytes) +
                                      " bytes, and is no payload: leave --json out"};
  PERDURE_TRY(const core::Bytes content, blobs.get(ref, core::limits::kPayloadBytes));
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
  PERDURE_TRY(const std::unique_ptr<journal::BlobReader> reader, open_blob(blobs, id));
  return screen.format == Format::json ? write_as_json(blobs, {id, reader->bytes()}, screen)
                                       : write_as_it_is(*reader, screen);
}

}  // namespace perdure::cli
