// Lets modules that are compiled with a newer glibc's headers run with an older one. Where a function has got a new
// version over the years, the references are bound to the version that every glibc has; on a build machine that has
// only the new one this changes nothing but the symbol's version.

#define HIDDEN __attribute__((visibility("hidden")))

// glibc 2.32: whether the process has one thread only. libstdc++ then counts references without atomics; 0 is always
// right, and true in any process with an engine.
HIDDEN char __libc_single_threaded = 0;

// glibc 2.29 has versions of these that no longer set errno the way of System V; the earlier ones compute the same.
#if defined(__x86_64__)
#define BASE "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define BASE "GLIBC_2.17"
#elif defined(__arm__)
#define BASE "GLIBC_2.4"
#endif

#ifdef BASE
__asm__(".symver base_exp, exp@" BASE);
__asm__(".symver base_log, log@" BASE);
__asm__(".symver base_pow, pow@" BASE);

double base_exp(double x);
double base_log(double x);
double base_pow(double x, double y);

HIDDEN double exp(double x) { return base_exp(x); }
HIDDEN double log(double x) { return base_log(x); }
HIDDEN double pow(double x, double y) { return base_pow(x, y); }
#endif
