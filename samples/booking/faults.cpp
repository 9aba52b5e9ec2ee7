
#include "faults.hpp"

namespace booking {

std::string_view to_string(Fate fate) noexcept {
  switch (fate) {
    case Fate::answered: return "";
    case Fate::reply_lost: return "reply lost";
    case Fate::crashes_before: return "crash before the effect";
    case Fate::crashes_after: return "crash after the effect";
  }
  return "unrecognised";
}

Faults::Faults(const FaultLevels& levels, std::uint64_t seed, std::uint64_t past)
    : levels_(levels), random_(seed_for(seed, "faults after " + std::to_string(past))) {}

Draw Faults::draw() {
  const std::scoped_lock lock(mutex_);
  Draw draw;
  draw.before = std::chrono::milliseconds(random_.below(levels_.latency_ms + 1));
  draw.after = std::chrono::milliseconds(random_.below(levels_.latency_ms + 1));
  if (random_.chance(levels_.crash)) {
    draw.fate = random_.chance(0.5) ? Fate::crashes_before : Fate::crashes_after;
  } else if (random_.chance(levels_.lose_reply)) {
    draw.fate = Fate::reply_lost;
  }
  return draw;
}

std::string refusal_of(std::string_view kind, std::string_view trip, std::uint64_t seed,
                       double probability) {
  const std::string name = std::string(kind) + " refuses " + std::string(trip);
  if (!Random(seed_for(seed, name)).chance(probability)) return {};
  if (kind == "payment") return "the card was declined";
  if (kind == "itinerary") return "the traveller's passport has expired";
  return "sold out";
}

}  // namespace booking
