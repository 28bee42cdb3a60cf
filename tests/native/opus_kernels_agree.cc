// Our loops of Opus' encoder and libopus' own must give the same numbers to the last bit.

#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

namespace any {
#include "link/opus_kernels.h"
}

#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#include "link/opus_kernels.h"
}
#pragma GCC pop_options

extern "C" {
void silk_warped_autocorrelation_FLP(float* correlation, const float* x, float warping, int length, int order);
void silk_LPC_analysis_filter_FLP(float* residual, const float* coefficients, const float* x, int length, int order);
}

namespace {

using Kernel = void (*)(float*, const float*, const float*, float, int, int);

int Compare(const char* name, int order, bool with_avx2, Kernel original, Kernel plain, Kernel vectors) {
  static std::mt19937 random(order);
  std::normal_distribution<float> normal(0, 3000);
  int wrong = 0;
  for (int length = order + 1; length < 250; ++length) {
    std::vector<float> x(length), coefficients(order);
    for (float& sample : x) sample = normal(random);
    for (float& coefficient : coefficients) coefficient = normal(random) / 6000;
    const auto result = [&](Kernel kernel) {
      std::vector<float> out(length + order + 1);
      kernel(out.data(), coefficients.data(), x.data(), coefficients[0], length, order);
      return out;
    };
    const auto expected = result(original);
    wrong += result(plain) != expected;
    if (with_avx2) wrong += result(vectors) != expected;
  }
  if (wrong != 0) std::printf("%s, order %d: %d wrong\n", name, order, wrong);
  return wrong;
}

}  // namespace

int main() {
  const bool with_avx2 = __builtin_cpu_supports("avx2");
  int wrong = 0;
  for (int order = 12; order <= 24; order += 2)
    wrong += Compare(
        "warped autocorrelation", order, with_avx2,
        [](float* out, const float*, const float* x, float w, int length, int order) {
          silk_warped_autocorrelation_FLP(out, x, w, length, order);
        },
        [](float* out, const float*, const float* x, float w, int length, int order) {
          any::WarpedAutocorrelationOfOrder(out, x, w, length, order);
        },
        [](float* out, const float*, const float* x, float w, int length, int order) {
          avx2::WarpedAutocorrelationOfOrder(out, x, w, length, order);
        });
  for (int order : {6, 8, 10, 12, 16})
    wrong += Compare(
        "whitening", order, with_avx2,
        [](float* out, const float* a, const float* x, float, int length, int order) {
          silk_LPC_analysis_filter_FLP(out, a, x, length, order);
        },
        [](float* out, const float* a, const float* x, float, int length, int order) {
          any::WhitenWithOrder(out, a, x, length, order);
        },
        [](float* out, const float* a, const float* x, float, int length, int order) {
          avx2::WhitenWithOrder(out, a, x, length, order);
        });
  return wrong != 0;
}
