#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

// What a pump does on its thread: it moves lines between a queue and a file descriptor, which is a
// file's or does not block. What is not for it to decide it leaves to JavaScript, with all that it
// has in hand.
class Pumping {
 public:
  virtual ~Pumping() = default;

  // 0 when all is done, kLeft, or an errno, negated: EINTR where it is to be called again,
  // ECANCELED where `stop` was set.
  virtual int Run(const std::atomic<bool>& stop) = 0;
  static constexpr int kLeft = 1;

  // Whether there was memory to work with.
  bool hasMemory() const { return memory_ != nullptr; }

  // What it has in hand: bytes, or a count of records.
  struct Rest {
    const char* data;
    size_t size;
    int count;
  };
  virtual Rest rest() const = 0;
  // There is nobody to leave it to.
  virtual void Forsaken() {}

  // How far it has come, to be read while it runs: bytes from or to the descriptor, whole lines or
  // messages, and whether it is the queue's turn or the descriptor's.
  uint64_t bytes() const { return bytes_; }
  uint64_t records() const { return records_; }
  bool atQueue() const { return at_queue_; }

 protected:
  explicit Pumping(size_t size) : memory_(new (std::nothrow) char[size]), size_(size) {}

  // Of one writer only: no need of a locked instruction.
  static void Sum(std::atomic<uint64_t>& sum, uint64_t more) {
    sum.store(sum.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  // Long messages are rare and may be very long: what is not used is never touched.
  const std::unique_ptr<char[]> memory_;
  const size_t size_;
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> records_{0};
  std::atomic<bool> at_queue_{false};
};
