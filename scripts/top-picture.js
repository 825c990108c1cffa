// Draws docs/kmq-top.svg from a real run: kmq top in tmux(1), with queues in use, captured with its
// colours. Needs tmux and root (or a user namespace): npm run picture
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [WIDTH, HEIGHT] = [168, 12]
const server = `kmq-picture-${process.pid}`
const tmux = (...args) =>
  execFileSync('tmux', ['-u', '-L', server, ...args], { cwd: root, encoding: 'utf8' })

const script = `
  mount -t mqueue none /mnt
  kmq() { '${process.execPath}' dist/cli/main.js "$@"; }
  kmq create /logs --max-message-size 1024 --max-messages 10
  kmq create /events --max-message-size 256 --max-messages 8
  for key in 0xdeadc0de 0x6a6f6273 0x00000bad; do kmq create $key; done
  (while :; do seq -f 'request %.0f served' 1 20; sleep 0.4; done) | kmq send /logs &
  kmq recv /logs > /dev/null &
  kmq send /events started ready
  yes 'a job, with all that it needs to be done' | kmq send 0xdeadc0de &
  (while :; do kmq recv 0xdeadc0de --count 40 > /dev/null; sleep 0.5; done) &
  kmq recv 0x6a6f6273 > /dev/null &
  (while :; do seq 1 9; sleep 1; done) | kmq send 0x6a6f6273 &
  kmq send 0x00000bad $(seq 1 150)
  kmq top
`.replaceAll(/\n\s*/g, '\n')

tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${WIDTH}`, '-y', `${HEIGHT}`, 'sh')
tmux(
  'send-keys',
  `unset NO_COLOR; clear; exec unshare --ipc --mount --pid --fork --mount-proc bash -c '${script.replaceAll("'", `'\\''`)}'`,
  'Enter',
)
await wait(Number(process.env.SECONDS_TO_RUN ?? 45) * 1000)
const screen = tmux('capture-pane', '-p', '-e').trimEnd()
tmux('kill-server')

const CELL = { width: 8.4, height: 18 }
const PADDING = 12
const colors = { 31: '#ff6b6b', 32: '#51cf66', 33: '#fcc419', 36: '#3bc9db' }

/** A line with its escape sequences, as pieces of one style. */
function pieces(line) {
  let style = {}
  let column = 0
  return line.split(/(\x1b\[[\d;]*m)/).flatMap((part) => {
    const codes = /^\x1b\[([\d;]*)m$/.exec(part)
    if (!codes) {
      const piece = { text: part, column, style }
      column += [...part].length
      return part === '' ? [] : [piece]
    }
    for (const code of codes[1].split(';').map(Number)) {
      if (code === 0) style = {}
      else if (code === 1) style = { ...style, bold: true }
      else if (code === 2) style = { ...style, dim: true }
      else if (code === 22) style = { ...style, bold: false, dim: false }
      else if (code === 39) style = { ...style, color: undefined }
      else if (colors[code]) style = { ...style, color: colors[code] }
    }
    return []
  })
}

function escapeXml(text) {
  return text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`)
}

const lines = screen.split('\n')
const texts = lines.flatMap((line, row) =>
  pieces(line)
    .filter(({ text }) => text.trim() !== '')
    .map(({ text, column, style }) => {
      const x = (PADDING + column * CELL.width).toFixed(1)
      const y = PADDING + (row + 1) * CELL.height - 5
      const length = ([...text].length * CELL.width).toFixed(1)
      const look = `${style.color ? ` fill="${style.color}"` : ''}${style.bold ? ' font-weight="bold"' : ''}${style.dim ? ' opacity="0.6"' : ''}`
      return `<text x="${x}" y="${y}" textLength="${length}" xml:space="preserve"${look}>${escapeXml(text)}</text>`
    }),
)
const width = Math.ceil(2 * PADDING + WIDTH * CELL.width)
const height = 2 * PADDING + lines.length * CELL.height
writeFileSync(
  `${root}docs/kmq-top.svg`,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#dee2e6">
<title>kmq top, watching five queues</title>
<rect width="${width}" height="${height}" rx="6" fill="#1a1b26"/>
${texts.join('\n')}
</svg>
`,
)
console.log(screen.replaceAll(/\x1b\[[\d;]*m/g, ''))
