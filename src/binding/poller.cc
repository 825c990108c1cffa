#include "poller.h"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "wait_pool.h"

// Lives on until libuv is done with it.
struct Poller::Handle {
  uv_poll_t poll;
  std::shared_ptr<LoopHandles> handles;
};

std::unique_ptr<Poller> Poller::Open(Addon& addon, std::shared_ptr<Descriptor> descriptor,
                                     bool shared, Callback callback, int* failed) {
  const int fd = descriptor->fd();
  int epoll = -1;
  if (shared) {
    epoll_event none = {};
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &none) < 0) {
      *failed = -errno;
      if (epoll >= 0) close(epoll);
      return nullptr;
    }
  }
  auto handle = std::make_unique<Handle>();
  *failed = uv_poll_init(addon.loop(), &handle->poll, epoll >= 0 ? epoll : fd);
  if (*failed) {
    if (epoll >= 0) close(epoll);
    return nullptr;
  }
  return std::unique_ptr<Poller>(
      new Poller(addon, std::move(descriptor), epoll, handle.release(), std::move(callback)));
}

Poller::Poller(Addon& addon, std::shared_ptr<Descriptor> descriptor, int epoll, Handle* handle,
               Callback callback)
    : addon_(addon),
      descriptor_(std::move(descriptor)),
      epoll_(epoll),
      handle_(handle),
      callback_(std::move(callback)) {
  handle_->handles = addon_.handles();
  handle_->handles->Opened();
  handle_->poll.data = this;
  // Who looks has no active handle: what keeps the process alive is a hold on the pool.
  uv_unref(reinterpret_cast<uv_handle_t*>(&handle_->poll));
}

// libuv lets go of the descriptor at once, so that it is closed when the queue is.
Poller::~Poller() {
  if (turns_ > 0) addon_.looker().Remove(this);
  wanted_ = 0;
  UpdateHold();
  handle_->poll.data = handle_;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll), [](uv_handle_t* closed) {
    auto* handle = static_cast<Handle*>(closed->data);
    const auto handles = handle->handles;
    delete handle;
    handles->Closed();
  });
  if (epoll_ >= 0) close(epoll_);
}

int Poller::Want(int events) {
  wanted_ |= events;
  UpdateHold();
  if (turns_ > 0) return 0;
  turns_ = patience_.turns();
  if (turns_ > 0) {
    addon_.looker().Add(this);
    return 0;
  }
  patience_.Sleep();
  return (wanted_ & ~armed_) ? Arm() : 0;
}

bool Poller::Look() {
  pollfd look = {descriptor_->fd(), 0, 0};
  if (wanted_ & UV_READABLE) look.events |= POLLIN;
  if (wanted_ & UV_WRITABLE) look.events |= POLLOUT;
  if (wanted_ && poll(&look, 1, 0) > 0) {
    int ready = 0;
    // POLLERR and the like: whoever asks the kernel next is told what it is.
    if (look.revents & ~POLLOUT) ready |= UV_READABLE;
    if (look.revents & ~POLLIN) ready |= UV_WRITABLE;
    if (armed_) uv_poll_stop(&handle_->poll);
    armed_ = 0;
    const bool more = (wanted_ & ~ready) != 0;
    if (!more) turns_ = 0;
    Tell(0, ready & wanted_);
    return more;
  }
  if (wanted_ && --turns_ > 0) return true;
  turns_ = 0;
  if (!wanted_) return false;
  patience_.Sleep();
  if (wanted_ & ~armed_) {
    if (const int failed = Arm()) Tell(failed, wanted_);
  }
  return false;
}

void Poller::Unwant(int events) {
  wanted_ &= ~events;
  UpdateHold();
}

void Poller::KeepAlive(bool keep_alive) {
  keep_alive_ = keep_alive;
  UpdateHold();
}

void Poller::UpdateHold() {
  const bool hold = wanted_ && keep_alive_;
  if (hold == held_) return;
  held_ = hold;
  if (hold) {
    addon_.waits().Hold();
  } else {
    addon_.waits().Release();
  }
}

int Poller::Arm() {
  armed_ = 0;
  if (!wanted_) return uv_poll_stop(&handle_->poll);
  int events = wanted_;
  if (epoll_ >= 0) {
    epoll_event event = {};
    event.events =
        ((wanted_ & UV_READABLE) ? EPOLLIN : 0u) | ((wanted_ & UV_WRITABLE) ? EPOLLOUT : 0u);
    if (epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor_->fd(), &event) < 0) return -errno;
    events = UV_READABLE;
  }
  const int failed =
      uv_poll_start(&handle_->poll, events, [](uv_poll_t* poll, int status, int ready) {
        static_cast<Poller*>(poll->data)->OnEvents(status, ready);
      });
  if (failed == 0) armed_ = wanted_;
  return failed;
}

void Poller::OnEvents(int status, int events) {
  if (status == 0 && epoll_ >= 0) {
    epoll_event event = {};
    events = epoll_wait(epoll_, &event, 1, 0) == 1
                 ? ((event.events & EPOLLIN) ? UV_READABLE : 0) |
                       ((event.events & EPOLLOUT) ? UV_WRITABLE : 0)
                 : 0;
  }
  const int ready = status == 0 ? events & wanted_ : wanted_;
  if (status != 0) {
    armed_ = 0;
    uv_poll_stop(&handle_->poll);
  }
  // Nobody asked again since the last event: stop, or poll only for the rest.
  if (!ready) {
    Arm();
    return;
  }
  if (turns_ == 0) patience_.Wake();
  Tell(status, ready);
}

void Poller::Tell(int status, int events) {
  wanted_ &= ~events;
  UpdateHold();
  // A copy: the callback may destroy this poller.
  const Callback callback = callback_;
  callback(status, events);
}
