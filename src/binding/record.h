#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

// How messages travel between JavaScript and the kernel: one after another in a slab (the memory of
// a Uint8Array), each as a record
//
//   offset  0  uint32  length of the data
//           4  uint32  not used
//           8  int64   type: System V mtype, POSIX priority
//          16  data, padded to a multiple of 8
//
// Type and data stand together as in struct msgbuf, so msgsnd(2) and msgrcv(2) work on the record
// in place. src/drivers/records.ts writes and reads the same layout.
struct Record {
  uint32_t length;
  uint32_t unused;
  int64_t type;

  static constexpr size_t kHeader = 16;

  char* data() { return reinterpret_cast<char*>(this) + kHeader; }
  void* message() { return &type; }
  size_t size() const { return kHeader + ((size_t{length} + 7) & ~size_t{7}); }
};
static_assert(sizeof(Record) == Record::kHeader, "the header is 16 bytes");
static_assert(sizeof(long) == sizeof(int64_t), "mtype is a long of 64 bits");

// The part of a Uint8Array from an offset on. It is looked up at every call: JavaScript may have
// detached or replaced the memory since the last one.
class Slab {
 public:
  Slab(napi_env env, napi_value array, int64_t offset) {
    napi_typedarray_type type;
    size_t size = 0;
    void* data = nullptr;
    if (napi_get_typedarray_info(env, array, &type, &size, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array || data == nullptr || offset < 0 || offset % 8 != 0 ||
        reinterpret_cast<uintptr_t>(data) % 8 != 0 || static_cast<uint64_t>(offset) > size) {
      return;
    }
    at_ = static_cast<char*>(data) + offset;
    left_ = size - static_cast<size_t>(offset);
  }

  bool valid() const { return at_ != nullptr; }

  // The record to be filled next, or null where not even a header fits; `capacity` is what its data
  // may take.
  Record* Free(size_t* capacity) {
    if (left_ < Record::kHeader) return nullptr;
    *capacity = left_ - Record::kHeader;
    return reinterpret_cast<Record*>(at_);
  }

  // The record that stands here, or null where the slab ends before it does.
  Record* Filled() {
    auto* record = reinterpret_cast<Record*>(at_);
    if (left_ < Record::kHeader || record->length > left_ - Record::kHeader) return nullptr;
    return record;
  }

  void Advance(const Record& record) {
    const size_t size = record.size() < left_ ? record.size() : left_;
    at_ += size;
    left_ -= size;
  }

 private:
  char* at_ = nullptr;
  size_t left_ = 0;
};
