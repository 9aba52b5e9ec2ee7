"""Proves that every check can fail, on small bad inputs. usage: self_test.py COMPILER"""

import pathlib
import sys
import tempfile
import unittest

import bans
import docs
import headers
import layers
import link_alone
import sizes
import sources

COMPILER = sys.argv.pop(1)


class SourcesTest(unittest.TestCase):
    def test_comments_and_strings_are_blanked_and_lines_kept(self):
        text = (
            'int a; // rand()\n/* rand()\n*/ auto s = "rand() \\" x"; auto r = R"(rand())"; '
            "int b = 1'000;\n"
        )
        stripped = sources.without_comments(text)
        self.assertNotIn("rand", stripped)
        self.assertEqual(text.count("\n"), stripped.count("\n"))
        self.assertIn("int b = 1'000;", stripped)


class LayersTest(unittest.TestCase):
    def bad(self, file, line):
        return bool(layers.judge(file, line + "\n"))

    def test_upward_includes_are_found(self):
        self.assertTrue(self.bad("core/ids.cpp", '#include "journal/writer.hpp"'))
        self.assertTrue(self.bad("journal/writer.cpp", '#include "actors/runtime.hpp"'))
        self.assertTrue(self.bad("include/perdure/step.hpp", '#include "core/ids.hpp"'))
        self.assertTrue(self.bad("samples/trip/main.cpp", '#include "core/ids.hpp"'))
        self.assertTrue(self.bad("cli/main.cpp", '  #  include "actors/runtime.hpp"'))
        self.assertTrue(self.bad("actors/runtime.cpp", '#include "cli/main.hpp"'))
        self.assertTrue(self.bad("core/ids.cpp", "#include <perdure/perdure.hpp>"))
        self.assertTrue(self.bad("elsewhere/ids.cpp", "#include <vector>"))

    def test_allowed_includes_pass(self):
        self.assertFalse(self.bad("journal/writer.cpp", '#include "core/ids.hpp"'))
        self.assertFalse(self.bad("core/error.cpp", "#include <perdure/error.hpp>"))
        self.assertFalse(self.bad("core/ids.cpp", '// #include "journal/writer.hpp"'))
        self.assertFalse(self.bad("core/clock.cpp", "#include <sys/types.h>"))

    def test_third_party_headers_stay_with_their_owners(self):
        self.assertTrue(self.bad("journal/writer.cpp", "#include <lmdb.h>"))
        self.assertTrue(self.bad("journal/records.hpp", "#include <flatbuffers/flexbuffers.h>"))
        generated = '#include "journal/schema/record_generated.h"'
        self.assertTrue(self.bad("journal/writer.cpp", generated))
        self.assertTrue(self.bad("actors/step_pool.cpp", "#include <caf/actor.hpp>"))
        self.assertTrue(self.bad("core/ids.cpp", "#include <openssl/sha.h>"))
        self.assertFalse(self.bad("journal/lmdb_store.cpp", "#include <lmdb.h>"))
        self.assertFalse(self.bad("actors/session_actor.cpp", "#include <caf/actor.hpp>"))


class SizesTest(unittest.TestCase):
    def test_a_long_function_is_found(self):
        body = "  work();\n" * 60
        for head in ("void f()", "Result<int> Writer::f(int a) const noexcept",
                     "Writer::Writer(int a) : a_{a}, b_(a)", "auto f() -> int", "struct tm f()",
                     "template <class T>\nvoid f(T t)"):
            text = f"namespace a {{\nclass B {{\n public:\n{head} {{\n{body}}}\n}};\n}}\n"
            self.assertTrue(sizes.judge_cpp("core/a.cpp", text), head)

    def test_short_functions_in_long_scopes_pass(self):
        text = "namespace a {\nclass B final : public C<int()> {\n"
        text += "void f() { if (x) { y(); } }\n" * 80 + "};\n}\n"
        self.assertFalse(sizes.judge_cpp("core/a.cpp", text))

    def test_a_macro_or_a_table_is_no_function(self):
        text = "#define A(x) \\\n  do { \\\n  } while (false)\nconstexpr int t[] = {\n"
        text += "1,\n" * 90 + "};\n"
        self.assertFalse(sizes.judge_cpp("core/a.cpp", text))

    def test_a_macro_of_several_lines_does_not_hide_the_namespace_behind_it(self):
        text = "#define A(x) \\\n  f(x) \\\n  g(x)\n\nnamespace a {\n" + "int a();\n" * 90 + "}\n"
        self.assertFalse(sizes.judge_cpp("core/a.cpp", text))

    def test_long_files_lines_and_python_functions_are_found(self):
        self.assertTrue(sizes.judge_file("core/a.cpp", "int a;\n" * 501))
        self.assertTrue(sizes.judge_file("core/a.cpp", "x" * 101 + "\n"))
        self.assertFalse(sizes.judge_file("core/a.cpp", "int a;\n" * 500))
        self.assertTrue(sizes.judge_python("a.py", "def f():\n" + "    g()\n" * 60))


class BansTest(unittest.TestCase):
    BAD = (
        ("tests/core/a_test.cpp", "std::this_thread::sleep_for(1s);"),
        ("tests/core/a_test.cpp", "std::this_thread::sleep_until(then);"),
        ("tests/core/a_test.cpp", "usleep(3);"),
        ("actors/a.cpp", "int a = rand();"),
        ("actors/a.cpp", "std::mt19937 engine;"),
        ("tests/core/a_test.cpp", "std::random_device device;"),
        ("journal/a.cpp", "std::cout << 1;"),
        ("journal/a.cpp", 'std::fprintf(stderr, "x");'),
        ("journal/a.cpp", "auto t = std::chrono::system_clock::now();"),
        ("tests/core/a_test.cpp", "auto t = std::chrono::system_clock::now();"),
        ("core/a.cpp", "assert(a);"),
        ("core/a.cpp", "#include <cassert>"),
        ("journal/a.cpp", "std::abort();"),
        ("journal/a.cpp", "throw 1;"),
        ("journal/a.cpp", "auto* a = new Writer(1);"),
        ("journal/a.cpp", "delete a;"),
        ("journal/a.cpp", "delete[] a;"),
        ("samples/a.cpp", "auto [a, b] = co_await all(x, y);"),
        ("tests/a.cpp", "const auto& [a,\n b] = co_await all(x, y);"),
        ("actors/a.hpp", "static Runtime& instance();"),
        ("samples/a.cpp", "BOOST_DESCRIBE_STRUCT(A, (), (a))"),
        ("core/a.hpp", "using namespace std;"),
        ("include/perdure/a.hpp", "void wait(int a, bool durable);"),
        ("include/perdure/a.hpp", "void wait(bool durable = true, int a = 1);"),
    )
    GOOD = (
        ("core/clock.cpp", "auto t = std::chrono::steady_clock::now();"),
        ("core/a.cpp", "static_assert(a); PERDURE_ASSERT(a, \"b\"); // assert(a)"),
        ("core/a.hpp", "A(const A&) = delete; void* operator new(std::size_t);"),
        ("core/a.hpp", "void operator delete(void* p); try { throw; } catch (...) {}"),
        ("core/a.cpp", 'auto s = "std::cout << rand()";'),
        ("journal/a.cpp", "auto r = random.next(); auto n = std::snprintf(b, 1, c);"),
        ("samples/a.cpp", "auto both = co_await all(x, y); auto& [a, b] = both;"),
        ("include/perdure/a.hpp", "bool is_open() const; namespace detail {\nvoid f(bool a);\n}\n"),
        ("tests/a.cpp", "EXPECT_THROW(f(), Exception);"),
        ("tests/a.cpp", "std::mt19937 engine(7);"),
        ("tests/a.cpp", "co_await ctx.sleep(1h); co_await ctx.sleep_until(then);"),
    )

    def test_bad_lines_are_found(self):
        for file, line in self.BAD:
            self.assertTrue(bans.judge_cpp(file, line + "\n"), line)

    def test_good_lines_pass(self):
        for file, line in self.GOOD:
            self.assertEqual([], bans.judge_cpp(file, line + "\n"), line)

    def test_leftovers_are_found(self):
        for word in ("TODO", "FIXME", "XXX", "HACK", "not implemented", "Not yet implemented"):
            self.assertTrue(bans.judge_text("docs/a.md", f"say {word}: later\n"), word)
        self.assertFalse(bans.judge_text("docs/a.md", "hacking is implemented\n"))
        self.assertTrue(bans.judge_text("README.md", "BOOST_DESCRIBE_STRUCT\n"))

    def test_headers_without_prose_or_guard_are_found(self):
        self.assertEqual(2, len(bans.judge_header("core/a.hpp", "int a;\n")))
        self.assertEqual([], bans.judge_header("core/a.hpp", "/// A.\n#pragma once\n"))


class DocsTest(unittest.TestCase):
    def links(self, text):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory).resolve()
            (root / "docs").mkdir()
            (root / "docs/other.md").write_text("# One `two`, three\n", encoding="utf-8")
            page = root / "docs/page.md"
            page.write_text(text, encoding="utf-8")
            return docs.judge_links(page, root)

    def test_dead_links_are_found(self):
        for text in ("[a](nothing.md)", "[a](other.md#four)", "# Here\n[a](#there)", "[a]: gone.md",
                     "[a](../../etc)"):
            self.assertTrue(self.links(text + "\n"), text)

    def test_living_links_pass(self):
        text = (
            "# Here\n[a](#here) [b](other.md#one-two-three) [c](https://example.org/x)\n"
            "```\n[d](no)\n```\n"
        )
        self.assertEqual([], self.links(text))

    def code(self, text):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "docs").mkdir()
            (root / docs.PRELUDE).write_text("#pragma once\n#include <string>\n", encoding="utf-8")
            found = docs.judge_code(COMPILER, "docs/page.md", text, root)
            with docs.parsed_prelude(COMPILER, root) as prelude:
                self.assertTrue(prelude)
                self.assertEqual(found, docs.judge_code(COMPILER, "docs/page.md", text, root,
                                                        prelude))
            return found

    def test_code_that_does_not_compile_is_found(self):
        self.assertTrue(self.code("```cpp\n#include <string>\nint a = nothing;\n```\n"))
        self.assertTrue(self.code("```cpp\nint a = nothing;\n```\n"))
        self.assertTrue(self.code("```cpp\nint a;\n```\n```cpp\nint b = a;\n```\n"))
        self.assertTrue(self.code("```cpp refused\nint a;\n```\n"))
        self.assertTrue(self.code("```cpp sometimes\nint a;\n```\n"))
        self.assertTrue(self.code("```c++\nint a;\n```\n"))

    def test_code_that_compiles_passes(self):
        text = (
            "```cpp\nstd::string a;\n```\ntext\n```cpp continue\nauto& b = a;\n```\n"
            "```cpp refused\nint c = a;\n```\n```sh\nint a = nothing\n```\n"
        )
        self.assertEqual([], self.code(text))


class CompilerTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.place = pathlib.Path(self.directory.name)
        (self.place / "perdure").mkdir()

    def tearDown(self):
        self.directory.cleanup()

    def write(self, name, text):
        path = self.place / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def test_a_header_that_needs_another_is_found(self):
        self.write("perdure/good.hpp", "#pragma once\n#include <string>\ninline std::string a;\n")
        self.write("perdure/bad.hpp", "#pragma once\ninline std::string a;\n")
        self.assertEqual([], headers.judge_alone(COMPILER, "perdure/good.hpp", self.place))
        self.assertTrue(headers.judge_alone(COMPILER, "perdure/bad.hpp", self.place))
        self.assertTrue(headers.judge_alone(COMPILER, "perdure/absent.hpp", self.place))

    def test_a_heavy_umbrella_is_found(self):
        self.write("caf/actor.hpp", "#pragma once\n")
        self.write("perdure/hidden.hpp", "#pragma once\n#include <caf/actor.hpp>\n")
        self.write("perdure/heavy.hpp", "#pragma once\n#include <perdure/hidden.hpp>\n")
        self.write("perdure/light.hpp", "#pragma once\n#include <string>\n")
        self.assertTrue(headers.judge_umbrella(COMPILER, "perdure/heavy.hpp", self.place))
        self.assertTrue(headers.judge_umbrella(COMPILER, "perdure/absent.hpp", self.place))
        self.assertEqual([], headers.judge_umbrella(COMPILER, "perdure/light.hpp", self.place))

    def archive(self, name, text):
        source = self.write(f"{name}.cpp", text)
        built, library = source.with_suffix(".o"), source.with_suffix(".a")
        self.assertEqual(0, sources.run(COMPILER, "-c", source, "-o", built).returncode)
        self.assertEqual(0, sources.run("ar", "rcs", library, built).returncode)
        return str(library)

    def test_a_module_that_calls_upwards_does_not_link(self):
        tools = self.archive("tools", "int core_a(); int tools_a() { return core_a(); }\n")
        core = self.archive("core", "int core_a() { return 1; }\n")
        wrong = self.archive("wrong", "int tools_a(); int core_a() { return tools_a(); }\n")
        self.assertEqual([], link_alone.judge(COMPILER, "tools", {"tools": tools, "core": core}))
        self.assertTrue(link_alone.judge(COMPILER, "core", {"tools": tools, "core": wrong}))


if __name__ == "__main__":
    unittest.main()
