// The static archives were compiled for executables and address these four data objects of libc relative to the
// program counter, which a shared object may not do across a library boundary. Hidden copies of our own satisfy
// the references.

#define HIDDEN __attribute__((visibility("hidden")))

extern char _IO_2_1_stdout_, _IO_2_1_stderr_;  // glibc's stream objects, to which stdout and stderr point

HIDDEN void* stdout = &_IO_2_1_stdout_;
HIDDEN void* stderr = &_IO_2_1_stderr_;
HIDDEN const unsigned char in6addr_any[16] __attribute__((aligned(4))) = {0};
HIDDEN const unsigned char in6addr_loopback[16] __attribute__((aligned(4))) = {[15] = 1};
