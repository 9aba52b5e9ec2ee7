#include "tests/crash/history.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace perdure::crash {
namespace {

constexpr std::array<std::string_view, 3> kWills{"succeed", "fail", "refuse"};

std::string escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      if (c == '\\' || special.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

/// Splits at `mark`, and takes escapes away.
std::vector<std::string> split(std::string_view text, char mark) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == mark) {
      parts.emplace_back();
    } else if (text[i] != '\\') {
      parts.back() += text[i];
    } else {
      if (++i == text.size()) throw std::invalid_argument("a line ends within an escape");
      parts.back() += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
    }
  }
  return parts;
}

Will will_of(std::string_view word) {
  for (std::size_t i = 0; i < kWills.size(); ++i)
    if (kWills[i] == word) return static_cast<Will>(i);
  throw std::invalid_argument("'" + std::string(word) + "' is nothing that a body does");
}

void add(History& history, const std::vector<std::string>& fields) {
  const std::string& what = fields.front();
  const auto is = [&](std::string_view word, std::size_t count) {
    if (what != word) return false;
    if (fields.size() != count) throw std::invalid_argument("a line '" + what + "' is not whole");
    return true;
  };
  if (is("life", 2)) {
    history.push_back({fields[1], {}, {}, {}, {}, {}, false});
    return;
  }
  if (history.empty()) throw std::invalid_argument("the first line begins no life");
  Life& life = history.back();
  if (is("effect", 10)) {
    life.effects.push_back({fields[1], fields[2], fields[3], std::stoi(fields[4]), fields[5],
                            fields[6], will_of(fields[7]), fields[8], sources_of(fields[9])});
  } else if (is("started", 6)) {
    life.started.push_back({fields[1], fields[2], fields[3], fields[4], fields[5]});
  } else if (is("reply", 3)) {
    life.replies.push_back({fields[1], fields[2]});
  } else if (is("signal", 4)) {
    life.signals.push_back({fields[1], fields[2], fields[3]});
  } else if (is("cancel", 3)) {
    life.cancels.push_back({fields[1], fields[2]});
  } else if (is("state", 5)) {
    life.asked.push_back({fields[1], fields[2], fields[3], fields[4]});
  } else if (is("parked", 4)) {
    life.parked.push_back({fields[1], fields[2], fields[3]});
  } else if (is("trouble", 2)) {
    life.troubles.push_back(fields[1]);
  } else if (is("stopped", 1)) {
    life.stopped = true;
  } else {
    throw std::invalid_argument("no workload writes '" + what + "'");
  }
}

}  // namespace

std::string_view to_string(Will will) noexcept { return kWills[static_cast<std::size_t>(will)]; }

std::string to_text(const Sources& sources) {
  std::string text;
  for (const auto& [source, what] : sources)
    text += escaped(source, "=;") + "=" + escaped(what, "=;") + ";";
  return text;
}

Sources sources_of(std::string_view text) {
  Sources sources;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ';') {
      const std::vector<std::string> parts = split(text.substr(begin, i - begin), '=');
      if (parts.size() != 2) throw std::invalid_argument("a source is no pair");
      sources.emplace_back(parts[0], parts[1]);
      begin = i + 1;
    }
  }
  if (begin != text.size()) throw std::invalid_argument("a list of sources does not end");
  return sources;
}

std::string to_line(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) {
    if (!line.empty()) line += '\t';
    line += escaped(field, "");
  }
  return line + '\n';
}

std::string line_of(const Effect& effect) {
  return to_line({"effect", effect.run, effect.step, effect.key, std::to_string(effect.attempt),
                  effect.name, effect.effect_class, std::string(to_string(effect.will)),
                  effect.nonce, to_text(effect.inputs)});
}

History history_of(std::string_view text) {
  History history;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;) {
    add(history, split(text.substr(0, end), '\t'));
    text.remove_prefix(end + 1);
  }
  return history;
}

void drop_torn_line(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return;
  const std::string text(std::istreambuf_iterator<char>(in), {});
  // Without any newline npos + 1 is 0.
  std::filesystem::resize_file(file, text.rfind('\n') + 1);
}

History read_history(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return history_of(std::string(std::istreambuf_iterator<char>(in), {}));
}

}  // namespace perdure::crash
