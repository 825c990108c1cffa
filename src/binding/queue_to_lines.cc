#include "queue_to_lines.h"

#include <limits.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace {

// Long enough for writing a file to be cheap, short enough for the processor's cache.
constexpr size_t kBatch = 128 * 1024;
// How often to look for another message before writing: some microseconds. Without sched_yield(2),
// which on a busy processor lets somebody else have a whole turn.
constexpr int kLooks = 16;
constexpr size_t kPiecesEach = 2;

size_t RecordSize(size_t length) { return Record{static_cast<uint32_t>(length), 0, 0}.size(); }

}  // namespace

QueueToLines::QueueToLines(std::unique_ptr<BlockingQueue> queue, Options options)
    : Pumping(kBatch + RecordSize(options.size)),
      queue_(std::move(queue)),
      options_(std::move(options)),
      delimiter_(options_.delimiter) {}

int QueueToLines::Run(const std::atomic<bool>& stop) {
  for (;;) {
    if (const int failed = Write(stop)) return -failed;
    if (ended_) return 0;
    if (stop) return -ECANCELED;
    if (const int failed = Take()) return -failed;
  }
}

// Waits for a message, and takes those behind it too: also the next one of a sender who waited for
// room and has just been woken. The more is written at once, the less it costs.
int QueueToLines::Take() {
  at_queue_ = true;
  used_ = at_ = next_ = count_ = 0;
  if (const int failed = TakeOne(true)) return failed;
  // What is wrong with the next one is said when it is waited for.
  for (int looks = 0; looks < kLooks && !ended_ && used_ < kBatch && count_ < pieces_.size();) {
    looks = TakeOne(false) == 0 ? 0 : looks + 1;
  }
  return 0;
}

int QueueToLines::TakeOne(bool wait) {
  auto* record = reinterpret_cast<Record*>(memory_.get() + used_);
  const size_t capacity = size_ - used_ - Record::kHeader;
  if (const int failed = queue_->Receive(record, capacity, wait)) return failed;
  used_ += record->size();
  ++left_;
  ended_ = options_.eof && record->length == 0;
  Add(*record);
  return 0;
}

void QueueToLines::Add(Record& record) {
  const std::string& mark = options_.mark;
  char* data = record.data();
  const size_t length = record.length;
  const bool marked = length >= mark.size() && std::equal(mark.begin(), mark.end(), data);
  const bool complete = length > 0 && data[length - 1] == options_.delimiter;
  const size_t skipped = marked ? mark.size() : 0;
  pieces_[count_++] = {data + skipped, length - skipped};
  pieces_[count_++] = {&delimiter_, marked || complete || ended_ ? size_t{0} : size_t{1}};
}

int QueueToLines::Write(const std::atomic<bool>& stop) {
  at_queue_ = false;
  while (next_ < count_) {
    const auto count = static_cast<int>(count_ - next_);
    const ssize_t length = writev(options_.fd, pieces_.data() + next_, count);
    if (length >= 0) {
      Written(static_cast<size_t>(length));
    } else if (errno != EAGAIN) {
      return errno;
    } else if (stop) {
      return ECANCELED;
    } else if (const int failed = WaitFor(options_.fd, POLLOUT)) {
      return failed;
    }
  }
  return 0;
}

void QueueToLines::Written(size_t length) {
  Sum(bytes_, length);
  for (; next_ < count_; ++next_) {
    iovec& piece = pieces_[next_];
    if (length < piece.iov_len) {
      piece.iov_base = static_cast<char*>(piece.iov_base) + length;
      piece.iov_len -= length;
      return;
    }
    length -= piece.iov_len;
    if (next_ % kPiecesEach == kPiecesEach - 1) Done();
  }
}

// The first of the messages in hand is written.
void QueueToLines::Done() {
  at_ += reinterpret_cast<Record*>(memory_.get() + at_)->size();
  // The mark that ends it is not a line.
  if (--left_ > 0 || !ended_) Sum(records_, 1);
}

Pumping::Rest QueueToLines::rest() const { return {memory_.get() + at_, used_ - at_, left_}; }

void QueueToLines::Forsaken() {
  for (; left_ > 0; --left_) {
    auto* record = reinterpret_cast<Record*>(memory_.get() + at_);
    queue_->Send(record->data(), record->length, record->type, false);
    at_ += record->size();
  }
}
