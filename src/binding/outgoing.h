#pragma once

#include <vector>

#include "record.h"

// Messages that wait for room: a copy, for JavaScript goes on with its own memory. All of them are
// sent by the wait itself: the queue has often room for few, and telling JavaScript each time would
// cost more than the message.
class Outgoing {
 public:
  // False where the slab does not hold so many.
  bool Copy(Slab slab, int count) {
    records_.clear();
    at_ = 0;
    sent_ = 0;
    for (left_ = 0; left_ < count; ++left_) {
      Record* record = slab.Filled();
      if (!record) return false;
      const auto* bytes = reinterpret_cast<const char*>(record);
      records_.insert(records_.end(), bytes, bytes + Record::kHeader + record->length);
      records_.resize((records_.size() + 7) & ~size_t{7});
      slab.Advance(*record);
    }
    return true;
  }

  // `send(record)` returns 0 or an errno. Sends until all went, which is 0, or one does not.
  template <typename Send>
  int SendAll(Send send) {
    for (; left_ > 0; --left_, ++sent_) {
      auto* record = reinterpret_cast<Record*>(records_.data() + at_);
      if (const int failed = send(*record)) return failed;
      at_ += record->size();
    }
    return 0;
  }

  int sent() const { return sent_; }

 private:
  std::vector<char> records_;
  size_t at_ = 0;
  int left_ = 0;
  int sent_ = 0;
};
