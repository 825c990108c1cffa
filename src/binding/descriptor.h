#pragma once

#include <unistd.h>

#include <map>
#include <mutex>

// Who owns which descriptor, in all threads. One that was inherited can be taken over more than
// once: it is closed with its last handle, for a number that is closed twice may be somebody else's
// by then.
class Descriptors {
 public:
  static void Own(int fd) {
    const std::lock_guard<std::mutex> lock(Mutex());
    ++Owners()[fd];
  }

  static void Close(int fd) {
    const std::lock_guard<std::mutex> lock(Mutex());
    if (--Owners()[fd] > 0) return;
    Owners().erase(fd);
    close(fd);
  }

 private:
  // Never destroyed: handles of other threads may outlive what is static.
  static std::mutex& Mutex() {
    static auto* mutex = new std::mutex;
    return *mutex;
  }
  static std::map<int, int>& Owners() {
    static auto* owners = new std::map<int, int>;
    return *owners;
  }
};
