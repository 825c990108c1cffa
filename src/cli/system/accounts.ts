/** The names of users and groups, as far as /etc/passwd and /etc/group have them. */
import { readFileSync } from 'node:fs'

let users: Map<number, string> | undefined
let groups: Map<number, string> | undefined

export function nameOfUser(uid: number): string | undefined {
  users ??= readNames('/etc/passwd')
  return users.get(uid)
}

export function nameOfGroup(gid: number): string | undefined {
  groups ??= readNames('/etc/group')
  return groups.get(gid)
}

/** Name and number are the first and the third field of both; passwd(5), group(5). */
function readNames(path: string): Map<number, string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw error
  }
  const entries = text.split('\n').map((line) => line.split(':'))
  // Of several names of one number the first counts.
  return new Map(
    entries.reverse().flatMap(([name, , id]) => (name && id ? [[Number(id), name]] : [])),
  )
}
