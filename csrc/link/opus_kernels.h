// The loops of opus_kernels.cc, which includes this once for each kind of processor, in a namespace of its own: vectors
// are translated for the processor that is chosen where they are written. Hence no include guard.

using Doubles [[gnu::vector_size(32)]] = double;
using Floats [[gnu::vector_size(32)]] = float;
using Indices [[gnu::vector_size(32)]] = long long;

// The correlations of x with each section of a chain of allpass filters, y[i](n) = y[i-1](n-1) + w * (y[i](n-1) -
// y[i-1](n)) with y[0] = x. Sample by sample, each section would wait for the one before it. So section i works on
// sample t - i in step t: then all that it needs was made in the last two steps.
template <int kVectors>
static inline void WarpedAutocorrelation(float* correlation, const float* x, double warping, int length, int order) {
  const Doubles w = {warping, warping, warping, warping};
  const Indices one_further = {3, 4, 5, 6};  // the lanes of the second vector, with the last of the first in front
  Doubles y[kVectors] = {}, from_left[kVectors] = {}, signal[kVectors] = {},
          sum[kVectors] = {};  // of sections 1, 2, ...
  double last = 0, sum_of_0 = 0;
  for (int t = 0; t < length + order; ++t) {
    Doubles y_left = {0, 0, 0, last}, signal_left = y_left;
    for (int v = 0; v < kVectors; ++v) {
      const Doubles y_before = y[v], signal_before = signal[v];
      const Doubles left = __builtin_shuffle(y_left, y_before, one_further);
      y[v] = from_left[v] + w * (y_before - left);
      from_left[v] = left;
      signal[v] = __builtin_shuffle(signal_left, signal_before, one_further);
      sum[v] += signal[v] * y[v];
      y_left = y_before;
      signal_left = signal_before;
    }
    last = t < length ? x[t] : 0;
    sum_of_0 += last * last;
  }
  correlation[0] = static_cast<float>(sum_of_0);
  for (int i = 0; i < order; ++i) correlation[i + 1] = static_cast<float>(sum[i / 4][i % 4]);
}

// What linear prediction leaves of x.
template <int kOrder>
static inline void Whiten(float* residual, const float* coefficients, const float* x, int length) {
  constexpr int kLanes = sizeof(Floats) / sizeof(float);
  int n = kOrder;
  for (; n + kLanes <= length; n += kLanes) {
    Floats samples, prediction;
    std::memcpy(&samples, x + n - 1, sizeof(samples));
    prediction = samples * coefficients[0];
    for (int i = 1; i < kOrder; ++i) {
      std::memcpy(&samples, x + n - 1 - i, sizeof(samples));
      prediction += samples * coefficients[i];
    }
    std::memcpy(&samples, x + n, sizeof(samples));
    samples -= prediction;
    std::memcpy(residual + n, &samples, sizeof(samples));
  }
  for (; n < length; ++n) {
    float prediction = x[n - 1] * coefficients[0];
    for (int i = 1; i < kOrder; ++i) prediction += x[n - 1 - i] * coefficients[i];
    residual[n] = x[n] - prediction;
  }
  std::memset(residual, 0, kOrder * sizeof(float));
}

static void WarpedAutocorrelationOfOrder(float* correlation, const float* x, float warping, int length, int order) {
  if (order <= 16) return WarpedAutocorrelation<4>(correlation, x, warping, length, order);
  WarpedAutocorrelation<6>(correlation, x, warping, length, order);  // 24 at most
}

static void WhitenWithOrder(float* residual, const float* coefficients, const float* x, int length, int order) {
  switch (order) {
    case 6:
      return Whiten<6>(residual, coefficients, x, length);
    case 8:
      return Whiten<8>(residual, coefficients, x, length);
    case 10:
      return Whiten<10>(residual, coefficients, x, length);
    case 12:
      return Whiten<12>(residual, coefficients, x, length);
    case 16:
      return Whiten<16>(residual, coefficients, x, length);
  }
  __builtin_trap();  // SILK has no other orders
}
