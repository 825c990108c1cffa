#include "system.h"

#include <sys/resource.h>

#include <cerrno>
#include <cmath>

#include "arguments.h"

namespace {

// messageQueueLimit(): { soft, hard } in bytes, Infinity where there is none. getrlimit(2),
// RLIMIT_MSGQUEUE
Napi::Value MessageQueueLimit(const Napi::CallbackInfo& info) {
  rlimit limit;
  if (getrlimit(RLIMIT_MSGQUEUE, &limit) < 0) return Result(info.Env(), -errno);
  const auto bytes = [](rlim_t value) {
    return value == RLIM_INFINITY ? HUGE_VAL : static_cast<double>(value);
  };
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("soft", bytes(limit.rlim_cur));
  result.Set("hard", bytes(limit.rlim_max));
  return result;
}

}  // namespace

Napi::Object SystemFunctions(Napi::Env env) {
  Napi::Object functions = Napi::Object::New(env);
  functions.Set("messageQueueLimit",
                Napi::Function::New(env, MessageQueueLimit, "messageQueueLimit"));
  return functions;
}
