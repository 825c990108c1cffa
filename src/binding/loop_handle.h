#pragma once

#include <uv.h>

#include <memory>

#include "addon.h"

// Closes a libuv handle made by `new`, which frees itself when libuv has let go of it.
template <typename Handle>
void CloseHandle(Handle* handle, const std::shared_ptr<LoopHandles>& handles) {
  handle->data = new std::shared_ptr<LoopHandles>(handles);
  uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) {
    auto* count = static_cast<std::shared_ptr<LoopHandles>*>(closed->data);
    delete reinterpret_cast<Handle*>(closed);
    (*count)->Closed();
    delete count;
  });
}
