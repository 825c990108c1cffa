#pragma once

#include <napi.h>

#include "looker.h"
#include "outgoing.h"
#include "wait_pool.h"

// One wait on a System V queue, which has no descriptor to poll: for a message of a type, or for
// room for messages. At most one is in progress per object; when it is over,
// `ondone(status, typeLow, typeHigh, threadless)` is called with
//
//   0         a matching message is there, and still in the queue
//   n > 0     the wait did the work itself: it took an empty message (of that type), or sent n
//             messages, fewer than it was given where it was cancelled or the system call failed
//   -errno    the system call failed; -ECANCELED: cancelled. Nothing happened
//
// Waiting for a message asks msgrcv(2) for 0 bytes without MSG_NOERROR: the kernel answers E2BIG
// the moment a matching message is there and leaves it in the queue. Only an empty one it does
// take.
class SysVWait : public Napi::ObjectWrap<SysVWait>, public Wait, public Looking {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit SysVWait(const Napi::CallbackInfo& info);
  ~SysVWait() override = default;

  // A wait begins by looking for a few turns of the event loop; only then a thread blocks for it.
  bool Look() override;
  int Block() override;
  void Done(int status) override;
  // An empty message that the call took goes back.
  void Forsaken(int status) override;

 private:
  // forMessage(id, type, except), forRoom(id, slab, offset, count): 0, or -errno where no thread
  // could be had (or -EBUSY, -EINVAL for what TypeScript never asks).
  Napi::Value ForMessage(const Napi::CallbackInfo& info);
  Napi::Value ForRoom(const Napi::CallbackInfo& info);
  void Cancel(const Napi::CallbackInfo& info);
  void KeepAlive(const Napi::CallbackInfo& info);

  Napi::Value Begin();
  // The system call, blocking or with IPC_NOWAIT.
  int Try(int flags);
  // `threadless`: no thread could be had, and `status` says why.
  void Finish(int status, bool threadless = false);
  void UpdateHold();

  bool busy_ = false;
  Patience patience_;
  int turns_ = 0;
  bool cancelling_ = false;
  bool keep_alive_ = true;
  bool held_ = false;

  // What the pool's thread works with: not touched by the event loop while busy.
  int id_ = -1;
  long type_ = 0;
  int flags_ = 0;
  bool room_ = false;
  Outgoing outgoing_;
};
