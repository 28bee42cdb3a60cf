#include "rtc/process_limits.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <latch>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace telnyx {

namespace {

std::string Limit(const char* name, __rlimit_resource_t resource) {
  rlimit limit{};
  getrlimit(resource, &limit);
  const std::string value = limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
  return std::string(name) + " is " + value;
}

}  // namespace

bool MayHaveThreads(size_t count) {
  std::latch all_tried(1);
  std::vector<std::thread> threads;
  bool room = true;
  try {
    for (size_t i = 0; i < count; ++i) threads.emplace_back([&all_tried] { all_tried.wait(); });
  } catch (const std::system_error&) {
    room = false;
  }
  all_tried.count_down();
  for (std::thread& thread : threads) thread.join();
  return room;
}

bool MayHaveDescriptors(size_t count) {
  std::vector<int> descriptors;
  while (descriptors.size() < count) {
    const int descriptor = open("/", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) break;
    descriptors.push_back(descriptor);
  }
  const bool room = descriptors.size() == count;
  for (const int descriptor : descriptors) close(descriptor);
  return room;
}

void RequireProcessLimits(size_t threads, size_t descriptors) {
  if (!MayHaveThreads(threads))
    throw std::runtime_error("there is no room for the " + std::to_string(threads) +
                             " threads of the media engine: raise the limit of threads (" +
                             Limit("RLIMIT_NPROC", RLIMIT_NPROC) +
                             "; containers have a limit of pids), or run fewer processes");
  if (!MayHaveDescriptors(descriptors))
    throw std::runtime_error("there is no room for the " + std::to_string(descriptors) +
                             " file descriptors of the media engine: raise the limit of open files (" +
                             Limit("RLIMIT_NOFILE", RLIMIT_NOFILE) + "), or close some");
}

}  // namespace telnyx
