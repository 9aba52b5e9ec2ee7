# Everything Perdure uses comes from packages of the system. The versions are what Debian 12 ships
# or older where older was seen to do.

find_package(Threads REQUIRED)
# Outcome with BOOST_OUTCOME_CO_TRY(auto x, expression); 1.74, Debian 12's default, has an older
# form.
find_package(Boost 1.81 CONFIG REQUIRED)
find_package(LMDB 0.9.24 REQUIRED)
find_package(FlatBuffers CONFIG REQUIRED NAMES FlatBuffers flatbuffers)
find_package(CAF REQUIRED COMPONENTS core io)
find_package(Xxhash 0.8 REQUIRED)
find_package(Zstd 1.4 REQUIRED)
# Its libcrypto only.
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_program(PERDURE_FLATC flatc REQUIRED)
mark_as_advanced(PERDURE_FLATC)

if(PERDURE_BUILD_CLI OR PERDURE_BUILD_SAMPLES)
  find_package(CLI11 CONFIG REQUIRED)
endif()
if(PERDURE_BUILD_CLI)
  find_package(nlohmann_json CONFIG REQUIRED)
endif()
if(PERDURE_BUILD_TESTS)
  find_package(GTest CONFIG REQUIRED)
  find_package(nlohmann_json CONFIG REQUIRED)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  # Of an agent in the tests alone, which has a far side to talk to.
  find_package(CURL REQUIRED)
endif()
if(PERDURE_BUILD_BENCH)
  find_package(benchmark CONFIG REQUIRED)
endif()
