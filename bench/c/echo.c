/* echo SIZE OUT BACK : sends what it receives on OUT back on BACK, until killed. */
#include "bench.h"
#include "channel.h"

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  die_with_parent();
  size_t size = strtoul(argv[1], NULL, 10);
  struct channel in = channel_open(argv[2], RECEIVES);
  struct channel back = channel_open(argv[3], SENDS);
  size_t capacity;
  struct message *m = channel_buffer(&in, size, &capacity);
  say("ready");
  for (;;) channel_send(&back, m, channel_receive(&in, m, capacity));
}
