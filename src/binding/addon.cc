#include "addon.h"

#include <algorithm>

#include "descriptor.h"
#include "line_pump.h"
#include "looker.h"
#include "posix_notifier.h"
#include "posix_queue.h"
#include "system.h"
#include "sysv_queue.h"
#include "sysv_wait.h"
#include "wait_pool.h"

Addon::Addon(Napi::Env env, Napi::Object exports)
    : env_(env), context_(std::make_unique<Napi::AsyncContext>(env, "kernelmq")) {
  napi_get_uv_event_loop(env, &loop_);
  descriptors_ = std::make_unique<Descriptors>();
  looker_ = std::make_unique<Looker>(loop_, handles_);
  Add(looker_.get());
  waits_ = std::make_unique<WaitPool>(loop_, handles_);
  Add(waits_.get());
  napi_add_async_cleanup_hook(env, &Addon::Cleanup, this, nullptr);

  exports.Set("sysv", SysVQueue::Functions(env));
  exports.Set("SysVWait", SysVWait::Define(env));
  exports.Set("LinePump", LinePump::Define(env));
  exports.Set("posix", PosixQueue::Functions(env));
  exports.Set("PosixQueue", PosixQueue::Define(env));
  exports.Set("PosixNotifier", PosixNotifier::Define(env));
  exports.Set("system", SystemFunctions(env));
}

Addon::~Addon() = default;

void Addon::Remove(Closable* closable) {
  closables_.erase(std::remove(closables_.begin(), closables_.end(), closable), closables_.end());
}

bool Addon::Call(Napi::Object receiver, const char* method,
                 std::initializer_list<napi_value> arguments) {
  if (closing_) return false;
  Napi::Value callback = receiver.Get(method);
  if (env_.IsExceptionPending() || !callback.IsFunction()) return false;
  callback.As<Napi::Function>().MakeCallback(receiver, arguments, *context_);
  if (env_.IsExceptionPending()) {
    Napi::Error error = env_.GetAndClearPendingException();
    napi_fatal_exception(env_, error.Value());
  }
  return true;
}

void Addon::Cleanup(napi_async_cleanup_hook_handle hook, void* data) {
  auto* addon = static_cast<Addon*>(data);
  addon->closing_ = true;
  // A copy: closing may remove from the list.
  const std::vector<Closable*> closables = addon->closables_;
  std::for_each(closables.rbegin(), closables.rend(), [](Closable* each) { each->Close(); });
  addon->context_.reset();
  addon->handles_->WhenNone([hook] { napi_remove_async_cleanup_hook(hook); });
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Addon(env, exports));
  return exports;
}

NODE_API_MODULE(kernelmq, Init)
