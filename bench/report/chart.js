/** The throughput of one size as an SVG bar chart, readable on light and dark pages. */
import { figure } from '../harness/results.js'
import { machineLine } from './environment.js'

/** @typedef {import('../harness/plan.js').Result} Result */

const WIDTH = 860
const NAME_WIDTH = 300
const FIGURE_WIDTH = 90
const ROW = 24
const BAR = 16
const TOP = 64
const BOTTOM = 36

const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 17px; font-weight: 600; }
.note { font-size: 11px; fill: #59636e; }
.kernelmq { fill: #0969da; } .c { fill: #59636e; } .other { fill: #afb8c1; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .note { fill: #9198a1; }
  .kernelmq { fill: #4493f8; } .c { fill: #9198a1; } .other { fill: #3d444d; }
}`

/** @param {string} text */
const escapeXml = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** @param {string} name */
const classOf = (name) =>
  name.includes('kernelmq') ? 'kernelmq' : name.startsWith('plain C') ? 'c' : 'other'

/** @param {number} value */
const inMillions = (value) => `${(value / 1e6).toFixed(value < 1e5 ? 3 : 2)} M/s`

/**
 * @param {readonly Result[]} results  of one block, in any order, none of them failed
 * @param {import('./environment.js').Environment} environment
 */
export function throughputChart(results, environment) {
  const bars = results
    .map((result) => ({ ...result, value: figure(result, 'messagesPerSecond') ?? 0 }))
    .sort((a, b) => b.value - a.value)
  const [{ size, limits, rounds }] = bars
  const longest = bars[0].value
  const height = TOP + bars.length * ROW + BOTTOM
  const title = `Messages of ${size} bytes per second, process to process`
  const rows = bars.map(({ name, kind, value }, i) => {
    const y = TOP + i * ROW
    const length = (value / longest) * (WIDTH - NAME_WIDTH - FIGURE_WIDTH)
    const label = kind ? `${name} (${kind})` : name
    return `<text x="${NAME_WIDTH - 10}" y="${y + 13}" text-anchor="end">${escapeXml(label)}</text>
<rect class="${classOf(name)}" x="${NAME_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2"/>
<text x="${(NAME_WIDTH + length + 8).toFixed(1)}" y="${y + 13}">${inMillions(value)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${title}</title>
<style>${STYLE}</style>
<text class="title" x="16" y="28">${title}</text>
<text class="note" x="16" y="47">${limits} limits, median of ${rounds.length} interleaved rounds; longer is better</text>
${rows.join('\n')}
<text class="note" x="16" y="${height - 14}">${escapeXml(machineLine(environment))}</text>
</svg>
`
}
