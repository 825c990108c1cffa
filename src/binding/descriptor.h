#pragma once

#include <unistd.h>

#include <map>
#include <memory>

// A file descriptor, closed with the last that holds it.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int fd() const { return fd_; }

 private:
  const int fd_;
};

// The descriptors of an environment. An inherited one can be taken over more than once: the handles
// share it, for a number that is closed twice may be somebody else's by then.
class Descriptors {
 public:
  std::shared_ptr<Descriptor> Own(int fd) {
    std::weak_ptr<Descriptor>& known = known_[fd];
    auto descriptor = known.lock();
    if (!descriptor) known = descriptor = std::make_shared<Descriptor>(fd);
    return descriptor;
  }

  // Null where nobody holds it.
  std::shared_ptr<Descriptor> Find(int fd) const {
    const auto known = known_.find(fd);
    return known == known_.end() ? nullptr : known->second.lock();
  }

 private:
  // No more than there were descriptors at one time.
  std::map<int, std::weak_ptr<Descriptor>> known_;
};
