#pragma once

#include <pthread.h>
#include <uv.h>

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "addon.h"

// A system call that blocks, made on a thread of the pool. The owner keeps it alive from Start()
// until Done() or Forsaken().
class Wait {
 public:
  virtual ~Wait() = default;

  // On the pool's thread: makes the call once; what it returned, or its errno, negated.
  virtual int Block() = 0;
  // On the event loop: the wait is over. `status` is Block()'s, or -ECANCELED.
  virtual void Done(int status) = 0;
  // In place of Done(), where the environment ends before it could be told: undoes what was done.
  virtual void Forsaken(int status) = 0;

 protected:
  // For a call that goes on and on.
  const std::atomic<bool>& cancelled() const { return cancelled_; }

 private:
  friend class WaitPool;
  struct Thread* thread_ = nullptr;
  int status_ = 0;
  bool running_ = false;
  std::atomic<bool> cancelled_{false};
};

// Threads of our own for system calls that have no descriptor to poll. Never libuv's pool: four
// blocked receives there stop all of `fs` and `dns`, and the process cannot exit. One thread a wait
// in progress; a thread whose wait is over serves the next one, and ends when idle for long.
//
// A blocked thread is woken by a signal with a handler that does nothing, so that its call returns
// EINTR. A signal that arrives just before the call is lost, so it is sent again until the wait is
// over. Finished waits reach the event loop through one uv_async_t, however many threads there are.
class WaitPool : public Closable {
 public:
  WaitPool(uv_loop_t* loop, std::shared_ptr<LoopHandles> handles);
  ~WaitPool() override;

  // 0, or the negated errno of pthread_create(3).
  int Start(Wait* wait);
  // Done() follows, with -ECANCELED unless the call was quicker.
  void Cancel(Wait* wait);
  // Counts the waits that keep the event loop, and so the process, alive.
  void Hold();
  void Release();
  // Wakes and joins all threads; waits are Forsaken() then. Takes a few milliseconds at most.
  void Close() override;

 private:
  static void* Run(void* thread);
  int Spawn(Thread** thread);
  Wait* Next(Thread* thread);
  void Finish(Thread* thread, int status);
  void Collect();
  void WakeCancelled();

  uv_async_t* async_;
  uv_timer_t* timer_;
  std::shared_ptr<LoopHandles> handles_;
  bool closed_ = false;
  size_t held_ = 0;
  size_t cancelling_ = 0;

  std::mutex mutex_;
  pthread_cond_t progress_;
  bool closing_ = false;
  std::list<std::unique_ptr<Thread>> threads_;
  std::vector<Thread*> idle_;
  std::vector<Thread*> ended_;
  std::vector<Wait*> running_;
  std::vector<Wait*> finished_;
};
