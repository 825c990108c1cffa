#include "wait_pool.h"

#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

#include <algorithm>

#include "loop_handle.h"

namespace {

// Nobody else's: libc keeps the first real-time signals, libuv and Node use none of them.
int WakeSignal() { return SIGRTMAX - 7; }

constexpr size_t kStack = 64 * 1024;
constexpr time_t kIdleSeconds = 10;
constexpr uint64_t kWakeAgainMs = 1;

void Nothing(int) {}

// The handler is the process's, not an environment's: installing it again is harmless. SA_RESTART
// leaves every other call undisturbed; msgrcv(2) and msgsnd(2) return EINTR all the same.
void InstallHandler() {
  struct sigaction action = {};
  action.sa_handler = Nothing;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  sigaction(WakeSignal(), &action, nullptr);
}

template <typename T>
void Erase(std::vector<T>& list, T item) {
  list.erase(std::remove(list.begin(), list.end(), item), list.end());
}

timespec Deadline(clockid_t clock, long milliseconds) {
  timespec at;
  clock_gettime(clock, &at);
  at.tv_sec += milliseconds / 1000;
  at.tv_nsec += (milliseconds % 1000) * 1000000;
  if (at.tv_nsec >= 1000000000) {
    at.tv_sec += 1;
    at.tv_nsec -= 1000000000;
  }
  return at;
}

}  // namespace

struct Thread {
  WaitPool* pool = nullptr;
  pthread_t id = 0;
  pthread_cond_t work;
  Wait* wait = nullptr;

  Thread() {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&work, &attributes);
    pthread_condattr_destroy(&attributes);
  }
  ~Thread() { pthread_cond_destroy(&work); }
};

WaitPool::WaitPool(uv_loop_t* loop, std::shared_ptr<LoopHandles> handles)
    : async_(new uv_async_t), timer_(new uv_timer_t), handles_(std::move(handles)) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&progress_, &attributes);
  pthread_condattr_destroy(&attributes);

  uv_async_init(loop, async_,
                [](uv_async_t* async) { static_cast<WaitPool*>(async->data)->Collect(); });
  uv_timer_init(loop, timer_);
  async_->data = timer_->data = this;
  handles_->Opened();
  handles_->Opened();
  // An idle pool keeps nothing alive; waits do, by Hold().
  uv_unref(reinterpret_cast<uv_handle_t*>(async_));
  uv_unref(reinterpret_cast<uv_handle_t*>(timer_));
}

WaitPool::~WaitPool() {
  Close();
  pthread_cond_destroy(&progress_);
}

int WaitPool::Start(Wait* wait) {
  wait->cancelled_ = false;
  wait->running_ = true;
  std::unique_lock<std::mutex> lock(mutex_);
  Thread* thread = nullptr;
  if (!idle_.empty()) {
    thread = idle_.back();
    idle_.pop_back();
  } else if (const int failed = Spawn(&thread)) {
    wait->running_ = false;
    return failed;
  }
  wait->thread_ = thread;
  thread->wait = wait;
  running_.push_back(wait);
  // Not under the lock, which is the first thing that the thread wants.
  lock.unlock();
  pthread_cond_signal(&thread->work);
  return 0;
}

// Called with the mutex held; the new thread's first act is to take it.
int WaitPool::Spawn(Thread** thread) {
  InstallHandler();
  auto created = std::make_unique<Thread>();
  created->pool = this;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::max<size_t>(kStack, PTHREAD_STACK_MIN));
  // Signals are the main thread's business: here all are blocked but the one that wakes.
  sigset_t blocked, before;
  sigfillset(&blocked);
  sigdelset(&blocked, WakeSignal());
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  const int failed = pthread_create(&created->id, &attributes, &WaitPool::Run, created.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (failed) return -failed;
  *thread = created.get();
  threads_.push_back(std::move(created));
  return 0;
}

void* WaitPool::Run(void* data) {
  auto* thread = static_cast<Thread*>(data);
  while (Wait* wait = thread->pool->Next(thread)) {
    int status;
    do {
      status = wait->cancelled_ ? -ECANCELED : wait->Block();
    } while (status == -EINTR);
    thread->pool->Finish(thread, status);
  }
  return nullptr;
}

// The next wait for this thread, or null when it is to end.
Wait* WaitPool::Next(Thread* thread) {
  std::unique_lock<std::mutex> lock(mutex_);
  const timespec until = Deadline(CLOCK_MONOTONIC, kIdleSeconds * 1000);
  while (!thread->wait && !closing_) {
    if (pthread_cond_timedwait(&thread->work, mutex_.native_handle(), &until) == ETIMEDOUT) break;
  }
  if (thread->wait) return thread->wait;
  Erase(idle_, thread);
  if (closing_) return nullptr;
  ended_.push_back(thread);
  uv_async_send(async_);
  return nullptr;
}

void WaitPool::Finish(Thread* thread, int status) {
  std::unique_lock<std::mutex> lock(mutex_);
  Wait* wait = thread->wait;
  wait->status_ = status;
  wait->thread_ = nullptr;
  thread->wait = nullptr;
  Erase(running_, wait);
  finished_.push_back(wait);
  idle_.push_back(thread);
  pthread_cond_signal(&progress_);
  lock.unlock();
  // Close() joins this thread before it closes the handle.
  uv_async_send(async_);
}

// On the event loop: hands over what has finished and joins the threads that have ended.
void WaitPool::Collect() {
  std::vector<Wait*> finished;
  std::list<std::unique_ptr<Thread>> ended;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    finished.swap(finished_);
    for (Thread* thread : ended_) {
      const auto at = std::find_if(threads_.begin(), threads_.end(),
                                   [thread](const auto& each) { return each.get() == thread; });
      ended.splice(ended.end(), threads_, at);
    }
    ended_.clear();
  }
  for (const auto& thread : ended) pthread_join(thread->id, nullptr);
  for (Wait* wait : finished) {
    if (!wait->running_) continue;
    wait->running_ = false;
    if (wait->cancelled_ && --cancelling_ == 0) uv_timer_stop(timer_);
    wait->Done(wait->status_);
  }
}

void WaitPool::Cancel(Wait* wait) {
  if (!wait->running_ || wait->cancelled_.exchange(true)) return;
  if (++cancelling_ == 1) {
    uv_timer_start(
        timer_, [](uv_timer_t* timer) { static_cast<WaitPool*>(timer->data)->WakeCancelled(); },
        kWakeAgainMs, kWakeAgainMs);
  }
  std::unique_lock<std::mutex> lock(mutex_);
  if (wait->thread_) pthread_kill(wait->thread_->id, WakeSignal());
}

void WaitPool::WakeCancelled() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (Wait* wait : running_) {
    if (wait->cancelled_) pthread_kill(wait->thread_->id, WakeSignal());
  }
}

void WaitPool::Hold() {
  if (held_++ == 0) uv_ref(reinterpret_cast<uv_handle_t*>(async_));
}

void WaitPool::Release() {
  if (--held_ == 0) uv_unref(reinterpret_cast<uv_handle_t*>(async_));
}

void WaitPool::Close() {
  if (closed_) return;
  closed_ = true;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    closing_ = true;
    for (const auto& thread : threads_) pthread_cond_signal(&thread->work);
    while (!running_.empty()) {
      for (Wait* wait : running_) {
        wait->cancelled_ = true;
        pthread_kill(wait->thread_->id, WakeSignal());
      }
      const timespec until = Deadline(CLOCK_MONOTONIC, kWakeAgainMs);
      pthread_cond_timedwait(&progress_, mutex_.native_handle(), &until);
    }
  }
  for (const auto& thread : threads_) pthread_join(thread->id, nullptr);
  threads_.clear();
  for (Wait* wait : finished_) {
    if (wait->running_) wait->Forsaken(wait->status_);
  }
  CloseHandle(async_, handles_);
  CloseHandle(timer_, handles_);
}
