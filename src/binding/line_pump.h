#pragma once

#include <napi.h>

#include <memory>

#include "pumping.h"
#include "wait_pool.h"

// Moves lines between a file descriptor and a queue on a thread of the pool: a message costs no
// more than its system calls, and the event loop nothing. When it is over, `ondone(status, rest,
// count, progress)` is called with
//
//   0         the input has ended, or the end mark has come
//   1         what comes next is not for it
//   -errno    a system call failed; -ECANCELED: cancelled
//
// what it has in hand, bytes or a count of records, and how far it has come.
class LinePump : public Napi::ObjectWrap<LinePump>, public Wait {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit LinePump(const Napi::CallbackInfo& info);

  int Block() override;
  void Done(int status) override;
  void Forsaken(int status) override;

 private:
  // toQueue(queue, lines, begun), fromQueue(queue, lines): 0 or an errno, negated. A queue is
  // { id, type, except } or { fd, shared, type }; lines are { fd, size, delimiter, mark } with
  // { pack, count, pollFirst } or { eof }.
  Napi::Value ToQueue(const Napi::CallbackInfo& info);
  Napi::Value FromQueue(const Napi::CallbackInfo& info);
  template <typename Make>
  Napi::Value Start(const Napi::CallbackInfo& info, Make make);
  void Cancel(const Napi::CallbackInfo& info);
  // progress(): { bytes, records, atQueue }; undefined where it does not run
  Napi::Value ProgressNow(const Napi::CallbackInfo& info);

  // While it runs.
  std::unique_ptr<Pumping> pumping_;
};
