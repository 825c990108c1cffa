{
  "variables": {
    # "address" or "thread" builds the addon for that sanitizer, "coverage" for gcov, "warnings"
    # with each warning an error.
    "instrument%": "<!(node -p \"process.env.KERNELMQ_INSTRUMENT || ''\")"
  },
  "targets": [
    {
      "target_name": "kernelmq",
      "sources": [
        "src/binding/addon.cc",
        "src/binding/blocking_queue.cc",
        "src/binding/line_pump.cc",
        "src/binding/lines_to_queue.cc",
        "src/binding/looker.cc",
        "src/binding/poller.cc",
        "src/binding/posix_notifier.cc",
        "src/binding/posix_queue.cc",
        "src/binding/queue_to_lines.cc",
        "src/binding/system.cc",
        "src/binding/sysv_queue.cc",
        "src/binding/sysv_wait.cc",
        "src/binding/wait_pool.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=8",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        # A callback that throws while a worker is being terminated must not abort the process.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-fvisibility=hidden"],
      # The wake-up signal's handler lives in this library: it must stay mapped when the worker
      # that loaded it has gone.
      "ldflags": ["-Wl,-z,nodelete"],
      "libraries": ["-lrt"],
      "conditions": [
        ["instrument=='address' or instrument=='thread'", {
          "cflags_cc": ["-fsanitize=<(instrument)", "-fno-omit-frame-pointer", "-g", "-O1"],
          "ldflags": ["-fsanitize=<(instrument)"]
        }],
        ["instrument=='warnings'", {
          "cflags_cc": ["-Werror"]
        }],
        ["instrument=='coverage'", {
          "cflags_cc": ["--coverage", "-g", "-O0"],
          "ldflags": ["--coverage"]
        }]
      ]
    }
  ]
}
