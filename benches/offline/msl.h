// As much of Metal's language as the kernels take, for clang to compile them for NVIDIA's cards. For figures, not for results.
// With DOUBLE, `float` is double: naga writes no f64 for Metal.

typedef unsigned int uint;
typedef unsigned long ulong;

#ifdef DOUBLE
typedef double real_number;
typedef long real_mask;
#else
typedef float real_number;
typedef int real_mask;
#endif

#define constant const
#define device
#define threadgroup
#define thread
#define kernel inline

// Every function is inlined, as drivers do it.
#pragma clang attribute push(__attribute__((always_inline)), apply_to = function)

namespace metal {

using ::uint;

#define VECTOR(T, NAME)                                                                             \
    typedef T NAME##2 __attribute__((ext_vector_type(2)));                                          \
    typedef T NAME##3 __attribute__((ext_vector_type(3)));                                          \
    typedef T NAME##4 __attribute__((ext_vector_type(4)));                                          \
    inline NAME##2 make_##NAME##2(T a) { return a; }                                                \
    inline NAME##3 make_##NAME##3(T a) { return a; }                                                \
    inline NAME##4 make_##NAME##4(T a) { return a; }                                                \
    inline NAME##2 make_##NAME##2(T a, T b) { return NAME##2{a, b}; }                               \
    inline NAME##3 make_##NAME##3(T a, T b, T c) { return NAME##3{a, b, c}; }                       \
    inline NAME##3 make_##NAME##3(NAME##2 a, T b) { return NAME##3{a.x, a.y, b}; }                  \
    inline NAME##4 make_##NAME##4(T a, T b, T c, T d) { return NAME##4{a, b, c, d}; }
VECTOR(real_number, float)
VECTOR(real_mask, bool)
VECTOR(int, int)
VECTOR(uint, uint)

template <typename T, typename U> inline T convert(U a) { return __builtin_convertvector(a, T); }

template <typename T> inline T min(T a, T b) { return a < b ? a : b; }
template <typename T> inline T max(T a, T b) { return a > b ? a : b; }
inline float min(float a, float b) { return __builtin_fminf(a, b); }
inline float max(float a, float b) { return __builtin_fmaxf(a, b); }
inline double min(double a, double b) { return __builtin_fmin(a, b); }
inline double max(double a, double b) { return __builtin_fmax(a, b); }
inline float4 min(float4 a, float4 b) { return __builtin_elementwise_min(a, b); }
inline float4 max(float4 a, float4 b) { return __builtin_elementwise_max(a, b); }
template <typename T> inline T clamp(T x, T a, T b) { return min(max(x, a), b); }
template <typename T, typename M> inline T select(T a, T b, M c) { return c ? b : a; }
#ifdef DOUBLE
// Of comparisons of integers.
inline float4 select(float4 a, float4 b, int4 c) { return __builtin_convertvector(c, bool4) ? b : a; }
#endif

inline float sqrt(float x) { return __nvvm_sqrt_approx_f(x); }
inline double sqrt(double x) { return __builtin_sqrt(x); }
inline float4 sqrt(float4 a) { return float4{sqrt(a.x), sqrt(a.y), sqrt(a.z), sqrt(a.w)}; }
inline float abs(float x) { return __builtin_fabsf(x); }
inline double abs(double x) { return __builtin_fabs(x); }
inline float4 abs(float4 a) { return __builtin_elementwise_abs(a); }
inline int abs(int x) { return x < 0 ? -x : x; }
inline real_number dot(float4 a, float4 b) {
    float4 p = a * b;
    return p.x + p.y + p.z + p.w;
}
template <typename V> inline bool any(V a) { return __builtin_reduce_or(a) != 0; }
template <typename V> inline bool all(V a) { return __builtin_reduce_and(a) != 0; }

inline uint popcount(uint x) { return __builtin_popcount(x); }
inline uint4 popcount(uint4 x) { return {popcount(x.x), popcount(x.y), popcount(x.z), popcount(x.w)}; }
inline uint ctz(uint x) { return x ? __builtin_ctz(x) : 32u; }
inline uint clz(uint x) { return x ? __builtin_clz(x) : 32u; }
template <typename T> inline T extract_bits(T x, uint offset, uint count) {
    return T(x << (32u - offset - count)) >> (32u - count);
}
inline uint mulhi(uint a, uint b) { return uint((ulong(a) * b) >> 32); }

enum mem_flags { mem_none, mem_device, mem_threadgroup };
inline mem_flags operator|(mem_flags a, mem_flags b) { return mem_flags(int(a) | int(b)); }
inline void threadgroup_barrier(mem_flags) { __nvvm_bar_sync(0); }

enum memory_order { memory_order_relaxed };
template <typename T> struct atomic { T value; };
typedef atomic<uint> atomic_uint;
typedef atomic<int> atomic_int;
#define FETCH(NAME)                                                                                  \
    template <typename T, typename U> inline T atomic_fetch_##NAME##_explicit(atomic<T>* p, U x, memory_order) { \
        return __atomic_fetch_##NAME(&p->value, T(x), __ATOMIC_RELAXED);                             \
    }
FETCH(add)
FETCH(sub)
FETCH(or)
FETCH(and)
FETCH(max)
FETCH(min)
template <typename T> inline T atomic_load_explicit(atomic<T>* p, memory_order) { return *(volatile T*)&p->value; }
template <typename T, typename U> inline void atomic_store_explicit(atomic<T>* p, U x, memory_order) {
    *(volatile T*)&p->value = T(x);
}

inline int shuffled(int x, uint lane) { return __nvvm_shfl_sync_idx_i32(~0u, x, lane, 31); }
inline int crossed(int x, uint mask) { return __nvvm_shfl_sync_bfly_i32(~0u, x, mask, 31); }
#define SHUFFLE(NAME, HOW)                                                                           \
    template <typename T> inline T NAME(T x, uint to) {                                              \
        struct words { int of[sizeof(T) / 4]; };                                                     \
        words all = __builtin_bit_cast(words, x);                                                    \
        _Pragma("unroll") for (uint i = 0; i < sizeof(T) / 4; i++) all.of[i] = HOW(all.of[i], to);   \
        return __builtin_bit_cast(T, all);                                                           \
    }
SHUFFLE(simd_shuffle, shuffled)
SHUFFLE(simd_shuffle_xor, crossed)
inline bool simd_any(bool x) { return __nvvm_vote_any_sync(~0u, x); }
inline bool simd_all(bool x) { return __nvvm_vote_all_sync(~0u, x); }

}  // namespace metal

template <typename T, typename U> inline T as_type(U x) {
    if constexpr (sizeof(T) == sizeof(U)) {
        return __builtin_bit_cast(T, x);
    } else {
        // Bits of what single precision is, in kernels of double.
        return T(__builtin_bit_cast(float, x));
    }
}

// metal::float4(..) makes one; metal::float4 alone is the type.
#define float2(...) make_float2(__VA_ARGS__)
#define float3(...) make_float3(__VA_ARGS__)
#define float4(...) make_float4(__VA_ARGS__)
#define bool2(...) make_bool2(__VA_ARGS__)
#define bool3(...) make_bool3(__VA_ARGS__)
#define bool4(...) make_bool4(__VA_ARGS__)
#define int2(...) make_int2(__VA_ARGS__)
#define int3(...) make_int3(__VA_ARGS__)
#define int4(...) make_int4(__VA_ARGS__)
#define uint2(...) make_uint2(__VA_ARGS__)
#define uint3(...) make_uint3(__VA_ARGS__)
#define uint4(...) make_uint4(__VA_ARGS__)
#ifdef DOUBLE
#define float double
#endif
