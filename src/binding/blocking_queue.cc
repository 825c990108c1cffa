#include "blocking_queue.h"

#include <poll.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include <cerrno>
#include <cstring>

#include "posix_calls.h"

BlockingSysVQueue::BlockingSysVQueue(int id, long type, bool except)
    : id_(id), type_(type), flags_(except ? MSG_EXCEPT : 0) {}

int BlockingSysVQueue::Send(char* data, size_t length, int64_t type, bool wait) {
  // As in struct msgbuf. It need not be aligned for the kernel.
  char* message = data - sizeof type;
  std::memcpy(message, &type, sizeof type);
  return msgsnd(id_, message, length, wait ? 0 : IPC_NOWAIT) < 0 ? errno : 0;
}

int BlockingSysVQueue::Receive(Record* record, size_t capacity, bool wait) {
  const ssize_t length =
      msgrcv(id_, record->message(), capacity, type_, flags_ | (wait ? 0 : IPC_NOWAIT));
  if (length < 0) return errno == ENOMSG ? EAGAIN : errno;
  record->length = static_cast<uint32_t>(length);
  return 0;
}

int BlockingPosixQueue::Send(char* data, size_t length, int64_t type, bool wait) {
  for (;;) {
    const int failed = PosixSend(descriptor_->fd(), shared_, data, length, type);
    if (failed != EAGAIN || !wait) return failed;
    if (const int interrupted = WaitFor(descriptor_->fd(), POLLOUT)) return interrupted;
  }
}

int BlockingPosixQueue::Receive(Record* record, size_t capacity, bool wait) {
  for (;;) {
    const int failed = PosixReceive(descriptor_->fd(), shared_, record, capacity);
    if (failed != EAGAIN || !wait) return failed;
    if (const int interrupted = WaitFor(descriptor_->fd(), POLLIN)) return interrupted;
  }
}

int WaitFor(int fd, short events, bool wait) {
  pollfd polled = {fd, events, 0};
  const int ready = poll(&polled, 1, wait ? -1 : 0);
  return ready < 0 ? errno : ready == 0 ? EAGAIN : 0;
}
