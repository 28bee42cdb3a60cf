// Whatever libwebrtc opens is closed when the process becomes another program, by the linker's --wrap: a child that
// kept a socket would keep its UDP port bound. libwebrtc itself sets no such flag.

#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_accept(int listening, struct sockaddr* address, socklen_t* length);
int __wrap_epoll_create(int size);
int __wrap_pipe(int ends[2]);

int __wrap_socket(int domain, int type, int protocol) { return __real_socket(domain, type | SOCK_CLOEXEC, protocol); }

int __wrap_accept(int listening, struct sockaddr* address, socklen_t* length) {
  return accept4(listening, address, length, SOCK_CLOEXEC);
}

int __wrap_epoll_create(int size) {
  (void)size;
  return epoll_create1(EPOLL_CLOEXEC);
}

int __wrap_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
