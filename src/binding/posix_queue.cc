#include "posix_queue.h"

#include <fcntl.h>
#include <mqueue.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "arguments.h"
#include "posix_calls.h"
#include "record.h"

namespace {

Napi::Value Open(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsString()) return Result(info.Env(), -EINVAL);
  const std::string name = info[0].As<Napi::String>();
  mq_attr attributes = {};
  attributes.mq_maxmsg = Int64(info, 3);
  attributes.mq_msgsize = Int64(info, 4);
  // 0 and 0 ask for the system's defaults; TypeScript fills in a missing one of the two.
  mq_attr* wanted = attributes.mq_maxmsg || attributes.mq_msgsize ? &attributes : nullptr;
  const int flags = Int32(info, 1) | O_NONBLOCK | O_CLOEXEC;
  const mqd_t fd = Retry(
      [&] { return mq_open(name.c_str(), flags, static_cast<mode_t>(Int32(info, 2)), wanted); });
  return Result(info.Env(), fd < 0 ? -errno : fd);
}

Napi::Value Unlink(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsString()) return Result(info.Env(), -EINVAL);
  const std::string name = info[0].As<Napi::String>();
  return Result(info.Env(), mq_unlink(name.c_str()) < 0 ? -errno : 0);
}

// attributes(fd): { flags, maxMessages, maxMessageSize, messages }; EBADF for what is not a queue.
// mq_getattr(3)
Napi::Value Attributes(const Napi::CallbackInfo& info) {
  mq_attr attributes;
  if (mq_getattr(Int32(info, 0), &attributes) < 0) return Result(info.Env(), -errno);
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("flags", static_cast<double>(attributes.mq_flags));
  result.Set("maxMessages", static_cast<double>(attributes.mq_maxmsg));
  result.Set("maxMessageSize", static_cast<double>(attributes.mq_msgsize));
  result.Set("messages", static_cast<double>(attributes.mq_curmsgs));
  return result;
}

}  // namespace

Napi::Object PosixQueue::Functions(Napi::Env env) {
  Napi::Object functions = Napi::Object::New(env);
  functions.Set("open", Napi::Function::New(env, Open, "open"));
  functions.Set("unlink", Napi::Function::New(env, Unlink, "unlink"));
  functions.Set("attributes", Napi::Function::New(env, Attributes, "attributes"));
  return functions;
}

Napi::Function PosixQueue::Define(Napi::Env env) {
  return DefineClass(env, "PosixQueue",
                     {
                         InstanceMethod<&PosixQueue::Send>("send"),
                         InstanceMethod<&PosixQueue::Receive>("receive"),
                         InstanceMethod<&PosixQueue::ForMessage>("forMessage"),
                         InstanceMethod<&PosixQueue::ForRoom>("forRoom"),
                         InstanceMethod<&PosixQueue::CancelMessage>("cancelMessage"),
                         InstanceMethod<&PosixQueue::CancelRoom>("cancelRoom"),
                         InstanceMethod<&PosixQueue::KeepAlive>("keepAlive"),
                         InstanceMethod<&PosixQueue::CloseFromJs>("close"),
                     });
}

PosixQueue::PosixQueue(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<PosixQueue>(info),
      addon_(Addon::Of(info.Env())),
      descriptor_(addon_.descriptors().Own(Int32(info, 0))),
      shared_(Bool(info, 1)) {
  addon_.Add(this);
}

PosixQueue::~PosixQueue() {
  Close();
  addon_.Remove(this);
}

void PosixQueue::Close() {
  if (!descriptor_) return;
  descriptor_.reset();
  Wanting(0);
  poller_.reset();
}

void PosixQueue::CloseFromJs(const Napi::CallbackInfo&) { Close(); }

int PosixQueue::SendRecord(Record& record) {
  return PosixSend(fd(), shared_, record.data(), record.length, record.type);
}

Napi::Value PosixQueue::Send(const Napi::CallbackInfo& info) {
  Slab slab(info.Env(), info[0], Int64(info, 1));
  const int count = Int32(info, 2);
  if (!slab.valid()) return Result(info.Env(), -EFAULT);
  int sent = 0;
  for (; sent < count; ++sent) {
    Record* record = slab.Filled();
    const int failed = record ? SendRecord(*record) : EFAULT;
    if (failed) return Result(info.Env(), sent ? sent : -failed);
    slab.Advance(*record);
  }
  return Result(info.Env(), sent);
}

Napi::Value PosixQueue::Receive(const Napi::CallbackInfo& info) {
  Slab slab(info.Env(), info[0], Int64(info, 1));
  const int max = Int32(info, 2);
  if (!slab.valid()) return Result(info.Env(), -EFAULT);
  int taken = 0;
  while (taken < max) {
    size_t capacity;
    Record* record = slab.Free(&capacity);
    if (!record) return Result(info.Env(), taken ? taken : -E2BIG);
    if (const int failed = PosixReceive(fd(), shared_, record, capacity)) {
      return Result(info.Env(), taken ? taken : -failed);
    }
    slab.Advance(*record);
    ++taken;
    if (record->length == 0) break;
  }
  return Result(info.Env(), taken);
}

Napi::Value PosixQueue::ForMessage(const Napi::CallbackInfo& info) {
  return Result(info.Env(), Want(UV_READABLE));
}

Napi::Value PosixQueue::ForRoom(const Napi::CallbackInfo& info) {
  if (wanted_ & UV_WRITABLE) return Result(info.Env(), -EBUSY);
  Slab slab(info.Env(), info[0], Int64(info, 1));
  if (!slab.valid() || !outgoing_.Copy(slab, Int32(info, 2))) {
    return Result(info.Env(), -EINVAL);
  }
  return Result(info.Env(), Want(UV_WRITABLE));
}

void PosixQueue::CancelMessage(const Napi::CallbackInfo&) { Unwant(UV_READABLE); }

Napi::Value PosixQueue::CancelRoom(const Napi::CallbackInfo& info) {
  Unwant(UV_WRITABLE);
  return Result(info.Env(), outgoing_.sent());
}

int PosixQueue::Want(int events) {
  if (!descriptor_) return -EBADF;
  if (!poller_) {
    int failed = 0;
    poller_ = Poller::Open(
        addon_, descriptor_, shared_, [this](int status, int events) { OnReady(status, events); },
        &failed);
    if (!poller_) return failed;
    poller_->KeepAlive(keep_alive_);
  }
  const int failed = poller_->Want(events);
  if (failed == 0) Wanting(wanted_ | events);
  return failed;
}

void PosixQueue::Unwant(int events) {
  if (poller_) poller_->Unwant(events);
  Wanting(wanted_ & ~events);
}

void PosixQueue::KeepAlive(const Napi::CallbackInfo& info) {
  keep_alive_ = Bool(info, 0);
  if (poller_) poller_->KeepAlive(keep_alive_);
}

// Whoever waits is not garbage.
void PosixQueue::Wanting(int events) {
  if (events && !wanted_) Ref();
  if (!events && wanted_) Unref();
  wanted_ = events;
}

void PosixQueue::OnReady(int status, int events) {
  Napi::HandleScope scope(Env());
  Napi::Object self = Value();
  if (events & wanted_ & UV_WRITABLE) OnRoom(status);
  // What the first was told may have ended the other wait.
  if (events & wanted_ & UV_READABLE) {
    Wanting(wanted_ & ~UV_READABLE);
    addon_.Call(self, "onmessage", {Result(Env(), status)});
  }
}

void PosixQueue::OnRoom(int status) {
  bool unpolled = status != 0;
  if (status == 0) {
    status = -outgoing_.SendAll([this](Record& record) { return SendRecord(record); });
    if (status == -EAGAIN) {
      status = poller_->Want(UV_WRITABLE);
      if (status == 0) return;
      unpolled = true;
    }
  }
  // What went before a failure went; the failure comes back with the rest.
  if (outgoing_.sent() > 0) status = outgoing_.sent();
  Wanting(wanted_ & ~UV_WRITABLE);
  addon_.Call(Value(), "onroom", {Result(Env(), status), Napi::Boolean::New(Env(), unpolled)});
}
