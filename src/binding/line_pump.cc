#include "line_pump.h"

#include <cerrno>
#include <string>

#include "addon.h"
#include "arguments.h"
#include "blocking_queue.h"
#include "descriptor.h"
#include "lines_to_queue.h"
#include "queue_to_lines.h"

namespace {

std::string Bytes(Napi::Env env, napi_value value) {
  void* data = nullptr;
  size_t length = 0;
  bool is_buffer = false;
  napi_is_buffer(env, value, &is_buffer);
  if (!is_buffer || napi_get_buffer_info(env, value, &data, &length) != napi_ok) return {};
  return {static_cast<char*>(data), length};
}

Napi::Object Object(const Napi::CallbackInfo& info, size_t index) {
  const Napi::Value value = info[index];
  return value.IsObject() ? value.As<Napi::Object>() : Napi::Object::New(info.Env());
}

int64_t Number(Napi::Object object, const char* name) {
  return Int64(object.Env(), object.Get(name));
}

bool Flag(Napi::Object object, const char* name) { return Bool(object.Get(name)); }

// How long a message may be; 0 for what cannot be, which makes room for none.
size_t Size(Napi::Object lines) {
  const int64_t size = Number(lines, "size");
  return size < 0 || size > INT32_MAX ? 0 : static_cast<size_t>(size);
}

// Null where it is a descriptor that is closed.
std::unique_ptr<BlockingQueue> Open(Addon& addon, Napi::Object queue) {
  if (queue.Has("id")) {
    return std::make_unique<BlockingSysVQueue>(static_cast<int>(Number(queue, "id")),
                                               Number(queue, "type"), Flag(queue, "except"));
  }
  auto descriptor = addon.descriptors().Find(static_cast<int>(Number(queue, "fd")));
  if (!descriptor) return nullptr;
  return std::make_unique<BlockingPosixQueue>(std::move(descriptor), Flag(queue, "shared"));
}

}  // namespace

Napi::Function LinePump::Define(Napi::Env env) {
  return DefineClass(env, "LinePump",
                     {
                         InstanceMethod<&LinePump::ToQueue>("toQueue"),
                         InstanceMethod<&LinePump::FromQueue>("fromQueue"),
                         InstanceMethod<&LinePump::Cancel>("cancel"),
                         InstanceMethod<&LinePump::Progress>("progress"),
                     });
}

LinePump::LinePump(const Napi::CallbackInfo& info) : Napi::ObjectWrap<LinePump>(info) {}

Napi::Value LinePump::ToQueue(const Napi::CallbackInfo& info) {
  if (busy_) return Result(info.Env(), -EBUSY);
  const Napi::Object queue = Object(info, 0);
  const Napi::Object lines = Object(info, 1);
  auto blocking = Open(Addon::Of(info.Env()), queue);
  if (!blocking) return Result(info.Env(), -EBADF);
  const LinesToQueue::Options options = {
      static_cast<int>(Number(lines, "fd")),
      Number(queue, "type"),
      Size(lines),
      static_cast<char>(Number(lines, "delimiter")),
      Bytes(info.Env(), lines.Get("mark")),
      Flag(lines, "pack"),
      Flag(lines, "count"),
  };
  return Start(
      std::make_unique<LinesToQueue>(std::move(blocking), options, Bytes(info.Env(), info[2])));
}

Napi::Value LinePump::FromQueue(const Napi::CallbackInfo& info) {
  if (busy_) return Result(info.Env(), -EBUSY);
  const Napi::Object queue = Object(info, 0);
  const Napi::Object lines = Object(info, 1);
  auto blocking = Open(Addon::Of(info.Env()), queue);
  if (!blocking) return Result(info.Env(), -EBADF);
  const QueueToLines::Options options = {
      static_cast<int>(Number(lines, "fd")),
      Size(lines),
      static_cast<char>(Number(lines, "delimiter")),
      Bytes(info.Env(), lines.Get("mark")),
      Flag(lines, "eof"),
  };
  return Start(std::make_unique<QueueToLines>(std::move(blocking), options));
}

Napi::Value LinePump::Start(std::unique_ptr<Pumping> pumping) {
  if (!pumping->hasMemory()) return Result(Env(), -ENOMEM);
  pumping_ = std::move(pumping);
  WaitPool& waits = Addon::Of(Env()).waits();
  if (const int failed = waits.Start(this)) return Result(Env(), failed);
  busy_ = true;
  Ref();
  waits.Hold();
  return Result(Env(), 0);
}

int LinePump::Block() { return pumping_->Run(cancelled()); }

void LinePump::Done(int status) {
  Napi::HandleScope scope(Env());
  busy_ = false;
  Addon& addon = Addon::Of(Env());
  addon.waits().Release();
  Napi::Object self = Value();
  Unref();
  const Pumping::Rest rest = pumping_->rest();
  const bool told = addon.Call(
      self, "ondone",
      {Result(Env(), status), Napi::Boolean::New(Env(), pumping_->atQueue()),
       Napi::Buffer<char>::Copy(Env(), rest.data, rest.size), Result(Env(), rest.count)});
  if (!told) Forsaken(status);
}

void LinePump::Forsaken(int) { pumping_->Forsaken(); }

void LinePump::Cancel(const Napi::CallbackInfo&) {
  if (busy_) Addon::Of(Env()).waits().Cancel(this);
}

Napi::Value LinePump::Progress(const Napi::CallbackInfo& info) {
  Napi::Array progress = Napi::Array::New(info.Env(), 3);
  const auto number = [&](uint64_t value) {
    return Napi::Number::New(info.Env(), static_cast<double>(value));
  };
  progress.Set(uint32_t{0}, number(pumping_ ? pumping_->bytes() : 0));
  progress.Set(uint32_t{1}, number(pumping_ ? pumping_->records() : 0));
  progress.Set(uint32_t{2}, Napi::Boolean::New(info.Env(), pumping_ && pumping_->atQueue()));
  return progress;
}
