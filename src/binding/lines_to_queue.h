#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "blocking_queue.h"
#include "pumping.h"

// Reads lines and sends as many whole ones in a message as fit. It leaves those that are not sent
// as they are: longer than a message, or beginning with the mark of src/cli/framing/framing.ts.
class LinesToQueue : public Pumping {
 public:
  struct Options {
    int fd;
    int64_t type;
    // The longest message; 0 leaves what is read next as it is.
    size_t size;
    char delimiter;
    std::string mark;
    // As many lines as fit in a message, or one.
    bool pack;
    bool count_lines;
  };

  // `begun`: what of a line was read before.
  LinesToQueue(std::unique_ptr<BlockingQueue> queue, Options options, const std::string& begun);
  int Run(const std::atomic<bool>& stop) override;
  Rest rest() const override { return {memory_.get() + at_, end_ - at_, 0}; }

 private:
  int SendLines(const std::atomic<bool>& stop);
  bool IsMarked(const char* lines, size_t left) const;
  // How much, 0 at the end, or an errno, negated.
  ssize_t Read();

  const std::unique_ptr<BlockingQueue> queue_;
  const Options options_;
  // What was read and not sent; what is before it was.
  size_t at_;
  size_t end_;
};
