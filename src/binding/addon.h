#pragma once

#include <napi.h>
#include <uv.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

class Descriptors;
class Looker;
class WaitPool;

// Something that owns handles of the event loop or threads, and must let go of them before the
// environment ends.
class Closable {
 public:
  virtual ~Closable() = default;
  // Idempotent. uv_close completes later: LoopHandles tells when.
  virtual void Close() = 0;
};

// Counts the libuv handles that are open. A handle frees itself in its close callback, which may
// run after its owner has gone; what it needs there is this count, and so the count is shared.
class LoopHandles {
 public:
  void Opened() { ++open_; }
  void Closed() {
    if (--open_ == 0 && when_none_) when_none_();
  }
  void WhenNone(std::function<void()> callback) {
    if (open_ == 0) return callback();
    when_none_ = std::move(callback);
  }

 private:
  size_t open_ = 0;
  std::function<void()> when_none_;
};

// All that the addon keeps for one environment (the main thread's or a worker's): there is no other
// state. At the environment's end an asynchronous cleanup hook closes everything in reverse order
// and waits until libuv has let go of it.
class Addon {
 public:
  Addon(Napi::Env env, Napi::Object exports);
  ~Addon();
  Addon(const Addon&) = delete;
  Addon& operator=(const Addon&) = delete;

  static Addon& Of(Napi::Env env) { return *env.GetInstanceData<Addon>(); }

  uv_loop_t* loop() const { return loop_; }
  const std::shared_ptr<LoopHandles>& handles() const { return handles_; }
  Descriptors& descriptors() { return *descriptors_; }
  Looker& looker() { return *looker_; }
  WaitPool& waits() { return *waits_; }

  void Add(Closable* closable) { closables_.push_back(closable); }
  void Remove(Closable* closable);

  // Calls `receiver[method](...arguments)` from the event loop. What it throws becomes an
  // 'uncaughtException', as with any callback of Node's own. False where JavaScript
  // can no longer be called: its environment ends.
  bool Call(Napi::Object receiver, const char* method, std::initializer_list<napi_value> arguments);

 private:
  static void Cleanup(napi_async_cleanup_hook_handle hook, void* data);

  Napi::Env env_;
  uv_loop_t* loop_ = nullptr;
  bool closing_ = false;
  std::shared_ptr<LoopHandles> handles_ = std::make_shared<LoopHandles>();
  // In the order of their creation.
  std::vector<Closable*> closables_;
  std::unique_ptr<Descriptors> descriptors_;
  std::unique_ptr<Looker> looker_;
  std::unique_ptr<WaitPool> waits_;
  std::unique_ptr<Napi::AsyncContext> context_;
};
