#pragma once

#include <napi.h>

#include <memory>

#include "addon.h"
#include "descriptor.h"
#include "outgoing.h"
#include "poller.h"
#include "record.h"

// An open POSIX queue: owns the descriptor (with others, where they took over the same), and polls
// it, for one wait for a message and one for room at a time. A handle that is garbage-collected
// closes its descriptor.
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
  // forMessage(): `onmessage(status)` follows, 0 or what polling failed with.
  Napi::Value ForMessage(const Napi::CallbackInfo& info);
  // forRoom(slab, offset, count): `onroom(status, unpolled)` follows, when all are sent or one
  // cannot be: how many were, or where none was, why. `unpolled`: it is polling that failed.
  Napi::Value ForRoom(const Napi::CallbackInfo& info);
  void CancelMessage(const Napi::CallbackInfo& info);
  // How many were sent by then.
  Napi::Value CancelRoom(const Napi::CallbackInfo& info);
  void KeepAlive(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo& info);

  // -1 once closed.
  int fd() const { return descriptor_ ? descriptor_->fd() : -1; }
  // 0, or the errno.
  int SendRecord(Record& record);
  int Want(int events);
  void Unwant(int events);
  void OnReady(int status, int events);
  void OnRoom(int status);
  void Wanting(int events);

  Addon& addon_;
  // Null once closed.
  std::shared_ptr<Descriptor> descriptor_;
  // The open file description is other processes' too: its flags are not ours to change.
  bool shared_;
  bool keep_alive_ = true;
  int wanted_ = 0;
  std::unique_ptr<Poller> poller_;
  Outgoing outgoing_;
};
