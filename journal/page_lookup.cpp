#include "journal/page_lookup.hpp"

#include <algorithm>

#include "journal/page_file.hpp"
#include "journal/page_view.hpp"

namespace perdure::journal {
namespace {

bool is_less(core::ByteView a, core::ByteView b) {
  return std::ranges::lexicographical_compare(a, b);
}

/// Where in a branch page the search goes on: the last child whose separator is not above `key`.
PageNumber child_for(const PageView& view, core::ByteView key) {
  std::size_t i = 0;
  while (i + 1 < view.count() && !is_less(key, view.node(i + 1).key)) ++i;
  return view.node(i).child;
}

}  // namespace

std::optional<core::Bytes> find_unnamed_row(const std::filesystem::path& path, core::ByteView key) {
  Result<PageFile> opened = PageFile::open(path);
  if (!opened) return std::nullopt;
  PageFile& file = opened.assume_value();
  MetaPages metas;
  if (file.read_metas(metas)) return std::nullopt;
  const MetaPage& meta = metas[newer_of(metas)];
  PageView view(file.page_bytes());
  PageNumber number = meta.main.root;
  for (std::size_t level = 1; level <= meta.main.depth; ++level) {
    if (number > meta.last_page) return std::nullopt;
    if (!file.read(number * file.page_bytes(), view.bytes()).empty()) return std::nullopt;
    const bool is_leaf = level == meta.main.depth;
    if (view.check(number, is_leaf ? kLeafPage : kBranchPage, 1)) return std::nullopt;
    if (!is_leaf) {
      number = child_for(view, key);
      continue;
    }
    for (std::size_t i = 0; i < view.count(); ++i) {
      const PageNode node = view.node(i);
      if (std::ranges::equal(node.key, key) && node.flags == 0)
        return core::Bytes(node.data.begin(), node.data.end());
    }
  }
  return std::nullopt;
}

}  // namespace perdure::journal
