#pragma once

#include <napi.h>

#include <cerrno>
#include <cstdint>

// The arguments of a call from JavaScript. TypeScript has checked what they mean; here they are
// only made safe: anything else than the expected kind reads as 0, which no system call minds.

inline int64_t Int64(napi_env env, napi_value argument) {
  int64_t value = 0;
  if (napi_get_value_int64(env, argument, &value) == napi_ok) return value;
  bool lossless = false;
  napi_get_value_bigint_int64(env, argument, &value, &lossless);
  return value;
}

inline int64_t Int64(const Napi::CallbackInfo& info, size_t index) {
  return index < info.Length() ? Int64(info.Env(), info[index]) : 0;
}

inline int32_t Int32(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<int32_t>(Int64(info, index));
}

inline bool Bool(Napi::Value argument) {
  return argument.IsBoolean() && argument.As<Napi::Boolean>();
}

inline bool Bool(const Napi::CallbackInfo& info, size_t index) {
  return index < info.Length() && Bool(info[index]);
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
