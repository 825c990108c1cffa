#pragma once

#include <napi.h>

// The System V calls that do not wait, by queue identifier: there is no descriptor to own. Each
// returns the call's result or its errno, negated.
namespace SysVQueue {
Napi::Object Functions(Napi::Env env);
}
