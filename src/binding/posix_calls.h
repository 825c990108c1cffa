#pragma once

#include <mqueue.h>

#include <cerrno>
#include <ctime>

#include "arguments.h"
#include "record.h"

// mq_send(3) and mq_receive(3) that never wait: 0 or an errno, EAGAIN where the queue is full or
// empty.
//
// An inherited description (`shared`) may be a blocking one, and is not ours to change: a time
// limit that has passed makes its calls return at once. Ours have O_NONBLOCK; a limit would only be
// copied.

inline const timespec* NoWait(bool shared) {
  static constexpr timespec kLongAgo = {0, 0};
  return shared ? &kLongAgo : nullptr;
}

inline int PosixSend(int fd, bool shared, const char* data, size_t length, int64_t type) {
  const auto priority = static_cast<unsigned>(type);
  const int failed =
      Retry([&] { return mq_timedsend(fd, data, length, priority, NoWait(shared)); });
  if (failed == 0) return 0;
  return errno == ETIMEDOUT ? EAGAIN : errno;
}

inline int PosixReceive(int fd, bool shared, Record* record, size_t capacity) {
  unsigned priority = 0;
  const ssize_t length = Retry(
      [&] { return mq_timedreceive(fd, record->data(), capacity, &priority, NoWait(shared)); });
  // The buffer must have room for the queue's longest message, whatever is there: to the caller the
  // same as System V's E2BIG.
  if (length < 0) return errno == ETIMEDOUT ? EAGAIN : errno == EMSGSIZE ? E2BIG : errno;
  record->length = static_cast<uint32_t>(length);
  record->type = priority;
  return 0;
}
