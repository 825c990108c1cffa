#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "blocking_queue.h"
#include "pumping.h"

// Reads lines and sends as many whole ones in a message as fit. It leaves those that are not sent
// as they are: longer than a message, or beginning with the mark of src/cli/framing/framing.ts.
class LinesToQueue : public Pumping {
 public:
  struct Options {
    int fd;
    int64_t type;
    // The longest message; with 0 all that is read is left.
    size_t size;
    char delimiter;
    std::string mark;
    // As many lines as fit in a message, or one.
    bool pack;
    bool count_lines;
    // Whether to wait by poll(2) before reading, and not only where reading says EAGAIN: for what
    // blocks, and for a fifo that is to have its first writer.
    bool poll_first;
  };

  // `begun`: what of a line was read before.
  LinesToQueue(std::unique_ptr<BlockingQueue> queue, Options options, std::string_view begun);
  int Run(const std::atomic<bool>& stop) override;
  Rest rest() const override { return {memory_.get() + at_, end_ - at_, 0}; }

 private:
  int SendLines(const std::atomic<bool>& stop);
  // How long one line or, packed, as many as there are, is with its end: 0 where it has none.
  size_t WholeLines(const char* lines, size_t most) const;
  bool IsMarked(const char* lines, size_t left) const;
  // How much, 0 at the end, or an errno, negated.
  ssize_t Read();

  const std::unique_ptr<BlockingQueue> queue_;
  const Options options_;
  // What was read and not sent; what is before it was.
  size_t at_;
  size_t end_;
};
