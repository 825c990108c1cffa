#include "line_pump.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "addon.h"
#include "arguments.h"
#include "blocking_queue.h"
#include "descriptor.h"
#include "lines_to_queue.h"
#include "queue_to_lines.h"

namespace {

// Good until JavaScript goes on.
std::string_view Bytes(Napi::Env env, napi_value value) {
  void* data = nullptr;
  size_t length = 0;
  bool is_buffer = false;
  napi_is_buffer(env, value, &is_buffer);
  if (!is_buffer || napi_get_buffer_info(env, value, &data, &length) != napi_ok) return {};
  return {static_cast<char*>(data), length};
}

int64_t Number(Napi::Object object, const char* name) {
  return Int64(object.Env(), object.Get(name));
}

bool Flag(Napi::Object object, const char* name) { return Bool(object.Get(name)); }

size_t Size(Napi::Object lines) {
  return static_cast<size_t>(std::clamp<int64_t>(Number(lines, "size"), 0, INT32_MAX));
}

Napi::Value Progress(Napi::Env env, const Pumping& pumping) {
  Napi::Object progress = Napi::Object::New(env);
  progress.Set("bytes", static_cast<double>(pumping.bytes()));
  progress.Set("records", static_cast<double>(pumping.records()));
  progress.Set("atQueue", pumping.atQueue());
  return progress;
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
                         InstanceMethod<&LinePump::ProgressNow>("progress"),
                     });
}

LinePump::LinePump(const Napi::CallbackInfo& info) : Napi::ObjectWrap<LinePump>(info) {}

Napi::Value LinePump::ToQueue(const Napi::CallbackInfo& info) {
  return Start(info, [&](auto blocking, Napi::Object queue, Napi::Object lines) {
    const LinesToQueue::Options options = {
        static_cast<int>(Number(lines, "fd")),
        Number(queue, "type"),
        Size(lines),
        static_cast<char>(Number(lines, "delimiter")),
        std::string(Bytes(info.Env(), lines.Get("mark"))),
        Flag(lines, "pack"),
        Flag(lines, "count"),
        Flag(lines, "pollFirst"),
    };
    return std::make_unique<LinesToQueue>(std::move(blocking), options, Bytes(info.Env(), info[2]));
  });
}

Napi::Value LinePump::FromQueue(const Napi::CallbackInfo& info) {
  return Start(info, [&](auto blocking, Napi::Object, Napi::Object lines) {
    const QueueToLines::Options options = {
        static_cast<int>(Number(lines, "fd")),
        Size(lines),
        static_cast<char>(Number(lines, "delimiter")),
        std::string(Bytes(info.Env(), lines.Get("mark"))),
        Flag(lines, "eof"),
    };
    return std::make_unique<QueueToLines>(std::move(blocking), options);
  });
}

template <typename Make>
Napi::Value LinePump::Start(const Napi::CallbackInfo& info, Make make) {
  if (pumping_) return Result(Env(), -EBUSY);
  if (!info[0].IsObject() || !info[1].IsObject()) return Result(Env(), -EINVAL);
  Addon& addon = Addon::Of(Env());
  const auto queue = info[0].As<Napi::Object>();
  auto blocking = Open(addon, queue);
  if (!blocking) return Result(Env(), -EBADF);
  auto pumping = make(std::move(blocking), queue, info[1].As<Napi::Object>());
  if (Env().IsExceptionPending()) return Env().Undefined();
  if (!pumping->hasMemory()) return Result(Env(), -ENOMEM);
  pumping_ = std::move(pumping);
  if (const int failed = addon.waits().Start(this)) {
    pumping_.reset();
    return Result(Env(), failed);
  }
  Ref();
  addon.waits().Hold();
  return Result(Env(), 0);
}

int LinePump::Block() { return pumping_->Run(cancelled()); }

void LinePump::Done(int status) {
  Napi::Env env = Env();
  Napi::HandleScope scope(env);
  // It may be started again when it is told.
  const auto pumping = std::move(pumping_);
  Addon& addon = Addon::Of(env);
  addon.waits().Release();
  Napi::Object self = Value();
  Unref();
  const Pumping::Rest rest = pumping->rest();
  const bool told =
      addon.Call(self, "ondone",
                 {Result(env, status), Napi::Buffer<char>::Copy(env, rest.data, rest.size),
                  Result(env, rest.count), Progress(env, *pumping)});
  if (!told) pumping->Forsaken();
}

void LinePump::Forsaken(int) { pumping_->Forsaken(); }

void LinePump::Cancel(const Napi::CallbackInfo&) {
  if (pumping_) Addon::Of(Env()).waits().Cancel(this);
}

Napi::Value LinePump::ProgressNow(const Napi::CallbackInfo& info) {
  return pumping_ ? Progress(info.Env(), *pumping_) : info.Env().Undefined();
}
