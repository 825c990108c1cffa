#pragma once

#include <uv.h>

#include <functional>
#include <memory>

#include "addon.h"

// Readiness of one descriptor on the event loop (uv_poll_t). Events are one-shot for the owner but
// the watch is left armed behind them: an owner that asks again at once, as a busy reader does,
// costs no epoll_ctl(2). The descriptor is closed with the poller, and only once libuv has let go
// of it: polling a closed descriptor aborts the process.
class Poller {
 public:
  using Callback = std::function<void(int status, int events)>;

  // `shared`: the open file description belongs to other processes too. uv_poll would set
  // O_NONBLOCK on it under their hands, so an epoll descriptor of our own is polled in its place.
  static std::unique_ptr<Poller> Open(Addon& addon, int fd, bool shared, Callback callback,
                                      int* failed);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Asks for events (UV_READABLE, UV_WRITABLE) besides those asked for already; 0 or -errno.
  int Want(int events);
  void Unwant(int events);
  // Whether waiting here keeps the event loop alive.
  void KeepAlive(bool keep_alive);

 private:
  struct Handle;
  explicit Poller(Callback callback) : callback_(std::move(callback)) {}
  int Arm();
  void UpdateRef();
  void OnEvents(int status, int events);

  Callback callback_;
  Handle* handle_ = nullptr;
  int wanted_ = 0;
  int armed_ = 0;
  bool keep_alive_ = true;
};
