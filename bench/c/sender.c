/* sender SIZE ADDRESS... : sends messages of SIZE bytes, to each address in turn. */
#include "bench.h"
#include "channel.h"

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  die_with_parent();
  size_t size = strtoul(argv[1], NULL, 10);
  int fan = argc - 2;
  struct channel *channels = calloc(fan, sizeof *channels);
  if (!channels) die("calloc");
  for (int i = 0; i < fan; i++) channels[i] = channel_open(argv[2 + i], SENDS);
  size_t capacity;
  struct message *m = channel_buffer(&channels[0], size, &capacity);
  say("ready");

  int at = 0;
  for (long count; (count = next_run()) > 0;) {
    struct phase p = phase_start();
    for (long i = 0; i < count; i++) {
      channel_send(&channels[at], m, size);
      if (++at == fan) at = 0;
    }
    phase_done(&p);
  }
}
