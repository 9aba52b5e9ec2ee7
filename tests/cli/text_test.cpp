#include "cli/text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/json.hpp"

namespace perdure::cli {
namespace {

TEST(Text, KeepsWhatATerminalOnlyShows) {
  EXPECT_EQ(safe_line("Zürich 東京 a\\b"), "Zürich 東京 a\\b");
}

TEST(Text, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(safe_line("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(safe_line("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(safe_line(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(safe_line("a\x7f"), "a\\x7f");
  EXPECT_EQ(safe_line("\u009b2J"), "\\x9b2J") << "CSI as one character of C1";
  EXPECT_EQ(safe_line("\u202egpj"), "\\u{202e}gpj") << "turns the direction of text";
}

TEST(Text, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(safe_line("a\xff"), "a\\xff");
  EXPECT_EQ(safe_line("\xc0\xaf"), "\\xc0\\xaf") << "a longer form than needed";
  EXPECT_EQ(safe_line("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(safe_line("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "above Unicode";
  EXPECT_EQ(safe_line("\xe2\x82"), "\\xe2\\x82") << "cut off";
}

TEST(Text, CutsToColumnsNotBytes) {
  EXPECT_EQ(safe_line("abcdef", 6), "abcdef");
  EXPECT_EQ(safe_line("abcdefg", 6), "abcde…");
  EXPECT_EQ(safe_line("äöüäöüä", 6), "äöüäö…");
  EXPECT_EQ(safe_line("東京都庁", 6), "東京…") << "a wide character does not stand half";
  EXPECT_EQ(safe_line("ab\x1b", 4), "ab…") << "an escape is not cut apart";
  EXPECT_EQ(safe_line("abc", 0), "");
}

TEST(Text, CountsColumns) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("äöü…"), 4U);
  EXPECT_EQ(columns_of("東京"), 4U);
  EXPECT_EQ(columns_of("e\u0301"), 1U);
}

TEST(Text, PartsLines) {
  EXPECT_EQ(safe_lines("a\n  b\x1b\n"), (std::vector<std::string>{"a", "  b\\x1b", ""}));
  EXPECT_EQ(first_line("one", 10), "one");
  EXPECT_EQ(first_line("one\ntwo", 10), "one …");
}

TEST(Json, QuotesStrings) {
  const std::string evil = "q\" b\\ \n\t\x1b \u009b \u202e \u2028 \U000E0041 ü東";
  const std::string quoted = json_string(evil);
  EXPECT_EQ(nlohmann::json::parse(quoted).get<std::string>(), evil);
  for (std::size_t at = 0; at < quoted.size();) {
    const Character character = character_at(quoted, at);
    EXPECT_TRUE(character.valid);
    EXPECT_FALSE(is_unsafe(character.code));
    at += character.bytes;
  }
  EXPECT_NE(quoted.find("ü東"), std::string::npos) << "what is safe stays readable";
  EXPECT_EQ(json_string("a\xff"), "\"a\ufffd\"");
}

TEST(Json, MakesPayloadsSafe) {
  EXPECT_EQ(safe_json("{\"a\":\n\"\u202e\u009b\"}"), "{\"a\": \"\\u202e\\u009b\"}");
  EXPECT_EQ(safe_json("\"plain\\u001b\""), "\"plain\\u001b\"");
}

TEST(Json, KeepsTheOrderOfFields) {
  JsonObject inner;
  inner.truth("z", true).null("a");
  JsonObject object;
  object.text("b", "x").number("a", -1).number("big", 18446744073709551615ULL).object("o", inner);
  EXPECT_EQ(object.line(),
            R"({"b":"x","a":-1,"big":18446744073709551615,"o":{"z":true,"a":null}})");
  EXPECT_EQ(JsonObject().line(), "{}");
}

}  // namespace
}  // namespace perdure::cli
