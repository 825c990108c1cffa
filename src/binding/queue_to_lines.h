#pragma once

#include <limits.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <memory>
#include <string>

#include "blocking_queue.h"
#include "pumping.h"

// Receives messages and writes each as a line, or as the lines that it is. It leaves a message for
// which there is no room (E2BIG), and those that could not be written.
class QueueToLines : public Pumping {
 public:
  struct Options {
    int fd;
    // The longest message that is expected.
    size_t size;
    char delimiter;
    // Taken off the message that begins with it, which is then written as it is.
    std::string mark;
    // An empty message is the end.
    bool eof;
  };

  QueueToLines(std::unique_ptr<BlockingQueue> queue, Options options);
  int Run(const std::atomic<bool>& stop) override;
  Rest rest() const override;
  // What was not written goes back.
  void Forsaken() override;

 private:
  int Take();
  int TakeOne(bool wait);
  void Add(Record& record);
  int Write(const std::atomic<bool>& stop);
  void Written(size_t length);
  void Done();

  const std::unique_ptr<BlockingQueue> queue_;
  const Options options_;
  char delimiter_;
  // The messages of a batch stand in memory one record after another.
  size_t used_ = 0;
  // Where those begin that are not wholly written, and how many they are.
  size_t at_ = 0;
  int left_ = 0;
  // How they are written: two pieces each, the data and what ends the line, of which both may be
  // empty.
  std::array<iovec, IOV_MAX> pieces_;
  size_t count_ = 0;
  size_t next_ = 0;
  bool ended_ = false;
};
