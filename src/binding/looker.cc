#include "looker.h"

#include <algorithm>

#include "loop_handle.h"

Looker::Looker(uv_loop_t* loop, std::shared_ptr<LoopHandles> handles)
    : idle_(new uv_idle_t), handles_(std::move(handles)) {
  uv_idle_init(loop, idle_);
  idle_->data = this;
  handles_->Opened();
  // Who looks says himself whether that keeps the process alive.
  uv_unref(reinterpret_cast<uv_handle_t*>(idle_));
}

Looker::~Looker() { Close(); }

void Looker::Add(Looking* looking) {
  if (!idle_) return;
  looking_.push_back(looking);
  if (looking_.size() > 1) return;
  uv_idle_start(idle_, [](uv_idle_t* idle) { static_cast<Looker*>(idle->data)->Turn(); });
}

// Null, not erased: this may be called from within Turn().
void Looker::Remove(Looking* looking) {
  std::replace(looking_.begin(), looking_.end(), looking, static_cast<Looking*>(nullptr));
}

void Looker::Turn() {
  // Those that are added by what is found look from the next turn on.
  const size_t count = looking_.size();
  for (size_t i = 0; i < count && i < looking_.size(); ++i) {
    Looking* looking = looking_[i];
    if (looking && !looking->Look() && i < looking_.size() && looking_[i] == looking) {
      looking_[i] = nullptr;
    }
  }
  looking_.erase(std::remove(looking_.begin(), looking_.end(), nullptr), looking_.end());
  if (looking_.empty() && idle_) uv_idle_stop(idle_);
}

void Looker::Close() {
  if (!idle_) return;
  looking_.clear();
  CloseHandle(idle_, handles_);
  idle_ = nullptr;
}
