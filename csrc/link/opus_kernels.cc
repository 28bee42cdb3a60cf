// Two inner loops of Opus' encoder for vector units. Debian's libopus has them as plain C, and spends a fifth of an
// encoder's time there.
//
// They add and round as libopus does, in the same order: what is encoded is the same to the last bit.

#if defined(__x86_64__)

#include <cstring>

namespace {

namespace any {
#include "link/opus_kernels.h"
}  // namespace any

#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#include "link/opus_kernels.h"
}  // namespace avx2
#pragma GCC pop_options

const bool has_avx2 = __builtin_cpu_supports("avx2");

}  // namespace

extern "C" {

void silk_warped_autocorrelation_FLP(float* correlation, const float* x, float warping, int length, int order) {
  (has_avx2 ? avx2::WarpedAutocorrelationOfOrder : any::WarpedAutocorrelationOfOrder)(correlation, x, warping, length,
                                                                                      order);
}

void silk_LPC_analysis_filter_FLP(float* residual, const float* coefficients, const float* x, int length, int order) {
  (has_avx2 ? avx2::WhitenWithOrder : any::WhitenWithOrder)(residual, coefficients, x, length, order);
}

}  // extern "C"

#endif
