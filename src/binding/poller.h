#pragma once

#include <uv.h>

#include <functional>
#include <memory>

#include "addon.h"
#include "descriptor.h"
#include "looker.h"

// Readiness of one descriptor on the event loop (uv_poll_t). Events are one-shot for the owner but
// the watch is left armed behind them: an owner that asks again at once, as a busy reader does,
// costs no epoll_ctl(2). The descriptor is held until libuv has let go of it: polling a closed
// one aborts the process.
class Poller : public Looking {
 public:
  using Callback = std::function<void(int status, int events)>;

  // `shared`: the open file description belongs to other processes too. uv_poll would set
  // O_NONBLOCK on it under their hands, so an epoll descriptor of our own is polled in its place.
  static std::unique_ptr<Poller> Open(Addon& addon, std::shared_ptr<Descriptor> descriptor,
                                      bool shared, Callback callback, int* failed);
  ~Poller() override;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Asks for events (UV_READABLE, UV_WRITABLE) besides those asked for already; 0 or -errno.
  int Want(int events);
  void Unwant(int events);
  // Whether waiting here keeps the event loop alive.
  void KeepAlive(bool keep_alive);

 private:
  struct Handle;
  Poller(Addon& addon, Callback callback) : addon_(addon), callback_(std::move(callback)) {}
  // Polling with the event loop kept turning: what comes soon is found without sleep.
  bool Look() override;
  int Arm();
  void UpdateRef();
  void OnEvents(int status, int events);

  Addon& addon_;
  Callback callback_;
  Patience patience_;
  int turns_ = 0;
  Handle* handle_ = nullptr;
  int wanted_ = 0;
  int armed_ = 0;
  bool keep_alive_ = true;
};
