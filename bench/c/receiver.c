/* receiver SIZE ADDRESS : receives until COUNT * SIZE bytes have come. Bytes and
 * not messages are counted, since a byte stream keeps no boundaries. */
#include "bench.h"
#include "channel.h"

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  die_with_parent();
  size_t size = strtoul(argv[1], NULL, 10);
  struct channel c = channel_open(argv[2], RECEIVES);
  size_t capacity;
  struct message *m = channel_buffer(&c, size, &capacity);
  if (c.kind != UNIX) say("ready"); /* a socket has said so before it blocked in accept */

  for (long count; (count = next_run()) > 0;) {
    int64_t left = (int64_t)count * size;
    struct phase p = phase_start();
    say("armed");
    while (left > 0) left -= channel_receive(&c, m, capacity);
    phase_done(&p);
  }
}
