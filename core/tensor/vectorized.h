// Plain loops compiled twice, for the baseline and for AVX2: decoders that need no kernel of their own.
#ifndef TERSOR_CORE_TENSOR_VECTORIZED_H_
#define TERSOR_CORE_TENSOR_VECTORIZED_H_

// What RunVectorized compiles twice must be inlined into both.
#define TERSOR_INLINE [[gnu::always_inline]] static inline

namespace tersor {

#ifdef __x86_64__
template <class Loop, typename... Arguments>
[[gnu::target("avx2")]] auto RunWithAvx2(Arguments... arguments) {
  return Loop::Run(arguments...);
}
#endif

// Loop::Run(arguments...), a TERSOR_INLINE function, with AVX2 where the CPU has it. There is no FMA among what it is
// compiled for, so that all machines give the same bits.
template <class Loop, typename... Arguments>
auto RunVectorized(Arguments... arguments) {
#ifdef __x86_64__
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  if (has_avx2) return RunWithAvx2<Loop>(arguments...);
#endif
  return Loop::Run(arguments...);
}

}  // namespace tersor

#endif  // TERSOR_CORE_TENSOR_VECTORIZED_H_
