// What stands, unseen, before every C++ block of the documents that is not a whole program
// (tests/style/docs.py). Names here are what a reader of any page may take as given.
#pragma once

#include <perdure/perdure.hpp>
#include <perdure/testing.hpp>

#include <array>
#include <chrono>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace pd = perdure;
using namespace std::chrono_literals;

// Any test framework's.
#define CHECK(condition) static_cast<void>(condition)
