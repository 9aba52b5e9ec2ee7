// expect: perdure: this type cannot be stored; describe it with PERDURE_DESCRIBE or specialise
// perdure::Codec
#include <perdure/perdure.hpp>
namespace pd = perdure;

struct Opaque {
  void* handle = nullptr;
};
pd::Task<int> handler(pd::Context&, Opaque) { co_return 1; }
inline constexpr pd::Agent agent{"agent", &handler};
