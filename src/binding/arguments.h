#pragma once

#include <napi.h>

#include <cerrno>
#include <cstdint>

// The arguments of a call from JavaScript. TypeScript has checked what they mean; here they are
// only made safe: anything else than the expected kind reads as 0, which no system call minds.

inline int64_t Int64(const Napi::CallbackInfo& info, size_t index) {
  int64_t value = 0;
  if (index >= info.Length()) return 0;
  napi_value argument = info[index];
  if (napi_get_value_int64(info.Env(), argument, &value) == napi_ok) return value;
  bool lossless = false;
  napi_get_value_bigint_int64(info.Env(), argument, &value, &lossless);
  return value;
}

inline int32_t Int32(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<int32_t>(Int64(info, index));
}

inline bool Bool(const Napi::CallbackInfo& info, size_t index) {
  return index < info.Length() && info[index].IsBoolean() && info[index].As<Napi::Boolean>();
}

// A result is what the system call returned, or its errno, negated.
inline Napi::Value Result(Napi::Env env, int64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

// The one place where EINTR is retried for calls that do not block.
template <typename Call>
auto Retry(Call call) -> decltype(call()) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}
