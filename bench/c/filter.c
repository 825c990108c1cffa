/* filter send SIZE ADDRESS : standard input into a queue, in messages of SIZE bytes and an empty one.
 * filter recv SIZE ADDRESS : a queue to standard output, until the empty one.
 *
 * What a log through a queue takes at the least. */
#include <unistd.h>

#include "bench.h"
#include "channel.h"

static void write_all(const char *data, size_t size) {
  while (size > 0) {
    ssize_t n = write(STDOUT_FILENO, data, size);
    if (n == -1) die("write");
    data += n;
    size -= n;
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int sends = strcmp(argv[1], "send") == 0;
  size_t size = strtoul(argv[2], NULL, 10);
  struct channel c = channel_open(argv[3], sends ? SENDS : RECEIVES);
  size_t capacity;
  struct message *m = channel_buffer(&c, size, &capacity);
  ssize_t n;
  do {
    n = sends ? read(STDIN_FILENO, m->data, size) : (ssize_t)channel_receive(&c, m, capacity);
    if (n == -1) die("read");
    if (sends) {
      channel_send(&c, m, n);
    } else {
      write_all(m->data, n);
    }
  } while (n > 0);
}
