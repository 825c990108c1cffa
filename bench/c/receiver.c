/* receiver SIZE ADDRESS : receives until COUNT * SIZE bytes have come. Bytes and
 * not messages are counted, since a byte stream keeps no boundaries.
 *
 * With -DOWNED each message is received into memory of its own, which is used again only 32 MiB
 * later: what a reader must do that gives its messages away. */
#include "bench.h"
#include "channel.h"

#ifdef OWNED
enum { GIVEN_AWAY = 32 * 1024 * 1024 };
#else
enum { GIVEN_AWAY = 0 };
#endif

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  die_with_parent();
  size_t size = strtoul(argv[1], NULL, 10);
  struct channel c = channel_open(argv[2], RECEIVES);
  size_t capacity;
  struct message *first = channel_buffer(&c, size, &capacity);
  size_t buffers = 1 + GIVEN_AWAY / capacity;
  struct message **messages = calloc(buffers, sizeof *messages);
  if (!messages) die("calloc");
  messages[0] = first;
  for (size_t i = 1; i < buffers; i++) messages[i] = channel_buffer(&c, size, &capacity);
  if (c.kind != UNIX) say("ready"); /* a socket has said so before it blocked in accept */

  size_t at = 0;
  for (long count; (count = next_run()) > 0;) {
    int64_t left = (int64_t)count * size;
    struct phase p = phase_start();
    say("armed");
    while (left > 0) {
      left -= channel_receive(&c, messages[at], capacity);
      if (++at == buffers) at = 0;
    }
    phase_done(&p);
  }
}
