#include "posix_notifier.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "arguments.h"

namespace {

// From the kernel's ipc/mqueue.c; the last byte of the cookie comes back as the reason.
constexpr size_t kCookie = 32;

}  // namespace

Napi::Function PosixNotifier::Define(Napi::Env env) {
  return DefineClass(env, "PosixNotifier",
                     {
                         InstanceMethod<&PosixNotifier::Register>("register"),
                         InstanceMethod<&PosixNotifier::KeepAlive>("keepAlive"),
                         InstanceMethod<&PosixNotifier::CloseFromJs>("close"),
                     });
}

PosixNotifier::PosixNotifier(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<PosixNotifier>(info), addon_(Addon::Of(info.Env())) {
  addon_.Add(this);
}

PosixNotifier::~PosixNotifier() {
  Close();
  addon_.Remove(this);
}

int PosixNotifier::Open() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  socket_ = std::make_shared<Descriptor>(fd);
  int failed = 0;
  poller_ = Poller::Open(
      addon_, socket_, false, [this](int status, int) { OnReadable(status); }, &failed);
  if (poller_) {
    poller_->KeepAlive(keep_alive_);
    return 0;
  }
  socket_.reset();
  return failed;
}

Napi::Value PosixNotifier::Register(const Napi::CallbackInfo& info) {
  if (registered_) return Result(info.Env(), -EBUSY);
  if (!socket_) {
    if (const int failed = Open()) return Result(info.Env(), failed);
  }
  queue_ = Int32(info, 0);
  char cookie[kCookie] = {};
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_signo = socket_->fd();
  event.sigev_value.sival_ptr = cookie;
  // The system call, not mq_notify(3): that would start a helper thread of the C library's.
  if (syscall(SYS_mq_notify, queue_, &event) < 0) return Result(info.Env(), -errno);
  if (const int failed = poller_->Want(UV_READABLE)) {
    syscall(SYS_mq_notify, queue_, nullptr);
    return Result(info.Env(), failed);
  }
  registered_ = true;
  Ref();
  return Result(info.Env(), 0);
}

void PosixNotifier::KeepAlive(const Napi::CallbackInfo& info) {
  keep_alive_ = Bool(info, 0);
  if (poller_) poller_->KeepAlive(keep_alive_);
}

void PosixNotifier::OnReadable(int status) {
  if (!registered_) return;
  char cookie[kCookie];
  int what = status;
  if (status == 0) {
    const ssize_t length =
        Retry([&] { return recv(socket_->fd(), cookie, sizeof cookie, MSG_DONTWAIT); });
    if (length < 0 && errno == EAGAIN) {
      poller_->Want(UV_READABLE);
      return;
    }
    what = length < 0 ? -errno : cookie[kCookie - 1];
  }
  Napi::HandleScope scope(Env());
  Napi::Object self = Value();
  registered_ = false;
  Unref();
  addon_.Call(self, "onnotify", {Result(Env(), what)});
}

// A null event withdraws this process's registration, if the kernel still has it.
void PosixNotifier::Close() {
  if (registered_) {
    syscall(SYS_mq_notify, queue_, nullptr);
    registered_ = false;
    Unref();
  }
  poller_.reset();
  socket_.reset();
}

void PosixNotifier::CloseFromJs(const Napi::CallbackInfo&) { Close(); }
