#pragma once

#include <napi.h>

#include <memory>

#include "addon.h"
#include "poller.h"

// mq_notify(3) without a signal or a thread: the kernel's own form of SIGEV_THREAD (which C
// libraries build on) writes a 32-byte cookie to a netlink socket, and a socket can be polled.
// `onnotify(what)` is called with 1 when a message has arrived, with 2 when the registration was
// removed (any descriptor of that queue closed in this process removes it), or with -errno.
class PosixNotifier : public Napi::ObjectWrap<PosixNotifier>, public Closable {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit PosixNotifier(const Napi::CallbackInfo& info);
  ~PosixNotifier() override;

  void Close() override;

 private:
  // register(queueFd): 0 or -errno. One registration at a time; again after each onnotify.
  Napi::Value Register(const Napi::CallbackInfo& info);
  void KeepAlive(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo& info);
  int Open();
  void OnReadable(int status);

  Addon& addon_;
  std::shared_ptr<Descriptor> socket_;
  int queue_ = -1;
  bool keep_alive_ = true;
  bool registered_ = false;
  std::unique_ptr<Poller> poller_;
};
