#include "sysv_queue.h"

#include <sys/ipc.h>
#include <sys/msg.h>

#include <cerrno>
#include <vector>

#include "arguments.h"
#include "record.h"

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif

namespace {

// get(key, flags): the queue's identifier. msgget(2)
Napi::Value Get(const Napi::CallbackInfo& info) {
  // A key travels as 0 ... 2^32-1.
  const auto key = static_cast<key_t>(static_cast<uint32_t>(Int64(info, 0)));
  const int id = msgget(key, Int32(info, 1));
  return Result(info.Env(), id < 0 ? -errno : id);
}

// send(id, slab, offset, count): how many of the records went before the queue was full; an errno
// only where none did. msgsnd(2)
Napi::Value Send(const Napi::CallbackInfo& info) {
  const int id = Int32(info, 0);
  Slab slab(info.Env(), info[1], Int64(info, 2));
  const int count = Int32(info, 3);
  if (!slab.valid()) return Result(info.Env(), -EFAULT);
  int sent = 0;
  for (; sent < count; ++sent) {
    Record* record = slab.Filled();
    if (!record) return Result(info.Env(), sent ? sent : -EFAULT);
    const int failed =
        Retry([&] { return msgsnd(id, record->message(), record->length, IPC_NOWAIT); });
    if (failed) return Result(info.Env(), sent ? sent : -errno);
    slab.Advance(*record);
  }
  return Result(info.Env(), sent);
}

// receive(id, slab, offset, max, type, except): how many messages were taken. It ends after an
// empty one, which may be an end-of-stream mark: what follows that is not the reader's. E2BIG where
// the slab has no place for the next message, which stays in the queue. msgrcv(2)
Napi::Value Receive(const Napi::CallbackInfo& info) {
  const int id = Int32(info, 0);
  Slab slab(info.Env(), info[1], Int64(info, 2));
  const int max = Int32(info, 3);
  const long type = Int64(info, 4);
  const int flags = IPC_NOWAIT | (Bool(info, 5) ? MSG_EXCEPT : 0);
  if (!slab.valid()) return Result(info.Env(), -EFAULT);
  int taken = 0;
  while (taken < max) {
    size_t capacity;
    Record* record = slab.Free(&capacity);
    if (!record) return Result(info.Env(), taken ? taken : -E2BIG);
    const ssize_t length =
        Retry([&] { return msgrcv(id, record->message(), capacity, type, flags); });
    if (length < 0) return Result(info.Env(), taken ? taken : -errno);
    record->length = static_cast<uint32_t>(length);
    slab.Advance(*record);
    ++taken;
    if (length == 0) break;
  }
  return Result(info.Env(), taken);
}

// peek(id, slab, offset, max, index, longest): copies messages from a position on, leaves them in
// the queue. `longest` is the longest expected: the kernel's cost grows with it, not with the
// message's length. E2BIG where a message is longer; EINVAL where one is longer than msgmax, which
// was lowered since it was sent: that cannot be copied. msgrcv(2), MSG_COPY
Napi::Value Peek(const Napi::CallbackInfo& info) {
  const int id = Int32(info, 0);
  Slab slab(info.Env(), info[1], Int64(info, 2));
  const int max = Int32(info, 3);
  const int64_t index = Int64(info, 4);
  const auto longest = static_cast<size_t>(Int64(info, 5));
  if (!slab.valid()) return Result(info.Env(), -EFAULT);
  int copied = 0;
  for (; copied < max; ++copied) {
    size_t capacity;
    Record* record = slab.Free(&capacity);
    if (!record || capacity < longest) return Result(info.Env(), copied ? copied : -E2BIG);
    const ssize_t length = Retry([&] {
      return msgrcv(id, record->message(), longest, index + copied, IPC_NOWAIT | MSG_COPY);
    });
    if (length < 0) return Result(info.Env(), copied ? copied : -errno);
    record->length = static_cast<uint32_t>(length);
    slab.Advance(*record);
  }
  return Result(info.Env(), copied);
}

// acknowledge(id, type, length, receiver): removes the oldest message of a type, which was peeked
// at before. EBUSY where another process has received since, or the message is not of that length:
// it is then not the one that was peeked at, and sent back; where there is no room, its data is
// returned. msgrcv(2)
Napi::Value Acknowledge(const Napi::CallbackInfo& info) {
  const int id = Int32(info, 0);
  const long type = Int64(info, 1);
  const auto length = static_cast<size_t>(Int64(info, 2));
  msqid_ds data;
  if (msgctl(id, IPC_STAT, &data) < 0) return Result(info.Env(), -errno);
  if (data.msg_lrpid != Int32(info, 3)) return Result(info.Env(), -EBUSY);
  alignas(long) char small[1024];
  std::vector<char> large;
  char* message = small;
  if (sizeof(long) + length > sizeof small) {
    large.resize(sizeof(long) + length);
    message = large.data();
  }
  const ssize_t taken = Retry([&] { return msgrcv(id, message, length, type, IPC_NOWAIT); });
  if (taken < 0) return Result(info.Env(), errno == E2BIG || errno == ENOMSG ? -EBUSY : -errno);
  if (static_cast<size_t>(taken) == length) return Result(info.Env(), 1);
  const auto size = static_cast<size_t>(taken);
  if (Retry([&] { return msgsnd(id, message, size, IPC_NOWAIT); }) == 0) {
    return Result(info.Env(), -EBUSY);
  }
  return Napi::Buffer<char>::Copy(info.Env(), message + sizeof(long), size);
}

Napi::Object Describe(Napi::Env env, int id, const msqid_ds& data) {
  Napi::Object stat = Napi::Object::New(env);
  const auto set = [&](const char* name, int64_t value) {
    stat.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  set("id", id);
  set("key", static_cast<uint32_t>(data.msg_perm.__key));
  set("mode", data.msg_perm.mode & 0777);
  set("uid", data.msg_perm.uid);
  set("gid", data.msg_perm.gid);
  set("creatorUid", data.msg_perm.cuid);
  set("creatorGid", data.msg_perm.cgid);
  set("messages", static_cast<int64_t>(data.msg_qnum));
  set("bytes", static_cast<int64_t>(data.__msg_cbytes));
  set("maxBytes", static_cast<int64_t>(data.msg_qbytes));
  set("lastSendPid", data.msg_lspid);
  set("lastReceivePid", data.msg_lrpid);
  set("lastSendTime", data.msg_stime);
  set("lastReceiveTime", data.msg_rtime);
  set("changeTime", data.msg_ctime);
  return stat;
}

// stat(id): all of struct msqid_ds. msgctl(2), IPC_STAT
Napi::Value Stat(const Napi::CallbackInfo& info) {
  const int id = Int32(info, 0);
  msqid_ds data;
  if (msgctl(id, IPC_STAT, &data) < 0) return Result(info.Env(), -errno);
  return Describe(info.Env(), id, data);
}

// set(id, { mode?, uid?, gid?, maxBytes? }): IPC_SET writes all four, so what is not given is read
// first. msgctl(2)
Napi::Value Set(const Napi::CallbackInfo& info) {
  const int id = Int32(info, 0);
  if (info.Length() < 2 || !info[1].IsObject()) return Result(info.Env(), -EINVAL);
  const auto wanted = info[1].As<Napi::Object>();
  const auto number = [&](const char* name, auto otherwise) {
    const Napi::Value value = wanted.Get(name);
    return value.IsNumber() ? static_cast<int64_t>(value.As<Napi::Number>().Int64Value())
                            : static_cast<int64_t>(otherwise);
  };
  msqid_ds data;
  if (msgctl(id, IPC_STAT, &data) < 0) return Result(info.Env(), -errno);
  data.msg_perm.mode =
      static_cast<decltype(data.msg_perm.mode)>(number("mode", data.msg_perm.mode));
  data.msg_perm.uid = static_cast<uid_t>(number("uid", data.msg_perm.uid));
  data.msg_perm.gid = static_cast<gid_t>(number("gid", data.msg_perm.gid));
  data.msg_qbytes = static_cast<msglen_t>(number("maxBytes", data.msg_qbytes));
  return Result(info.Env(), msgctl(id, IPC_SET, &data) < 0 ? -errno : 0);
}

// remove(id): the queue and all in it. msgctl(2), IPC_RMID
Napi::Value Remove(const Napi::CallbackInfo& info) {
  return Result(info.Env(), msgctl(Int32(info, 0), IPC_RMID, nullptr) < 0 ? -errno : 0);
}

// list(): every queue of the IPC namespace, permitted or not. msgctl(2), MSG_STAT_ANY
Napi::Value List(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  msginfo limits;
  const int highest = msgctl(0, MSG_INFO, reinterpret_cast<msqid_ds*>(&limits));
  if (highest < 0) return Result(env, -errno);
  Napi::Array queues = Napi::Array::New(env);
  uint32_t found = 0;
  for (int index = 0; index <= highest; ++index) {
    // valgrind does not know that MSG_STAT_ANY fills it.
    msqid_ds data = {};
    int id = msgctl(index, MSG_STAT_ANY, &data);
    // Kernels before 4.17 have only the form that needs read permission.
    if (id < 0 && errno == EINVAL) id = msgctl(index, MSG_STAT, &data);
    if (id >= 0) queues.Set(found++, Describe(env, id, data));
  }
  return queues;
}

// usage(): what the namespace's queues hold together. msgctl(2), MSG_INFO
Napi::Value Usage(const Napi::CallbackInfo& info) {
  msginfo used;
  if (msgctl(0, MSG_INFO, reinterpret_cast<msqid_ds*>(&used)) < 0) {
    return Result(info.Env(), -errno);
  }
  Napi::Object usage = Napi::Object::New(info.Env());
  usage.Set("queues", used.msgpool);
  usage.Set("messages", used.msgmap);
  usage.Set("bytes", used.msgtql);
  return usage;
}

// limits(): the namespace's limits as the kernel says them. msgctl(2), IPC_INFO
Napi::Value Limits(const Napi::CallbackInfo& info) {
  msginfo limits;
  if (msgctl(0, IPC_INFO, reinterpret_cast<msqid_ds*>(&limits)) < 0) {
    return Result(info.Env(), -errno);
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("msgmax", limits.msgmax);
  result.Set("msgmnb", limits.msgmnb);
  result.Set("msgmni", limits.msgmni);
  return result;
}

}  // namespace

Napi::Object SysVQueue::Functions(Napi::Env env) {
  Napi::Object functions = Napi::Object::New(env);
  const auto add = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    functions.Set(name, Napi::Function::New(env, function, name));
  };
  add("get", Get);
  add("send", Send);
  add("receive", Receive);
  add("peek", Peek);
  add("acknowledge", Acknowledge);
  add("stat", Stat);
  add("set", Set);
  add("remove", Remove);
  add("list", List);
  add("usage", Usage);
  add("limits", Limits);
  return functions;
}
