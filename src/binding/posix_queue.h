#pragma once

#include <napi.h>

#include <memory>

#include "addon.h"
#include "descriptor.h"
#include "poller.h"

// An open POSIX queue: owns the descriptor (with others, where they took over the same), and polls
// it. `onready(status, events)` is called when what want() asked for is there: 1 readable, 2
// writable. A handle that is garbage-collected closes its descriptor.
class PosixQueue : public Napi::ObjectWrap<PosixQueue>, public Closable {
 public:
  static Napi::Function Define(Napi::Env env);
  // open(name, flags, mode, maxMessages, maxMessageSize), unlink(name), attributes(fd)
  static Napi::Object Functions(Napi::Env env);

  // new PosixQueue(fd, shared): takes the descriptor over.
  explicit PosixQueue(const Napi::CallbackInfo& info);
  ~PosixQueue() override;

  void Close() override;

 private:
  // All return the call's result, or its errno, negated. send and receive as in sysv_queue.cc.
  Napi::Value Send(const Napi::CallbackInfo& info);
  Napi::Value Receive(const Napi::CallbackInfo& info);
  // want(events): asks for onready.
  Napi::Value Want(const Napi::CallbackInfo& info);
  void Unwant(const Napi::CallbackInfo& info);
  void KeepAlive(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo& info);

  // -1 once closed.
  int fd() const { return descriptor_ ? descriptor_->fd() : -1; }
  void OnReady(int status, int events);
  void Wanting(int events);

  Addon& addon_;
  // Null once closed.
  std::shared_ptr<Descriptor> descriptor_;
  // The open file description is other processes' too: its flags are not ours to change.
  bool shared_;
  bool keep_alive_ = true;
  int wanted_ = 0;
  std::unique_ptr<Poller> poller_;
};
