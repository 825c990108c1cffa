/** Each link in the README and in docs/ leads to a file that is there, and to a heading in it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('..', import.meta.url)
const files = ['', 'docs/'].flatMap((folder) =>
  readdirSync(new URL(`./${folder}`, root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}${name}`),
)

/** Without fenced blocks and inline code, where brackets are code. */
function prose(file: URL): string {
  const text = readFileSync(file, 'utf8')
  return text.replace(/^```.*?^```$/gms, '')
}

/** The anchors that GitHub makes of headings. */
function anchors(file: URL): string[] {
  return [...prose(file).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

function problem(from: URL, link: string): string | undefined {
  const target = new URL(link, from)
  const anchor = decodeURIComponent(target.hash.slice(1))
  target.hash = ''
  if (!existsSync(target)) return 'no such file'
  return anchor === '' || anchors(target).includes(anchor) ? undefined : 'no such heading'
}

for (const file of files) {
  t.test(`the links of ${file} lead somewhere`, async (t) => {
    const from = new URL(file, root)
    const links = [
      ...prose(from)
        .replace(/`[^`\n]*`/g, '')
        .matchAll(/\]\(([^)\s]+)\)/g),
    ]
      .map(([, link]) => link as string)
      .filter((link) => !/^[a-z]+:/.test(link))
    const broken = links
      .map((link) => ({ link, problem: problem(from, link) }))
      .filter((each) => each.problem !== undefined)
    t.same(broken, [])
  })
}
