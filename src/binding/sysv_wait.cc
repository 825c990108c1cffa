#include "sysv_wait.h"

#include <sys/ipc.h>
#include <sys/msg.h>

#include <cerrno>

#include "addon.h"
#include "arguments.h"
#include "record.h"

Napi::Function SysVWait::Define(Napi::Env env) {
  return DefineClass(env, "SysVWait",
                     {
                         InstanceMethod<&SysVWait::ForMessage>("forMessage"),
                         InstanceMethod<&SysVWait::ForRoom>("forRoom"),
                         InstanceMethod<&SysVWait::Cancel>("cancel"),
                         InstanceMethod<&SysVWait::KeepAlive>("keepAlive"),
                     });
}

SysVWait::SysVWait(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SysVWait>(info) {}

Napi::Value SysVWait::ForMessage(const Napi::CallbackInfo& info) {
  if (busy_) return Result(info.Env(), -EBUSY);
  id_ = Int32(info, 0);
  type_ = Int64(info, 1);
  flags_ = Bool(info, 2) ? MSG_EXCEPT : 0;
  room_ = false;
  return Begin();
}

Napi::Value SysVWait::ForRoom(const Napi::CallbackInfo& info) {
  if (busy_) return Result(info.Env(), -EBUSY);
  Slab slab(info.Env(), info[1], Int64(info, 2));
  if (!slab.valid() || !outgoing_.Copy(slab, Int32(info, 3))) {
    return Result(info.Env(), -EINVAL);
  }
  id_ = Int32(info, 0);
  room_ = true;
  return Begin();
}

Napi::Value SysVWait::Begin() {
  Addon& addon = Addon::Of(Env());
  turns_ = patience_.turns();
  if (turns_ > 0) {
    addon.looker().Add(this);
  } else {
    patience_.Sleep();
    if (const int failed = addon.waits().Start(this)) return Result(Env(), failed);
  }
  busy_ = true;
  Ref();
  UpdateHold();
  return Result(Env(), 0);
}

bool SysVWait::Look() {
  const int status = cancelling_ ? -ECANCELED : Try(IPC_NOWAIT);
  if (status != -EAGAIN && status != -ENOMSG && status != -EINTR) {
    turns_ = 0;
    Finish(status);
    return false;
  }
  if (--turns_ > 0) return true;
  patience_.Sleep();
  if (const int failed = Addon::Of(Env()).waits().Start(this)) Finish(failed, true);
  return false;
}

int SysVWait::Block() { return Try(0); }

int SysVWait::Try(int flags) {
  if (room_) {
    const int failed = outgoing_.SendAll([&](Record& record) {
      return msgsnd(id_, record.message(), record.length, flags) < 0 ? errno : 0;
    });
    return failed ? -failed : outgoing_.sent();
  }
  struct {
    long type;
    char data[8];
  } empty = {};
  const ssize_t length = msgrcv(id_, &empty, 0, type_, flags_ | flags);
  if (length >= 0) {
    type_ = empty.type;
    return 1;
  }
  return errno == E2BIG ? 0 : -errno;
}

void SysVWait::Done(int status) {
  patience_.Wake();
  Finish(status);
}

void SysVWait::Forsaken(int status) {
  if (status != 1 || room_) return;
  const struct {
    long type;
    char data[1];
  } empty = {type_, {}};
  // Nobody is left to be told should there be no room.
  msgsnd(id_, &empty, 0, IPC_NOWAIT);
}

void SysVWait::Finish(int status, bool threadless) {
  Napi::HandleScope scope(Env());
  busy_ = cancelling_ = false;
  UpdateHold();
  // What went before a failure went; the failure comes back with the rest.
  if (room_ && outgoing_.sent() > 0) status = outgoing_.sent();
  Napi::Object self = Value();
  Unref();
  const bool told = Addon::Of(Env()).Call(
      self, "ondone",
      {Result(Env(), status), Result(Env(), static_cast<int32_t>(type_)),
       Result(Env(), static_cast<int32_t>(type_ >> 32)), Napi::Boolean::New(Env(), threadless)});
  if (!told) Forsaken(status);
}

void SysVWait::Cancel(const Napi::CallbackInfo&) {
  if (!busy_) return;
  cancelling_ = true;
  UpdateHold();
  // Who looks finds out at the next look.
  if (turns_ == 0) Addon::Of(Env()).waits().Cancel(this);
}

void SysVWait::KeepAlive(const Napi::CallbackInfo& info) {
  keep_alive_ = Bool(info, 0);
  UpdateHold();
}

// A wait being cancelled keeps the process alive for the moment it takes, even if it did not
// before: what it may have taken has to be put back.
void SysVWait::UpdateHold() {
  const bool hold = busy_ && (keep_alive_ || cancelling_);
  if (hold == held_) return;
  held_ = hold;
  if (hold) {
    Addon::Of(Env()).waits().Hold();
  } else {
    Addon::Of(Env()).waits().Release();
  }
}
