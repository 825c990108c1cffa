/** The package itself: what it needs that is CommonJS, and where it is. */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'

/**
 * Loads a CommonJS dependency. Were it imported, Node would read each of its files once more, to find
 * the names that it exports.
 */
export const require = createRequire(import.meta.url)

/** By name: what is built from these sources is not laid out as they are. */
export const packageFolder = dirname(require.resolve('kernelmq/package.json'))
