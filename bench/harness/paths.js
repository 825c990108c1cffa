import { fileURLToPath } from 'node:url'

/** @param {string} path */
const inBench = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

export const BENCH = inBench('.')
export const BUILD = inBench('build/')
export const C_SOURCES = inBench('c/')
export const PEER = inBench('peer.js')
