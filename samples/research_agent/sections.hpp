/// The parts of a document.
///
/// What this is: a document becomes titled sections. Headings are recognised by how they look:
/// `# Markdown`, underlined lines, `3. Numbered`, ALL CAPITALS, and short lines that stand alone.
/// What it promises: sections in order that do not overlap; every word of the document that is not
/// in a heading lies in exactly one section.
/// What it does not: understand. A short line that stands alone and looks like a heading is taken
/// for one. In Markdown files only Markdown's own headings count.
#pragma once

#include "types.hpp"

#include <string_view>

namespace research {

/// The outline of `document`.
[[nodiscard]] Outline find_sections(const DocumentText& document);

/// The body of `section`, which belongs to `document`.
[[nodiscard]] std::string_view body_of(const DocumentText& document, const Section& section);

}  // namespace research
