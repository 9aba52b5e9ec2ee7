/// Finding and reading documents.
///
/// What this is: a folder becomes a list of documents, and a document becomes clean text.
/// What it promises: an order by name (bytes, not locale); errors that name the file and the
/// remedy; text in UTF-8 with plain line feeds, whatever the file began with.
/// What it does not: descend into folders, follow symbolic links (in the folder of licences they
/// are second names of files that are listed anyway), or read PDF and word processor files.
#pragma once

#include "types.hpp"

#include <perdure/result.hpp>

#include <string>
#include <string_view>

namespace research {

/// The largest document that is read. A document's text is one record of the journal.
inline constexpr std::uint64_t document_bytes_max = 1024 * 1024;
/// The most documents that one report covers: the comparison is a square table.
inline constexpr std::size_t documents_max = 100;
/// The longest file name: it becomes part of the names of steps, which are short.
inline constexpr std::size_t name_bytes_max = 200;

/// The documents in `folder`: its regular files named `*.txt`, `*.md` or `*.markdown`, and those
/// without an extension (a number after the last dot, as in `GPL-2.1`, is no extension).
/// Other files are listed as left out. Fails if the folder is missing, is not a folder, cannot be
/// listed, or holds no document or too many.
[[nodiscard]] perdure::Result<DocumentList> list_documents(const std::string& folder);

/// The text of the document `name` in `folder`. Fails if it cannot be read, is too large or is not
/// text.
[[nodiscard]] perdure::Result<DocumentText> read_document(const std::string& folder,
                                                          const std::string& name);

/// What `name` says about a document's markup.
[[nodiscard]] Markup markup_of(std::string_view name) noexcept;

}  // namespace research
