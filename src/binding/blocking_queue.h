#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "descriptor.h"
#include "record.h"

// A queue for a thread that may wait. All calls return 0 or an errno: EAGAIN where they were not to
// wait; EINTR where a signal ended the wait, for the thread may have been told to stop.
class BlockingQueue {
 public:
  virtual ~BlockingQueue() = default;

  // Overwrites the eight bytes before the data.
  virtual int Send(char* data, size_t length, int64_t type, bool wait) = 0;
  // E2BIG where a message needs more than `capacity`, and stays in the queue.
  virtual int Receive(Record* record, size_t capacity, bool wait) = 0;
};

// msgsnd(2), msgrcv(2)
class BlockingSysVQueue : public BlockingQueue {
 public:
  // Receives messages of a type, or `except` it; 0 for any.
  BlockingSysVQueue(int id, long type, bool except);
  int Send(char* data, size_t length, int64_t type, bool wait) override;
  int Receive(Record* record, size_t capacity, bool wait) override;

 private:
  const int id_;
  const long type_;
  const int flags_;
};

// mq_send(3), mq_receive(3), with poll(2) to wait.
class BlockingPosixQueue : public BlockingQueue {
 public:
  BlockingPosixQueue(std::shared_ptr<Descriptor> descriptor, bool shared)
      : descriptor_(std::move(descriptor)), shared_(shared) {}
  int Send(char* data, size_t length, int64_t type, bool wait) override;
  int Receive(Record* record, size_t capacity, bool wait) override;

 private:
  const std::shared_ptr<Descriptor> descriptor_;
  const bool shared_;
};

// Whether there are events of poll(2): 0 or an errno, EAGAIN where nobody waits for them.
int WaitFor(int fd, short events, bool wait = true);
