#include "agent.hpp"

#include "compare.hpp"
#include "documents.hpp"
#include "file.hpp"
#include "rehearsal.hpp"
#include "report.hpp"
#include "sections.hpp"
#include "summarise.hpp"

#include <filesystem>
#include <utility>

namespace research {
namespace pd = perdure;

pd::Task<Report> research(pd::Context& ctx, ResearchRequest request) {
  DocumentList list = co_await ctx.step("list documents", [&](pd::Step& step) {
    return observed(step, [&] { return list_documents(request.folder); });
  });
  Findings findings{
      std::filesystem::path(request.folder).filename().string(), {}, list.left_out, {}};
  for (const DocumentRef& document : list.documents) {
    const std::string& name = document.name;
    // A document that cannot be read is no reason to give up on the others.
    auto text = co_await pd::as_result(ctx.step("read " + name, [&](pd::Step& step) {
      return observed(step, [&] { return read_document(request.folder, name); });
    }));
    if (!text) {
      findings.left_out.push_back({name, text.error().message});
      continue;
    }
    Study study{std::move(text).value(), {}, {}};
    study.outline = co_await ctx.step("find sections of " + name, [&](pd::Step& step) {
      return observed(step, [&] { return find_sections(study.document); });
    });
    study.summary = co_await ctx.step("summarise " + name, [&](pd::Step& step) {
      return observed(step, [&] { return summarise(study.document, study.outline); });
    });
    findings.studies.push_back(std::move(study));
  }
  if (findings.studies.empty()) {
    co_return pd::Error{pd::Code::refused,
                        "None of the documents in " + request.folder +
                            " could be read: " + findings.left_out.front().reason};
  }
  findings.comparison = co_await ctx.step("compare documents", [&](pd::Step& step) {
    return observed(step, [&] { return compare(findings.studies); });
  });
  Report report = co_await ctx.step("draft report", [&](pd::Step& step) {
    return observed(step, [&] { return write_report(findings); });
  });
  co_await ctx.step("write report", [&](pd::Step& step) {
    return observed(step, [&] { return write_file(request.out, report.markdown); });
  });
  co_return report;
}

std::string session_key(const ResearchRequest& request) {
  // FNV-1a over both paths; the folder's name is there for people who list sessions.
  std::uint64_t hash = 0xcbf29ce484222325;
  const std::string paths = request.folder + '\n' + request.out;
  for (const char c : paths) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::string key = std::filesystem::path(request.folder).filename().string() + "-";
  for (int shift = 60; shift >= 0; shift -= 4) key += "0123456789abcdef"[(hash >> shift) & 15];
  return key;
}

}  // namespace research
