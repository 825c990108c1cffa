#pragma once

#include <uv.h>

#include <memory>
#include <vector>

#include "addon.h"

// How often to look again, a turn of the event loop apart, before going to sleep. Sleeping and
// waking cost both sides several microseconds, and the other side's next message often comes
// sooner: a brisk exchange never sleeps at all. Who waits for long learns not to look.
class Patience {
 public:
  // How many turns to look this time.
  int turns() const { return limit_; }
  // Nothing came while looking.
  void Sleep() {
    limit_ /= 2;
    asleep_since_ = uv_hrtime();
  }
  // It was worth the looking, if the sleep was brief.
  void Wake() {
    if (uv_hrtime() - asleep_since_ < kBriefNs) limit_ = kMostTurns;
  }

 private:
  static constexpr int kMostTurns = 24;
  static constexpr uint64_t kBriefNs = 200 * 1000;

  int limit_ = kMostTurns;
  uint64_t asleep_since_ = 0;
};

// Someone who looks once a turn.
class Looking {
 public:
  virtual ~Looking() = default;
  // Whether to look again at the next turn.
  virtual bool Look() = 0;
};

// Keeps the event loop turning while somebody looks (uv_idle_t).
class Looker : public Closable {
 public:
  Looker(uv_loop_t* loop, std::shared_ptr<LoopHandles> handles);
  ~Looker() override;

  // Once at a time.
  void Add(Looking* looking);
  void Remove(Looking* looking);
  void Close() override;

 private:
  void Turn();

  uv_idle_t* idle_;
  std::shared_ptr<LoopHandles> handles_;
  std::vector<Looking*> looking_;
};
