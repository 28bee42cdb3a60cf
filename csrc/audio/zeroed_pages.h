// Memory for queues that are long, but seldom full.

#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <type_traits>

namespace telnyx {

// An array of zeros, in pages of its own: each costs memory only from the first write to it, and goes back to the
// system with the array. calloc promises neither. After the first large block is freed, glibc takes the next ones from
// its heap, and clears them by writing to all of them.
template <typename T>
class ZeroedPages {
 public:
  explicit ZeroedPages(size_t count) : size_(count * sizeof(T)), memory_(Map(size_)) {}
  ~ZeroedPages() { munmap(memory_, size_); }
  ZeroedPages(const ZeroedPages&) = delete;
  ZeroedPages& operator=(const ZeroedPages&) = delete;

  T& operator[](size_t index) const { return static_cast<T*>(memory_)[index]; }

 private:
  static_assert(std::is_trivially_destructible_v<T>);

  static void* Map(size_t size) {
    void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return memory;
  }

  const size_t size_;
  void* const memory_;
};

}  // namespace telnyx
