#pragma once

#include <napi.h>

// What concerns the process, not a queue: messageQueueLimit().
Napi::Object SystemFunctions(Napi::Env env);
