/// The research agent.
///
/// What this is: one handler, `research`, and the agent made of it. It lists a folder, reads each
/// document, finds its sections and summarises it, compares all, and writes a report: each of these
/// is a step, recorded once it is done.
/// What it promises: killed anywhere and started again, it goes on after the last recorded step,
/// and the report is the same as if nothing had happened.
#pragma once

#include "types.hpp"

#include <perdure/perdure.hpp>

#include <string>

namespace research {

/// Reads `request.folder` and writes the report to `request.out`. A document that cannot be read is
/// left out, and the report says so. Fails if none can be read, or the report cannot be written.
perdure::Task<Report> research(perdure::Context& ctx, ResearchRequest request);

inline constexpr perdure::Agent research_agent{"research", &research};

/// The key of the session for `request`: equal requests meet in one session, others get their own.
[[nodiscard]] std::string session_key(const ResearchRequest& request);

}  // namespace research
