/// Describing a struct, so that Perdure can store it.
///
/// What this is: `PERDURE_DESCRIBE(Type, fields...)`, a thin name over Boost.Describe that also
/// keeps the type's name, because a journal must read the same under every compiler.
/// What it promises: a described struct is a payload (codec.hpp), written as a map by field name.
/// What it does not: describe private members, bases or more than 52 fields.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <string_view>

/// `PERDURE_DESCRIBE(Booking, id, price_cents);` in the namespace of the struct, after it.
#define PERDURE_DESCRIBE(Type, ...)                                                                \
  [[maybe_unused]] constexpr ::std::string_view perdure_type_name(const Type*) noexcept {          \
    return #Type;                                                                                  \
  }                                                                                                \
  BOOST_DESCRIBE_STRUCT(Type, (), (__VA_ARGS__))                                                   \
  static_assert(true)

/// `PERDURE_DESCRIBE_ENUM(Colour, red, green);` in the namespace of the enum, after it: its values
/// travel by name.
#define PERDURE_DESCRIBE_ENUM(Type, ...)                                                           \
  [[maybe_unused]] constexpr ::std::string_view perdure_type_name(const Type*) noexcept {          \
    return #Type;                                                                                  \
  }                                                                                                \
  BOOST_DESCRIBE_ENUM(Type, __VA_ARGS__)                                                           \
  static_assert(true)
