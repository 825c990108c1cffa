/** How urgent a line of a log is: 4 most, 1 least. */

export type Level = 1 | 2 | 3 | 4

export interface Levels {
  /** What the levels mean, for people. */
  readonly names: Record<Level, string>
  of(line: string): Level
}

const severities: Levels = {
  names: { 4: 'error', 3: 'warning', 2: 'info', 1: 'debug' },
  of(line) {
    if (/\b(error|err|fail(ed|ure)?|fatal|crit(ical)?|panic|emerg|alert)\b/i.test(line)) return 4
    if (/\b(warn(ing)?|deprecated)\b/i.test(line)) return 3
    if (/\b(debug|trace|verbose|silly)\b/i.test(line)) return 1
    return 2
  },
}

/** Lines of dpkg.log have no severity, but say what was done: `2026-01-31 10:11:12 upgrade bash …`. */
const dpkg: Levels = {
  names: {
    4: 'remove, purge, upgrade',
    3: 'install',
    2: 'configure, trigproc, startup',
    1: 'status',
  },
  of(line) {
    const action = line.split(' ', 3)[2]?.trimEnd() ?? ''
    if (['remove', 'purge', 'upgrade', 'disappear'].includes(action)) return 4
    if (action === 'install') return 3
    return ['configure', 'trigproc', 'startup'].includes(action) ? 2 : 1
  },
}

/** The levels that fit a log, by one of its lines. */
export function levelsFor(line: string): Levels {
  const isDpkg = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (startup|status|install|upgrade|configure) /
  return isDpkg.test(line) ? dpkg : severities
}
