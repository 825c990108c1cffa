#pragma once

#include <uv.h>

#include <functional>
#include <memory>

#include "addon.h"
#include "descriptor.h"
#include "looker.h"

// Readiness of one descriptor on the event loop. A wait begins by looking, with poll(2), for a few
// turns of the loop, and only then sleeps in epoll (uv_poll_t). As long as looking is enough, the
// descriptor is not in epoll's set: there every message that anybody sends or takes would go
// through its callback, under the locks that the next message needs. Behind a sleep it is left
// there, so that who sleeps every time costs no epoll_ctl(2). The poller owns the descriptor too:
// polling a closed one aborts the process.
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

  // Asks for events (UV_READABLE, UV_WRITABLE) besides those asked for already; 0 or -errno. They
  // are told of once.
  int Want(int events);
  void Unwant(int events);
  // Whether waiting here keeps the event loop alive.
  void KeepAlive(bool keep_alive);

 private:
  struct Handle;
  Poller(Addon& addon, std::shared_ptr<Descriptor> descriptor, int epoll, Handle* handle,
         Callback callback);
  bool Look() override;
  // Has epoll watch for what is wanted, or for nothing.
  int Arm();
  void UpdateHold();
  void OnEvents(int status, int events);
  void Tell(int status, int events);

  Addon& addon_;
  std::shared_ptr<Descriptor> descriptor_;
  // -1 where the descriptor itself is polled.
  int epoll_;
  Handle* handle_;
  Callback callback_;
  Patience patience_;
  int turns_ = 0;
  int wanted_ = 0;
  int armed_ = 0;
  bool keep_alive_ = true;
  bool held_ = false;
};
