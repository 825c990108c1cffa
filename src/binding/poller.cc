#include "poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

// Lives on until libuv is done with it.
struct Poller::Handle {
  uv_poll_t poll;
  std::shared_ptr<Descriptor> descriptor;
  int epoll;
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
  auto poller = std::unique_ptr<Poller>(new Poller(addon, std::move(callback)));
  handle->descriptor = std::move(descriptor);
  handle->epoll = epoll;
  handle->handles = addon.handles();
  handle->handles->Opened();
  handle->poll.data = poller.get();
  poller->handle_ = handle.release();
  poller->UpdateRef();
  return poller;
}

Poller::~Poller() {
  if (turns_ > 0) addon_.looker().Remove(this);
  handle_->poll.data = handle_;
  uv_poll_stop(&handle_->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll), [](uv_handle_t* closed) {
    auto* handle = static_cast<Handle*>(closed->data);
    if (handle->epoll >= 0) close(handle->epoll);
    const auto handles = handle->handles;
    delete handle;
    handles->Closed();
  });
}

int Poller::Want(int events) {
  wanted_ |= events;
  UpdateRef();
  if (const int failed = (wanted_ & ~armed_) ? Arm() : 0) return failed;
  if (turns_ > 0) return 0;
  turns_ = patience_.turns();
  if (turns_ > 0) {
    addon_.looker().Add(this);
  } else {
    patience_.Sleep();
  }
  return 0;
}

bool Poller::Look() {
  if (wanted_ && --turns_ > 0) return true;
  if (wanted_) patience_.Sleep();
  turns_ = 0;
  return false;
}

void Poller::Unwant(int events) {
  wanted_ &= ~events;
  UpdateRef();
}

void Poller::KeepAlive(bool keep_alive) {
  keep_alive_ = keep_alive;
  UpdateRef();
}

void Poller::UpdateRef() {
  auto* handle = reinterpret_cast<uv_handle_t*>(&handle_->poll);
  if (wanted_ && keep_alive_) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

int Poller::Arm() {
  armed_ = wanted_;
  if (!armed_) return uv_poll_stop(&handle_->poll);
  int events = armed_;
  if (handle_->epoll >= 0) {
    epoll_event event = {};
    event.events =
        ((armed_ & UV_READABLE) ? EPOLLIN : 0u) | ((armed_ & UV_WRITABLE) ? EPOLLOUT : 0u);
    if (epoll_ctl(handle_->epoll, EPOLL_CTL_MOD, handle_->descriptor->fd(), &event) < 0)
      return -errno;
    events = UV_READABLE;
  }
  return uv_poll_start(&handle_->poll, events, [](uv_poll_t* poll, int status, int ready) {
    static_cast<Poller*>(poll->data)->OnEvents(status, ready);
  });
}

void Poller::OnEvents(int status, int events) {
  if (status == 0 && handle_->epoll >= 0) {
    epoll_event event = {};
    events = epoll_wait(handle_->epoll, &event, 1, 0) == 1
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
  wanted_ &= ~ready;
  UpdateRef();
  if (turns_ == 0) patience_.Wake();
  // A copy: the callback may destroy this poller.
  const Callback callback = callback_;
  callback(status, ready);
}
