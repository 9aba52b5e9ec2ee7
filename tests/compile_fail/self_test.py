"""Proves that run.py can fail. usage: self_test.py COMPILER"""

import pathlib
import sys
import tempfile
import unittest

import run

COMPILER = sys.argv.pop(1)


class RunTest(unittest.TestCase):
    def judge(self, text):
        with tempfile.TemporaryDirectory() as directory:
            case = pathlib.Path(directory) / "case.cpp"
            case.write_text(text, encoding="utf-8")
            return run.judge(COMPILER, case, [])[0]

    def test_refused_with_the_sentence_passes(self):
        text = '// expect: no bananas\nstatic_assert(false, "no bananas");\n'
        self.assertEqual(0, self.judge(text))

    def test_code_that_compiles_fails(self):
        self.assertEqual(1, self.judge("// expect: no bananas\nint good;\n"))

    def test_refused_for_another_reason_fails(self):
        self.assertEqual(1, self.judge("// expect: no bananas\nint bad = nothing;\n"))

    def test_one_missing_sentence_of_two_fails(self):
        text = '// expect: no bananas\n// expect: no pears\nstatic_assert(false, "no bananas");\n'
        self.assertEqual(1, self.judge(text))

    def test_a_case_without_a_sentence_is_wrong(self):
        self.assertEqual(2, self.judge("int bad = nothing;\n"))


if __name__ == "__main__":
    unittest.main()
