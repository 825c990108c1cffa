#include "lines_to_queue.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace {

// As much as makes reading cheap, and stays in the processor's cache.
constexpr size_t kChunk = 256 * 1024;
// Enough for some messages, of what comes in small pieces.
constexpr size_t kEnough = 64 * 1024;
// How often to look for more before sending: some microseconds.
constexpr int kLooks = 16;
// The head of a message stands before its data.
constexpr size_t kHead = 8;

}  // namespace

LinesToQueue::LinesToQueue(std::unique_ptr<BlockingQueue> queue, Options options,
                           std::string_view begun)
    : Pumping(kHead + begun.size() + options.size + kChunk),
      queue_(std::move(queue)),
      options_(std::move(options)),
      at_(kHead),
      end_(kHead + begun.size()) {
  if (hasMemory()) begun.copy(memory_.get() + kHead, begun.size());
}

int LinesToQueue::Run(const std::atomic<bool>& stop) {
  for (;;) {
    if (const int over = SendLines(stop)) return over;
    const ssize_t length = Read();
    if (length <= 0) return static_cast<int>(length);
  }
}

int LinesToQueue::SendLines(const std::atomic<bool>& stop) {
  // The beginning of this line is in other hands.
  if (options_.size == 0) return at_ < end_ ? kLeft : 0;
  at_queue_ = true;
  while (at_ < end_) {
    char* lines = memory_.get() + at_;
    const size_t left = end_ - at_;
    // Where a line has a message of its own, its end does not go with it.
    const size_t most = options_.pack ? options_.size : options_.size + 1;
    const size_t whole = WholeLines(lines, std::min(left, most));
    // The rest of the line is to come.
    if (whole == 0 && left < most) break;
    if (whole == 0 || IsMarked(lines, left)) return kLeft;
    if (stop) return -ECANCELED;
    // An empty message is no line, but the end of all.
    const size_t length = options_.pack || whole == 1 ? whole : whole - 1;
    const auto count =
        options_.count_lines ? std::count(lines, lines + whole, options_.delimiter) : 0;
    if (const int failed = queue_->Send(lines, length, options_.type, true)) return -failed;
    Sum(records_, static_cast<uint64_t>(count));
    at_ += whole;
  }
  return 0;
}

size_t LinesToQueue::WholeLines(const char* lines, size_t most) const {
  const void* end = options_.pack ? memrchr(lines, options_.delimiter, most)
                                  : memchr(lines, options_.delimiter, most);
  return end ? static_cast<size_t>(static_cast<const char*>(end) + 1 - lines) : 0;
}

bool LinesToQueue::IsMarked(const char* lines, size_t left) const {
  const std::string& mark = options_.mark;
  return left >= mark.size() && std::equal(mark.begin(), mark.end(), lines);
}

// Waits for bytes, and reads what comes right behind them too: a writer into a pipe that was empty
// has just begun, and full messages cost less.
ssize_t LinesToQueue::Read() {
  at_queue_ = false;
  std::memmove(memory_.get() + kHead, memory_.get() + at_, end_ - at_);
  end_ -= at_ - kHead;
  at_ = kHead;
  const size_t before = end_;
  for (int looks = 0; end_ - before < kEnough;) {
    const bool first = end_ == before;
    // A signal ends this wait, but not that of a read: files block too, some in /proc.
    int failed = options_.poll_first ? WaitFor(options_.fd, POLLIN, first) : 0;
    const ssize_t length = failed ? -1 : read(options_.fd, memory_.get() + end_, size_ - end_);
    if (length < 0 && !failed) failed = errno;
    if (length > 0) {
      end_ += static_cast<size_t>(length);
      Sum(bytes_, static_cast<uint64_t>(length));
      looks = 0;
    } else if (!first) {
      // An end or a failure is there the next time too.
      if (failed != EAGAIN || ++looks > kLooks) break;
    } else if (failed != EAGAIN) {
      return -failed;
    } else if (const int interrupted = WaitFor(options_.fd, POLLIN)) {
      return -interrupted;
    }
  }
  return static_cast<ssize_t>(end_ - before);
}
